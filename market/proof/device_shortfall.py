"""Whether households with devices can all be served over all periods: what a store gives in one, it has not in others.

`shortfall` takes devices at their best in each period by itself; this is exact, and one linear program of everybody.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.sparse as sp

from ...agents.household import Household
from ...agents.trade_graph import TradeGraph
from ...network.arrays import FloatArray
from .conduct import some

_NONE = 1e-6  # of what is needed: so exact is the solver
_NAMED = 6


@dataclass(frozen=True, slots=True)
class DeviceShortfall:
    """Households that together cannot balance (13) within (14), (15), (17), whatever they trade and devices do.

    Attributes:
        names: Who goes short where the least of all is missing.
        missing_kwh: What is missing over all periods, at the least.
    """

    names: tuple[str, ...]
    missing_kwh: float

    def __str__(self) -> str:
        noun = "prosumers" if len(self.names) > 1 else "prosumer"
        return (
            f"{noun} {some(self.names, _NAMED)}: {self.missing_kwh:.4g} kWh of fixed loads and elastic_min_kw cannot "
            "be served, whatever is traded and whenever devices give: what they hold does not "
            "last; raise bid_max_kw, the cap_kw of a link or what a device holds, or lower elastic_min_kw or the load"
        )


def find_device_shortfall(households: Mapping[str, Household], graph: TradeGraph) -> DeviceShortfall | None:
    """Who must go short because of what devices hold, or None; nobody where there are no devices.

    Args:
        households: All households, by name.
        graph: Who may trade with whom.
    """
    homes = [households[name] for name in graph.names]
    if not any(home.devices for home in homes):
        return None
    missing = _least_missing_kw(homes, graph)
    need_kw = sum(float((home.fixed_kw + home.elastic_min_kw).sum()) for home in homes)
    if missing.sum() <= _NONE * max(need_kw, 1.0):
        return None
    short = missing.sum(axis=1) > _NONE * missing.sum()
    return DeviceShortfall(tuple(np.array(graph.names)[short].tolist()), homes[0].dt_h * float(missing.sum()))


def _least_missing_kw(homes: Sequence[Household], graph: TradeGraph) -> FloatArray:
    """What is missing where the least of all is, (prosumer, period); zeros where the solver finds nothing."""
    from scipy.optimize import linprog  # which no market needs in which everybody is served

    lacks = np.array([h.fixed_kw + h.elastic_min_kw - h.renewable_kw - h.bid_max_kw for h in homes])
    fleets = [home.fleet for home in homes]
    into, tied = (
        sp.csr_array(sp.block_diag([getattr(fleet, key) for fleet in fleets])) for key in ("injection_matrix", "rows")
    )
    trades, size = _traded(graph, homes[0].periods), lacks.size
    free = sp.csr_array((tied.shape[0], trades.shape[1] + size))
    rows = sp.csr_array(sp.hstack([tied, free]))
    low, high = (np.concatenate([getattr(fleet, key) for fleet in fleets]) for key in ("row_low", "row_high"))
    below, above = np.isfinite(low), np.isfinite(high)
    matrix: Any = sp.vstack([sp.hstack([-into, -trades, -sp.eye_array(size)]), -rows[below], rows[above]], format="csr")
    cap = np.repeat(graph.cap_kw, homes[0].periods)
    least, most = (np.concatenate([getattr(fleet, key).ravel() for fleet in fleets]) for key in ("low", "high"))
    lower = np.concatenate([least, -cap, np.zeros(size)])
    upper = np.concatenate([most, cap, np.full(size, np.inf)])
    bounds: Any = np.column_stack([lower, upper])
    found: Any = linprog(
        np.concatenate([np.zeros(lower.size - size), np.ones(size)]),
        A_ub=matrix,
        b_ub=np.concatenate([-lacks.ravel(), -low[below], high[above]]),
        bounds=bounds,
    )
    missing = np.asarray(found.x)[-size:] if found.success else np.zeros(size)  # the solver's trouble refuses nobody
    return missing.reshape(lacks.shape)


def _traded(graph: TradeGraph, periods: int) -> sp.csr_array:
    """What trades, (link * period), above 0 where end a buys, bring to each, (prosumer * period)."""
    count = np.arange(len(graph.links))
    ends = np.concatenate([graph.owner[graph.forward], graph.owner[graph.backward]])
    signs = np.repeat([1.0, -1.0], count.size)
    by_link = sp.csr_array((signs, (ends, np.tile(count, 2))), shape=(len(graph.names), count.size))
    return sp.csr_array(sp.kron(by_link, sp.eye_array(periods)))
