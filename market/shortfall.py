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

_NONE_KW = 1e-6


@dataclass(frozen=True, slots=True)
class Shortfall:
    """A period in which households together cannot balance (13) within (14), (15), (17), whatever they trade.

    Too much power never is the trouble: renewables may be curtailed and nobody has to trade.

    Attributes:
        names: Who is left short, at the best of all trades.
        missing_kw: By how much, together.
        period: The worst period, by index.
        dt_h: Length of a period in hours.
    """

    names: tuple[str, ...]
    missing_kw: float
    period: int
    dt_h: float

    def __str__(self) -> str:
        who = " and ".join(self.names)
        return (
            f"{who}: {period_name(self.period, self.dt_h)} leaves {self.missing_kw:.4g} kW too little for the fixed "
            "load and elastic_min_kw, whatever partners trade and even if the feeder delivers every bid_max_kw; raise "
            "bid_max_kw there or at a partner, or a link's cap_kw, or lower elastic_min_kw or the fixed load"
        )


def find_shortfall(households: Sequence[Household], graph: TradeGraph) -> Shortfall | None:
    """The worst period in which somebody must go short, or None: one small linear program per period."""
    links = len(graph.links)
    into = np.zeros((len(households), links))
    into[graph.owner[graph.forward], np.arange(links)] = 1.0
    into[graph.owner[graph.backward], np.arange(links)] = -1.0
    people = len(households)
    cost = np.concatenate([np.zeros(links), np.ones(people)])
    bounds = [*((-cap, cap) for cap in graph.cap_kw), *[(0.0, None)] * people]
    rows = np.hstack([-into, -np.eye(people)])
    worst: Shortfall | None = None
    for t in range(households[0].periods):
        spare = [h.renewable_kw[t] + h.bid_max_kw[t] - h.fixed_kw[t] - h.elastic_min_kw[t] for h in households]
        if min(spare) >= 0:
            continue
        found = linprog(cost, A_ub=rows, b_ub=spare, bounds=bounds)
        missing = np.asarray(found.x)[links:] if found.success else np.zeros(people)
        if missing.sum() > max(_NONE_KW, worst.missing_kw if worst else 0.0):
            short = tuple(h.name for h, kw in zip(households, missing, strict=True) if kw > _NONE_KW)
            worst = Shortfall(short, float(missing.sum()), t, households[0].dt_h)
    return worst
