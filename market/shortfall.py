"""Whether households can all be served by what they own, buy and trade: what no agent can know alone.

For the person at the screen, when a run could not be settled: it looks into everybody's private data.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.optimize import linprog

from ..agents.household import Household
from ..agents.trade_graph import TradeGraph
from ..network.periods import period_name

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


def find_shortfall(households: Sequence[Household], graph: TradeGraph) -> Shortfall | None:
    """The worst period in which somebody must go short, or None: one small linear program per doubtful period."""
    links, people = len(graph.links), len(households)
    into = np.zeros((people, links))
    into[graph.owner[graph.forward], np.arange(links)] = 1.0
    into[graph.owner[graph.backward], np.arange(links)] = -1.0
    cost = np.concatenate([np.zeros(links), np.ones(people)])
    bounds = [*((-cap, cap) for cap in graph.cap_kw), *[(0.0, None)] * people]
    rows = np.hstack([-into, -np.eye(people)])
    need = np.array([h.fixed_kw + h.elastic_min_kw for h in households])
    have = np.array([h.renewable_kw + h.bid_max_kw for h in households])
    worst: Shortfall | None = None
    for t in np.flatnonzero((have < need).any(axis=0)):
        found = linprog(cost, A_ub=rows, b_ub=have[:, t] - need[:, t], bounds=bounds)
        missing = float(np.asarray(found.x)[links:].sum()) if found.success else 0.0
        if missing > max(_NONE_KW * float(need[:, t].sum()), worst.missing_kw if worst else 0.0):
            short = np.asarray(found.ineqlin.marginals) < -_HALF
            names = tuple(h.name for h, is_short in zip(households, short, strict=True) if is_short)
            worst = Shortfall(names, float(need[short, t].sum()), missing, int(t), households[0].dt_h)
    return worst
