"""Does plain Algorithm 2 converge? The slope criterion (28), its matrix version, and the cobweb of Figure 2.

All of it is at fixed trades (none, as in Case 1), where a bid is its prosumer's alone: (27) and (28) are derived so.
"""

from typing import Any

import numpy as np

from ...market.result import Result
from ...market.settings import Case, Method
from ...network.arrays import BoolArray, FloatArray, IntArray
from ..files.scenario import Scenario
from .alone import AloneMarket, steps_of_algorithm_2
from .experiments import LeftOutError
from .findings import Cobweb, Slopes

_STEPS = 24
_RESTS_KW, _SHRINKS, _EARLIER = 0.05, 0.95, 10  # a bid comes to rest if its last steps are short, or became shorter
_INTERIOR = 1e-3
_MOVERS, _TRIED = 4, 24
"""For so many prosumers and periods it is tried what happens."""
_REST = 2e-7
"""The regret that the equilibrium at which slopes are taken may leave, as a fraction of the turnover."""
_POINTS = 60


def equilibrium_alone(scenario: Scenario) -> Result:
    """The equilibrium without sharing, by a method that finds it where the paper's fixed point cycles.

    Raises:
        LeftOutError: There is none.
    """
    changes: dict[str, Any] = {"method": Method.NEWTON, "regret_tolerance": _REST, "max_iterations": _STEPS}
    result = scenario.changed(case=Case.NO_SHARING, **changes).market().run()
    if not result.settled:
        raise LeftOutError(f"without sharing the market is {result.message}")
    return result


def is_close(rest: Result) -> bool:
    """Whether a run without sharing has come as close to the equilibrium as slopes need."""
    return rest.settled and rest.certificate.relative <= _REST


def slopes(scenario: Scenario, rest: Result) -> Slopes:
    """The criteria at the equilibrium without sharing, and whether Algorithm 2 converges there."""
    homes = scenario.build_households()
    ceiling, floor, low, high = (
        np.array([getattr(home, key) for home in homes])
        for key in ("bid_max_kw", "bid_min_kw", "elastic_min_kw", "elastic_max_kw")
    )
    answers = _inside(rest.bid_kw, floor, ceiling) & _inside(rest.elastic_kw, low, high)
    sensitivity = AloneMarket(scenario, np.arange(rest.bid_kw.shape[1])).lmp_per_bid(rest.bid_kw)
    curvature = np.array([2 * home.alpha_usd_per_kw2h for home in homes])
    gain = sensitivity / curvature[None, :, None] * answers.T[:, :, None]
    ratio = np.diagonal(gain, axis1=1, axis2=2).T.copy()
    radius = np.abs(np.linalg.eigvals(gain)).max(axis=1)
    movers, tried = _largest(ratio.max(axis=1), _MOVERS), _largest(radius, _TRIED)
    alone, together = _what_happens(scenario, rest.bid_kw, movers, tried)
    return Slopes(scenario.alpha_scale, rest.bid_kw, sensitivity, ratio, radius, movers, tried, alone, together)


def steady(found: Slopes) -> tuple[int, int] | None:
    """The prosumer and period with the largest ratio of those whose bid converges; None if no bid answers."""
    ratio = np.where(found.alone_converges & (found.tried_ratio < 1.0), found.tried_ratio, 0.0)
    return _place(found, int(np.argmax(ratio))) if ratio.max() > 0 else None


def cycling(found: Slopes) -> tuple[int, int] | None:
    """The prosumer and period whose bid cycles with the ratio nearest to 1; None if all converge."""
    distance = np.where(found.alone_converges, np.inf, np.abs(found.tried_ratio - 1.0))
    return _place(found, int(np.argmin(distance))) if np.isfinite(distance).any() else None


def cobweb(scenario: Scenario, found: Slopes, i: int, t: int) -> Cobweb:
    """Demand curve, price curve and steps of one prosumer and period, by index."""
    rest = found.rest_kw[:, [t]]
    only = np.arange(rest.shape[0])[:, None] == i
    steps = steps_of_algorithm_2(scenario, np.array([t]), np.where(only, 0.0, rest), only, _STEPS)[:, i, 0]
    least, most = (float(getattr(scenario.build_households()[i], f"bid_{end}_kw")[t]) for end in ("min", "max"))
    room = 0.15 * max(float(np.ptp(steps)), 1.0)
    grid = np.linspace(max(least, steps.min() - room), min(most, steps.max() + room), _POINTS)
    grid = np.unique(np.concatenate([grid, steps]))
    prices = _prices(scenario, t, np.where(only, grid, rest))[i]
    margin = 0.1 * max(float(np.ptp(prices)), 1e-3)
    lmps = np.union1d(np.linspace(prices.min() - margin, prices.max() + margin, 4 * _POINTS), prices)
    asked = AloneMarket(scenario, np.full(lmps.size, t)).bid_kw(np.tile(lmps, (rest.shape[0], 1)))[i]
    return Cobweb(
        prosumer=i,
        period=t,
        alpha_scale=scenario.alpha_scale,
        ratio=float(found.ratio[i, t]),
        rest_kw=float(rest[i, 0]),
        bid_kw=grid,
        lmp_usd_per_kwh=prices,
        demand_lmp_usd_per_kwh=lmps,
        demand_kw=asked,
        steps_kw=steps,
        steps_usd_per_kwh=np.interp(steps, grid, prices),  # steps are points of the grid
    )


def _prices(scenario: Scenario, t: int, bid_kw: FloatArray) -> FloatArray:
    """LMPs for many bids in one period, (prosumer, bid) each."""
    return AloneMarket(scenario, np.full(bid_kw.shape[1], t)).lmp_usd_per_kwh(bid_kw)


def _what_happens(
    scenario: Scenario, rest_kw: FloatArray, movers: IntArray, tried: IntArray
) -> tuple[BoolArray, BoolArray]:
    """Whether bids come to rest that start from zero: each alone, (mover, tried), and all together, (tried,)."""
    periods = np.tile(tried, movers.size + 1)
    moves = np.zeros((rest_kw.shape[0], periods.size), dtype=bool)
    for k, mover in enumerate(movers):
        moves[mover, k * tried.size : (k + 1) * tried.size] = True
    moves[:, movers.size * tried.size :] = True
    start = np.where(moves, 0.0, rest_kw[:, periods])
    rests = _rests(steps_of_algorithm_2(scenario, periods, start, moves, _STEPS)).reshape(movers.size + 1, tried.size)
    return rests[:-1], rests[-1]


def _rests(steps_kw: FloatArray) -> BoolArray:
    """Whether all bids come to rest, (column,): their steps are short, or shorter than ten steps before."""
    length = np.abs(np.diff(steps_kw, axis=0))
    last, earlier = length[-3:].max(axis=0), length[-3 - _EARLIER : -_EARLIER].max(axis=0)
    return np.asarray(((last <= _RESTS_KW) | (last < _SHRINKS * earlier)).all(axis=0))


def _largest(values: FloatArray, most: int) -> IntArray:
    """Where the largest values are, in ascending order of place."""
    return np.sort(np.argsort(-values, kind="stable")[:most])


def _place(found: Slopes, where: int) -> tuple[int, int]:
    i, t = np.unravel_index(where, found.alone_converges.shape)
    return int(found.movers[i]), int(found.tried[t])


def _inside(values: FloatArray, low: FloatArray, high: FloatArray) -> BoolArray:
    margin = _INTERIOR * np.maximum(high - low, 1.0)
    return np.asarray((values > low + margin) & (values < high - margin))
