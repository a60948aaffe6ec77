"""Whether households can all be served by what they own, buy and trade: what no agent can know alone.

For the person at the screen, when a run could not be settled: it looks into everybody's private data.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.sparse as sp

from ...agents.trade_graph import TradeGraph
from ...network.arrays import FloatArray
from ...network.periods import period_name

_NONE_KW = 1e-9  # of what is needed
_HALF = 0.5  # a kW more is worth a kW or nothing


@dataclass(frozen=True, slots=True)
class Shortfall:
    """A period in which households together cannot balance (13) within (14), (15), (17), whatever they trade.

    Too much power never is the trouble: renewables may be curtailed and nobody has to trade.

    Attributes:
        names: Who depends on each other: a kW more for any of them is a kW less that is missing.
        need_kw: What they must have together: fixed loads and elastic_min_kw.
        missing_kw: What of that they cannot get.
        period: The worst period, by index.
        dt_h: Length of a period in hours.
    """

    names: tuple[str, ...]
    need_kw: float
    missing_kw: float
    period: int
    dt_h: float

    def __str__(self) -> str:
        *others, last = self.names
        who = f"prosumers {', '.join(others)} and {last}" if others else f"prosumer {last}"
        can_get = self.need_kw - self.missing_kw
        return (
            f"{who}: {period_name(self.period, self.dt_h)} needs {self.need_kw:.4g} kW (fixed loads plus "
            f"elastic_min_kw) and has {can_get:.4g} kW (renewables, bid_max_kw, links to others), whatever is traded: "
            f"{self.missing_kw:.4g} kW too little; raise bid_max_kw of one of them or the cap_kw of a link to somebody "
            "who has more, or lower elastic_min_kw or the fixed load, by that much"
        )


def find_shortfall(need: FloatArray, have: FloatArray, graph: TradeGraph, dt_h: float) -> Shortfall | None:
    """The worst period in which somebody must go short, or None: one small linear program per doubtful period.

    Args:
        need: Fixed load and elastic_min_kw, (prosumer, period) in kW.
        have: Renewables and bid_max_kw, (prosumer, period) in kW.
        graph: Who may trade with whom.
        dt_h: Length of a period in hours.
    """
    doubtful = np.flatnonzero((have < need).any(axis=0))
    if not doubtful.size:
        return None
    from scipy.optimize import linprog

    links, people = len(graph.links), len(graph.names)
    ends = np.concatenate([graph.owner[graph.forward], graph.owner[graph.backward]])
    signs = np.repeat([1.0, -1.0], links)
    into = sp.csr_matrix((signs, (ends, np.tile(np.arange(links), 2))), shape=(people, links))
    cost = np.concatenate([np.zeros(links), np.ones(people)])
    bounds = [*((-cap, cap) for cap in graph.cap_kw), *[(0.0, None)] * people]
    rows: Any = sp.csr_array(sp.hstack([-into, -sp.identity(people)]))
    worst: Shortfall | None = None
    for t in doubtful:
        found: Any = linprog(cost, A_ub=rows, b_ub=have[:, t] - need[:, t], bounds=bounds)
        missing = float(np.asarray(found.x)[links:].sum()) if found.success else 0.0
        if missing > max(_NONE_KW * float(need[:, t].sum()), worst.missing_kw if worst else 0.0):
            short = np.asarray(found.ineqlin.marginals) < -_HALF
            names = tuple(name for name, is_short in zip(graph.names, short, strict=True) if is_short)
            worst = Shortfall(names, float(need[short, t].sum()), missing, int(t), dt_h)
    return worst
