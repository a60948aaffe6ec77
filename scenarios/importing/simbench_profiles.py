"""A day of the year of profiles that a SimBench grid brings along."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from ...network.arrays import FloatArray
from ..errors import refuse
from ..files.import_row import ImportRow
from .network import Remarks
from .pandapower_reading import Read

_QUARTERS = 96


def with_day(read: Read, wish: ImportRow) -> Read:
    """The network with its loads' and machines' profiles on one day, means over each period.

    A bus has one profile: that of its loads, or, where they have several, their sum by period as part of their sum now.

    Args:
        read: A SimBench grid; its `profiles` are factors by quarter of an hour.
        wish: Which day of the year, and how many periods it has: a divisor of 96.

    Raises:
        ScenarioError: There is no such day.
    """
    net, title = read.original, read.network.title
    factors = _factors(net, wish, title)
    load_profiles, profiles = _of_loads(read, factors)
    machines = []
    named = {f"{table} {k}": str(net[table]["profile"][k]) for table in ("sgen", "gen") for k in net[table].index}
    for machine in read.network.machines:
        profile = named.get(read.machine_elements.get(machine.generator.name, ""), "")
        profiles |= {profile: factors[profile]} if profile in factors else {}
        machines.append(replace(machine, profile=profile if profile in factors else ""))
    sentences = (f"day {wish.day} of the grid's year of profiles, in means over {24 / wish.periods:g} h",)
    approximations = ("reactive power of a load follows the profile of its active power, not the one of its own",)
    network = replace(
        read.network,
        machines=tuple(machines),
        load_profiles=load_profiles,
        profiles={name: tuple(values.round(6).tolist()) for name, values in profiles.items()},
        dt_h=24 / wish.periods,
    ).with_remarks(Remarks(approximations=approximations, defaults=sentences))
    return replace(read, network=network)


def check_periods(wish: ImportRow) -> None:
    """Refuse a number of periods that quarters of an hour do not make.

    Raises:
        ScenarioError: It is no divisor of 96.
    """
    if _QUARTERS % wish.periods:
        sentence = f"a day of {_QUARTERS} quarters of an hour cannot have {wish.periods} periods"
        raise refuse(wish.network, "periods", f"{sentence}; give a divisor of {_QUARTERS}, such as 24")


def _factors(net: Any, wish: ImportRow, title: str) -> dict[str, FloatArray]:
    """Profiles of active power by name, (period,) each."""
    tables = [table.drop(columns="time") for table in net.profiles.values() if len(table.columns) > 1]
    year = pd.concat(tables, axis=1) if tables else pd.DataFrame()
    days = len(year) // _QUARTERS
    if not wish.day <= days:
        raise refuse(title, "day", f"its profiles have {days} days and no day {wish.day}; give one of them")
    day = year.iloc[(wish.day - 1) * _QUARTERS : wish.day * _QUARTERS]
    means = day.to_numpy(dtype=float).reshape(wish.periods, -1, day.shape[1]).mean(axis=1)
    return {str(column).removesuffix("_pload"): means[:, k] for k, column in enumerate(day.columns)}


def _of_loads(read: Read, factors: Mapping[str, FloatArray]) -> tuple[dict[str, str], dict[str, FloatArray]]:
    """By bus the name of the profile of its loads, and these profiles."""
    net = read.original
    at: dict[str, list[tuple[str, float]]] = {}
    for k in net.load.index[net.load["in_service"].astype(bool)]:
        if net.load["bus"][k] in read.bus_names:
            bus, kw = read.bus_names[net.load["bus"][k]], 1e3 * float(net.res_load["p_mw"][k])
            at.setdefault(bus, []).append((str(net.load["profile"][k]), kw))
    names: dict[str, str] = {}
    profiles: dict[str, FloatArray] = {}
    for bus, loads in at.items():
        kinds = {kind for kind, _ in loads}
        names[bus] = kinds.pop() if len(kinds) == 1 else f"loads at {bus}"
        total_kw = sum(kw for _, kw in loads)
        parts = [kw * factors.get(kind, np.ones(1)) for kind, kw in loads]
        ones = np.ones(len(next(iter(factors.values()))))
        profiles[names[bus]] = ones * sum(parts) / total_kw if total_kw else ones
    return names, profiles
