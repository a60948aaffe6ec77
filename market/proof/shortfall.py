"""Whether households can all be served by what they own, buy and trade: what no agent can know alone.

For the person at the screen, when a run could not be settled: it looks into everybody's private data.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.sparse as sp
from scipy.sparse.csgraph import breadth_first_order, connected_components, maximum_flow

from ...agents.trade_graph import TradeGraph
from ...network.arrays import BoolArray, FloatArray, IntArray
from ...network.periods import When, period_name

_NONE_KW = 1e-9  # of what is needed
_ROUNDING = 1e-7  # of the largest number: what the solver of linear programs takes for nothing
_MOST_PARTS = 2**30  # of all that is missing, in whole numbers of 32 bits


@dataclass(frozen=True, slots=True)
class Shortfall:
    """A period in which households together cannot balance (13) within (14), (15), (17), whatever they trade.

    Too much power never is the trouble: renewables may be curtailed and nobody has to trade.

    Attributes:
        names: Who depends on each other: a kW more for any of them is a kW less that is missing.
        need_kw: What they must have together: fixed loads and elastic_min_kw.
        missing_kw: What of that they cannot get.
        period: The worst period, by index.
        when: When the periods are.
    """

    names: tuple[str, ...]
    need_kw: float
    missing_kw: float
    period: int
    when: When

    def __str__(self) -> str:
        *others, last = self.names
        who = f"prosumers {', '.join(others)} and {last}" if others else f"prosumer {last}"
        can_get = self.need_kw - self.missing_kw
        return (
            f"{who}: {period_name(self.period, self.when)} needs {self.need_kw:.4g} kW (fixed loads plus "
            f"elastic_min_kw) and has {can_get:.4g} kW (renewables, bid_max_kw, links to others), whatever is traded: "
            f"{self.missing_kw:.4g} kW too little; raise bid_max_kw of one of them or the cap_kw of a link to somebody "
            "who has more, or lower elastic_min_kw or the fixed load, by that much"
        )


def find_shortfall(need: FloatArray, have: FloatArray, graph: TradeGraph, when: When) -> Shortfall | None:
    """The worst period in which somebody must go short, or None.

    One small linear program per period, over those who may be short and all who are linked to them, near or far.

    Args:
        need: Fixed load and elastic_min_kw, (prosumer, period) in kW.
        have: Renewables, bid_max_kw and all that devices can give at once, (prosumer, period) in kW, in each period by
            itself, whatever they hold; `device_shortfall` is exact there.
        graph: Who may trade with whom.
        when: When the periods are, for the name of the worst.
    """
    worst: Shortfall | None = None
    linked: IntArray | None = None
    for t in np.flatnonzero((have < need).any(axis=0)):
        linked = _groups(graph) if linked is None else linked
        people = np.flatnonzero(np.isin(linked, linked[_unserved(have[:, t] - need[:, t], graph)]))
        if not people.size:
            continue
        missing, short = _missing(have[people, t] - need[people, t], people, graph)
        if missing > max(_NONE_KW * float(need[:, t].sum()), worst.missing_kw if worst else 0.0):
            who = people[short]
            names = tuple(graph.names[i] for i in who)
            worst = Shortfall(names, float(need[who, t].sum()), missing, int(t), when)
    return worst


def _missing(spare: FloatArray, people: IntArray, graph: TradeGraph) -> tuple[float, BoolArray]:
    """How much power prosumers lack in all, whatever they trade, in kW, and who of them would be helped by a kW more.

    Args:
        spare: What each has beyond its need, below 0 what it lacks, (person,) in kW.
        people: Who they are, by index; nobody else is linked to them.
        graph: Who may trade with whom.
    """
    from scipy.optimize import linprog  # which no market needs in which everybody is served

    place = np.full(len(graph.names), -1)
    place[people] = np.arange(people.size)
    a, b = (place[graph.owner[end]] for end in (graph.forward, graph.backward))
    a, b, cap_kw = a[a >= 0], b[a >= 0], graph.cap_kw[a >= 0]
    signs, link = np.repeat([1.0, -1.0], a.size), np.tile(np.arange(a.size), 2)
    into = sp.csr_matrix((signs, (np.concatenate([a, b]), link)), shape=(people.size, a.size))
    cost = np.concatenate([np.zeros(a.size), np.ones(people.size)])
    bounds = [*((-cap, cap) for cap in cap_kw), *[(0.0, None)] * people.size]
    rows: Any = sp.csr_array(sp.hstack([-into, -sp.identity(people.size)]))
    found: Any = linprog(cost, A_ub=rows, b_ub=spare, bounds=bounds)
    if not found.success:
        return 0.0, np.zeros(people.size, dtype=bool)
    received, lacking = np.split(np.asarray(found.x), [a.size])
    none = _ROUNDING * float(np.abs(spare).max())
    from_b, from_a = received < cap_kw - none, received > none - cap_kw  # what could bring more
    sender, receiver = np.concatenate([b[from_b], a[from_a]]), np.concatenate([a[from_b], b[from_a]])
    return float(lacking.sum()), _upstream(sender, receiver, lacking > none)


def _upstream(sender: IntArray, receiver: IntArray, short: BoolArray) -> BoolArray:
    """From whom a kW more could get to somebody who is short, (person,): whatever optimum was found, the same."""
    start = np.flatnonzero(short)
    end, origin = np.concatenate([receiver, np.full(start.size, short.size)]), np.concatenate([sender, start])
    backwards = sp.csr_array((np.ones(end.size), (end, origin)), shape=(short.size + 1, short.size + 1))
    found: BoolArray = np.zeros(short.size + 1, dtype=bool)
    found[breadth_first_order(backwards, short.size, return_predecessors=False)] = True
    return found[:-1]


def _groups(graph: TradeGraph) -> IntArray:
    """A number for each prosumer, the same for those who are linked, near or far, (prosumer,)."""
    people = len(graph.names)
    linked = sp.csr_array((np.ones(graph.owner.size), (graph.owner, graph.partner)), shape=(people, people))
    return np.asarray(connected_components(linked, directed=False)[1], dtype=np.intp)


def _unserved(spare: FloatArray, graph: TradeGraph) -> IntArray:
    """Who lacks something that a flow from those who have more may not bring, by index.

    The flow is found in whole parts, rounded to the safe side: whom it serves is served, others may be.

    Args:
        spare: What each has beyond its need, below 0 what it lacks, (prosumer,) in kW.
        graph: Who may trade with whom.
    """
    people = spare.size
    parts = _MOST_PARTS / float(-spare[spare < 0].sum())

    def whole(kw: FloatArray) -> IntArray:
        return np.minimum(np.floor(kw * parts), _MOST_PARTS).astype(np.intp)

    gives, lacks = np.flatnonzero(spare > 0), np.flatnonzero(spare < 0)
    needed = -whole(spare[lacks])
    start = np.concatenate([np.full(gives.size, people), graph.owner, lacks])
    end = np.concatenate([gives, graph.partner, np.full(lacks.size, people + 1)])
    room = np.concatenate([whole(spare[gives]), whole(graph.cap_kw[graph.link]), needed]).astype(np.int32)
    network = sp.csr_array((room, (start, end)), shape=(people + 2, people + 2))
    flow = maximum_flow(network, people, people + 1).flow
    brought = np.asarray(flow[[people + 1]].todense()).ravel()
    return lacks[-brought[lacks] < needed]
