"""The feeder at one period: prices or voltages by colour, loading of its lines, and who sells to whom."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping

from ...network.flows import Flows
from ...network.periods import period_name
from ..drawing.one_line import one_line
from ..drawing.shade import Shade
from ..runs.amounts import counted
from .snapshot import Snapshot
from .wanted import LMP, VOLTAGE, Wanted

_SEEN_KW = 1e-3
"""Trades below this are solver noise."""
_FEW = 40
"""So many prosumers have a mark and arrows each; of more, those at one bus are taken together."""
_MOST_ARROWS = 40

Trades = list[tuple[str, str, float]]


def feeder_map(now: Snapshot, wanted: Wanted) -> tuple[str, str]:
    """The drawing, as an `<svg>` element, and what of the trades it leaves out, in words; empty if nothing."""
    result, dispatch, t = now.result, now.dispatch, wanted.period
    shade = loading = None
    if dispatch is not None:
        if wanted.shade == VOLTAGE:
            shade = Shade(dispatch.v_pu[:, t], VOLTAGE, "pu")
        else:
            shade = Shade(dispatch.lmp_usd_per_kwh[:, t], LMP, "$/kWh")
        loading = Flows.of(result.feeder, dispatch).loading[:, t] if wanted.loading else None
    homes = dict(zip(result.names, result.prosumer_buses, strict=True))
    trades: Trades = [
        (link.b, link.a, float(kw)) if kw > 0 else (link.a, link.b, float(-kw))
        for link, kw in zip(result.graph.links, now.trade_kw[:, t], strict=True)
        if abs(kw) > _SEEN_KW
    ]
    note = ""
    if len(homes) > _FEW:
        homes, trades, note = _of_one(homes, trades, wanted.prosumer) if wanted.prosumer else _by_bus(homes, trades)
    title = f"the feeder in {period_name(t, result.when)}"
    drawing = one_line(result.feeder, shade, loading=loading, prosumers=homes, trades=trades, title=title)
    return drawing, note


def _of_one(homes: Mapping[str, str], trades: Trades, name: str) -> tuple[dict[str, str], Trades, str]:
    """One prosumer and those that it trades with."""
    own = [trade for trade in trades if name in trade[:2]]
    seen = {name, *(who for trade in own for who in trade[:2])}
    note = f"of {counted(len(homes), 'prosumer')} {name} and those that it trades with are drawn"
    return {who: bus for who, bus in homes.items() if who in seen}, own, note


def _by_bus(homes: Mapping[str, str], trades: Trades) -> tuple[dict[str, str], Trades, str]:
    """The prosumers of each bus together, and what each bus sells to another on the whole: the largest of it."""
    people = Counter(homes.values())
    named = {bus: f"{count} at {bus}" for bus, count in people.items()}
    net: defaultdict[tuple[str, str], float] = defaultdict(float)
    for seller, buyer, kw in trades:
        pair = homes[seller], homes[buyer]
        net[min(pair), max(pair)] += kw if pair == (min(pair), max(pair)) else -kw
    flows = [(a, b, kw) if kw > 0 else (b, a, -kw) for (a, b), kw in net.items() if a != b and abs(kw) > _SEEN_KW]
    drawn = sorted(flows, key=lambda flow: -flow[2])[:_MOST_ARROWS]
    note = f"prosumers and trades are taken together by bus; the {len(drawn)} largest of {len(flows)} are drawn"
    return {name: bus for bus, name in named.items()}, [(named[a], named[b], kw) for a, b, kw in drawn], note
