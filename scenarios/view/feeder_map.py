"""The feeder at one period: prices or voltages by colour, loading of its lines, and who sells to whom."""

from __future__ import annotations

import numpy as np

from ...network.flows import Flows
from ...network.periods import period_name
from ..drawing.one_line import one_line
from ..drawing.shade import Shade
from .snapshot import Snapshot
from .wanted import VOLTAGE, Wanted

_SEEN_KW = 1e-3
"""Trades below this are solver noise."""


def feeder_map(now: Snapshot, wanted: Wanted) -> str:
    """The drawing, as an `<svg>` element. Colours mean the same in all periods."""
    result, dispatch, t = now.result, now.dispatch, wanted.period
    shade = loading = None
    if dispatch is not None:
        kind = (
            ("voltage", "pu", dispatch.v_pu) if wanted.shade == VOLTAGE else ("LMP", "$/kWh", dispatch.lmp_usd_per_kwh)
        )
        quantity, unit, values = kind
        shade = Shade(values[:, t], quantity, unit, limits=(float(np.min(values)), float(np.max(values))))
        loading = Flows.of(result.feeder, dispatch).loading[:, t] if wanted.loading else None
    trades = [
        (link.b, link.a, float(kw)) if kw > 0 else (link.a, link.b, float(-kw))
        for link, kw in zip(result.graph.links, now.trade_kw[:, t], strict=True)
        if abs(kw) > _SEEN_KW
    ]
    homes = dict(zip(result.names, result.prosumer_buses, strict=True))
    title = f"the feeder in {period_name(t, result.dt_h)}"
    return one_line(result.feeder, shade, loading=loading, prosumers=homes, trades=trades, title=title)
