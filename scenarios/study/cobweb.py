"""Does plain Algorithm 2 converge? The slope criterion (28), its matrix version, and the cobweb of Figure 2.

All of it is at fixed trades (none, as in Case 1), where a bid is its prosumer's alone: (27) and (28) are derived so.
"""

import numpy as np

from ...agents.behaviour import Behaviour
from ...agents.messages import Delivery
from ...agents.plan import Plan
from ...agents.trade_graph import Link, TradeGraph
from ...market.energy_market import EnergyMarket
from ...market.proof.central import equilibrium
from ...market.rounds import Phase
from ...market.settings import Case, Method
from ...network.arrays import BoolArray, FloatArray
from ...network.clearing import Clearing
from ..files.scenario import Scenario
from .findings import Cobweb, Slopes

_STEP_KW = 1.0
_STEPS = 40
_RESTS_KW, _SHRINKS, _EARLIER = 0.05, 0.95, 10  # a bid comes to rest if its last steps are short, or became shorter
_INTERIOR = 1e-3


class _Rests(Behaviour):
    """Bids the same whatever it is told: everybody else, while one prosumer's cobweb is looked at."""

    def __init__(self, bid_kw: FloatArray) -> None:
        self.bid_kw = bid_kw

    def bid(self, delivery: Delivery, plan: Plan) -> FloatArray:
        del delivery, plan
        return self.bid_kw


def slopes(scenario: Scenario) -> Slopes:
    """The criteria at a scenario's equilibrium without sharing, and whether Algorithm 2 converges there."""
    alone = scenario.changed(case=Case.NO_SHARING, method=Method.PLAIN)
    clearing, homes = alone.build_clearing(), alone.build_households()
    at = [clearing.feeder.index(home.bus) for home in homes]
    rest, elastic = _equilibrium(alone)
    sensitivity = lmp_per_bid(clearing, at, rest)
    ceiling = np.array([home.bid_max_kw for home in homes])
    low, high = (np.array([getattr(home, f"elastic_{end}_kw") for home in homes]) for end in ("min", "max"))
    answers = _inside(rest, np.zeros_like(rest), ceiling) & _inside(elastic, low, high)
    curvature = np.array([2 * home.alpha_usd_per_kw2h for home in homes])
    gain = sensitivity / curvature[None, :, None] * answers.T[:, :, None]
    moves = [_moves(alone, rest, i)[:, i] for i in range(len(homes))]
    together = _moves(alone, np.zeros_like(rest), None)
    return Slopes(
        alpha_scale=scenario.alpha_scale,
        lmp_per_bid=sensitivity,
        ratio=np.diagonal(gain, axis1=1, axis2=2).T.copy(),
        radius=np.abs(np.linalg.eigvals(gain)).max(axis=1),
        alone_converges=np.array([_rests(moved[:, None])[0] for moved in moves]),
        all_converge=np.asarray(_rests(together).all(axis=0)),
    )


def lmp_per_bid(clearing: Clearing, at: list[int], bid_kw: FloatArray) -> FloatArray:
    """The sensitivities d LMP_i / d p_b,j by central differences, (period, prosumer, prosumer), $/kWh per kW.

    Args:
        clearing: The DSO's market.
        at: Bus index of each prosumer.
        bid_kw: Where, (prosumer, period).
    """
    columns = []
    for j in range(len(at)):
        ends = []
        for sign in (1.0, -1.0):
            moved = bid_kw.copy()
            moved[j] += sign * _STEP_KW / 2
            ends.append(_lmp(clearing, at, moved))
        columns.append((ends[0] - ends[1]) / _STEP_KW)
    return np.stack(columns, axis=-1).transpose(1, 0, 2)


def steady_cobweb(scenario: Scenario, found: Slopes) -> Cobweb | None:
    """The cobweb of the prosumer and hour with the largest ratio of those that converge; None if no bid answers."""
    ratio = np.where(found.alone_converges & (found.ratio < 1.0), found.ratio, 0.0)
    return _cobweb(scenario, found, int(np.argmax(ratio))) if ratio.max() > 0 else None


def cycling_cobweb(scenario: Scenario, found: Slopes) -> Cobweb | None:
    """The cobweb of the prosumer and hour that cycles with the ratio nearest to 1; None if all converge."""
    distance = np.where(found.alone_converges, np.inf, np.abs(found.ratio - 1.0))
    return _cobweb(scenario, found, int(np.argmin(distance))) if np.isfinite(distance).any() else None


def _cobweb(scenario: Scenario, found: Slopes, where: int) -> Cobweb:
    i, t = (int(index) for index in np.unravel_index(where, found.ratio.shape))
    alone = scenario.changed(case=Case.NO_SHARING, method=Method.PLAIN)
    clearing, homes = alone.build_clearing(), alone.build_households()
    at = [clearing.feeder.index(home.bus) for home in homes]
    rest, _ = _equilibrium(alone)
    steps = _moves(alone, rest, i)[:, i, t]
    grid = np.linspace(max(0.0, steps.min() - 40.0), min(homes[i].bid_max_kw[t], steps.max() + 40.0), 40)
    prices = [_lmp(clearing, at, _with(rest, i, kw))[i, t] for kw in (*grid, *steps)]
    lmps = np.linspace(min(prices) - 0.005, max(prices) + 0.005, 60)
    problem = alone.market().communities.here[0].prosumers[i].problem
    nothing = np.zeros((problem.links, problem.periods))
    asked = [problem.deliver(Delivery(np.full(problem.periods, lmp), nothing, nothing)).bid_kw[t] for lmp in lmps]
    return Cobweb(
        prosumer=i,
        period=t,
        alpha_scale=scenario.alpha_scale,
        ratio=float(found.ratio[i, t]),
        bid_kw=grid,
        lmp_usd_per_kwh=np.array(prices[: grid.size]),
        demand_lmp_usd_per_kwh=lmps,
        demand_kw=np.array(asked),
        steps_kw=steps,
        steps_usd_per_kwh=np.array(prices[grid.size :]),
    )


def _equilibrium(alone: Scenario) -> tuple[FloatArray, FloatArray]:
    """Bids and elastic loads of the equilibrium without sharing, (prosumer, period), from the joint problem."""
    clearing, homes = alone.build_clearing(), alone.build_households()
    graph = TradeGraph([home.name for home in homes], [Link(link.a, link.b, 0.0) for link in alone.build_links()])
    limits = clearing.p_gen_min_kw, clearing.p_gen_max_kw
    found = equilibrium(clearing.feeder, clearing.load_kw, clearing.load_kvar, homes, graph, p_limits_kw=limits)
    least, most = (np.array([getattr(home, key) for home in homes]) for key in ("bid_min_kw", "bid_max_kw"))
    return np.clip(found.bid_kw, least, most), found.elastic_kw


def _moves(alone: Scenario, rest: FloatArray, mover: int | None) -> FloatArray:
    """The bids that Algorithm 2 clears, from zero, (step, prosumer, period); only `mover` moves, or all (None)."""
    homes = alone.build_households()
    behaviours = {home.name: _Rests(rest[k]) for k, home in enumerate(homes) if mover not in (None, k)}
    market = EnergyMarket(
        alone.build_clearing(),
        homes,
        alone.build_links(),
        settings=alone.changed(max_iterations=_STEPS, regret_tolerance=1e-12).build_settings(),
        behaviours=behaviours,
    )
    market.bid_kw = _with(rest, mover, 0.0) if mover is not None else np.zeros_like(rest)
    steps = []
    while market.running:
        if market.phase is Phase.CLEARING:
            steps.append(market.bid_kw)
        market.step()
    return np.array(steps + [steps[-1]] * (_STEPS - len(steps)))  # a market that has settled moves no more


def _rests(moves: FloatArray) -> BoolArray:
    """Whether each bid comes to rest, (prosumer, period): its steps are short, or shorter than ten steps before."""
    length = np.abs(np.diff(moves, axis=0))
    last, earlier = length[-3:].max(axis=0), length[-3 - _EARLIER : -_EARLIER].max(axis=0)
    return np.asarray((last <= _RESTS_KW) | (last < _SHRINKS * earlier))


def _lmp(clearing: Clearing, at: list[int], bid_kw: FloatArray) -> FloatArray:
    demand = np.zeros_like(clearing.load_kw)
    np.add.at(demand, at, bid_kw)
    return clearing.clear(demand).lmp_usd_per_kwh[at]


def _with(bid_kw: FloatArray, i: int, kw: float) -> FloatArray:
    changed = bid_kw.copy()
    changed[i] = kw
    return changed


def _inside(values: FloatArray, low: FloatArray, high: FloatArray) -> BoolArray:
    margin = _INTERIOR * np.maximum(high - low, 1.0)
    return np.asarray((values > low + margin) & (values < high - margin))
