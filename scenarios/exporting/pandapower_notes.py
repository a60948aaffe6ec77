"""What an export to pandapower holds, and what of a run pandapower reads otherwise or not at all, in words."""

from __future__ import annotations

from collections.abc import Iterator
from math import inf
from typing import Any

from ...market.settings import NetworkUse
from ...market.tables import DEVICES
from ...network.periods import period_name
from ..runs.amounts import counted
from .pandapower_export import PandapowerExport


def contents(exported: PandapowerExport, net: Any, t: int, *, profiles: bool) -> str:
    """What the network holds, in a sentence.

    Args:
        exported: The run.
        net: Its network.
        t: The period of its dispatch, from 0.
        profiles: Whether it has all others as profiles.
    """
    nouns = {
        "bus": ("bus", "buses"),
        "line": ("line",),
        "trafo": ("transformer",),
        "switch": ("coupler",),
        "load": ("load",),
        "sgen": ("static generator",),
    }
    counts = [counted(len(net[table]), *words) for table, words in nouns.items() if len(net[table])]
    others = f", and profiles of all {exported.powers.periods} periods" if profiles else ""
    return f"{period_name(t, exported.run.when)}: {', '.join(counts)}{others}"


def notes(exported: PandapowerExport) -> Iterator[str]:
    """What somebody must know who goes on with the network in pandapower, a sentence each."""
    run, feeder, powers = exported.run, exported.feeder, exported.powers
    if powers.v_pu is None:
        yield "the run has left no schedule: the network has the ordinary loads, and no bids and no dispatch"
    if DEVICES in run.tables:
        yield "what devices (batteries, vehicles, ...) take and give is part of their prosumers' loads"
    yield "costs are in $, in the columns that pandapower calls eur"
    rated = sum(line.p_max_kw < inf or line.q_max_kvar < inf for line in feeder.lines)
    if rated:
        sentence = (
            f"pandapower bounds no line by active or reactive power: the limits of {counted(rated, 'line')} stand"
        )
        yield f"{sentence} in columns of their own, p_max_mw and q_max_mvar, which its optimal power flow does not read"
    bids_only = run.scenario.settings.network_use is NetworkUse.BIDS
    if bids_only and "trades" in run.tables and (run.table("trades")["trade_kw"] != 0).any():
        yield "trades load no wire in this run (market.network_use: bids), so prosumers draw their bids alone"
    unrated = sum(_is_unrated_transformer(exported, n) for n in range(1, len(feeder.buses)))
    if unrated:
        yield f"{counted(unrated, 'transformer')} without a rating: sn_mva 1 and a loading of 1e12 % stand there"
    short = powers.short_buses.size
    if short:
        yield f"what could not be served stands at {counted(short, 'bus', 'buses')} as static generators, unserved BUS"


def _is_unrated_transformer(exported: PandapowerExport, n: int) -> bool:
    """Whether the line that feeds bus n is a transformer without a rating."""
    feeder = exported.feeder
    line = feeder.lines[n - 1]
    return line.i_max_a == inf and bool(line.tap != 1 or feeder.kv[n] != feeder.kv[feeder.parent[n]])
