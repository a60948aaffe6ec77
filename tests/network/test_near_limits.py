"""Slopes with limits say what LMPs are on both sides of a kink, from either side."""

import numpy as np
import pytest

from gridbazaar.network.near_limits import NearLimits, RowLimits
from gridbazaar.network.slopes import SlopeSystem

BUSES = ("10", "18", "26", "33")


@pytest.fixture(scope="module")
def cases(ieee33):
    """By what starts to bind when bus 18 (or 26) bids more, an hour each; generators elsewhere can make room."""
    hour = ieee33.hours(18)
    strong = hour.generators(p_max_kw=4000.0, q_max_kvar=3000.0)
    return {
        "line rating": (strong.lines(l6_26={"p_max_kw": 600.0}), "26"),
        "voltage": (ieee33.hours(11).buses(v_min_pu=0.96), "18"),
        "current rating": (strong.lines(l6_26={"i_max_a": 30.0}), "26"),
    }


NAMES = ["line rating", "voltage", "current rating"]


@pytest.fixture
def buses(ieee33):
    return np.array([ieee33.feeder.index(name) for name in BUSES])


@pytest.fixture
def kink(cases):
    """A clearing, the bus that bids, and at which bid of it the limit starts to bind, kW."""

    def of(name):
        case, bus = cases[name]
        clearing, at = case.clearing(), case.feeder.index(bus)
        low, high = 0.0, 600.0
        for _ in range(30):
            middle = (low + high) / 2
            limits = clearing.slopes_and_limits(clearing.solve(bids(clearing, at, middle)), np.array([at]))[1]
            binds = limits.binding(limits.multiplier_usd_per_kwh).size > 0
            low, high = (low, middle) if binds else (middle, high)
        return clearing, at, high

    return of


def bids(clearing, at, kw):
    bid = np.zeros_like(clearing.load_kw)
    bid[at] = kw
    return bid


def predicted(clearing, buses, here, there):
    """LMPs at the buses after a step of bids, by the slopes and limits before."""
    cleared = clearing.solve(here)
    root, limits = clearing.slopes_and_limits(cleared, buses)
    move = (there - here)[buses]
    lmp = clearing.dispatch(cleared).lmp_usd_per_kwh[buses] + root[0] @ (root[0].T @ move)
    effect, on = limits.effect[0], np.ones(1, dtype=bool)
    slack = limits.slack_kw - (effect.T @ move).T
    nu = limits.multipliers(on, slack, np.zeros_like(limits.give))
    return lmp + effect @ (nu - limits.multiplier_usd_per_kwh).T, nu


@pytest.mark.parametrize("way", [1.0, -1.0])
@pytest.mark.parametrize("name", NAMES)
def test_across_a_kink_from_either_side(kink, buses, name, way):
    """Slopes alone would be off by most of the change."""
    clearing, at, where = kink(name)
    here, there = (bids(clearing, at, where + side * 3.0) for side in (-way, way))
    found, nu = predicted(clearing, buses, here, there)
    before, after = (clearing.clear(bid).lmp_usd_per_kwh[buses] for bid in (here, there))
    assert clearing.clear(there).shortage_cost_usd == 0
    assert (nu.max() > 1e-5) == (way > 0)
    assert np.abs(found - after).max() <= 0.05 * np.abs(after - before).max()


@pytest.mark.parametrize("name", NAMES)
def test_what_a_limit_does_to_lmps_demand_does_to_its_slack(kink, buses, name):
    """C from the rows' right-hand sides is C' from one kW more at each bus."""
    clearing, at, where = kink(name)
    [period] = clearing.solve(bids(clearing, at, where + 3.0))
    system = SlopeSystem(period.program, buses)
    [(root, limits)] = system.with_limits([period])
    apart = system._machines.apart(*system._at_limits(period))
    at_limits = system._roots(system._factors([period], apart[None]))[1]
    by_kw = system._way[:, None] * at_limits[:, 0].T
    by_kw = by_kw / np.maximum(np.abs(by_kw).max(axis=1), 1e-12)[:, None]
    for row in limits.effect.T:
        assert np.abs(by_kw - row).max(axis=1).min() <= 1e-5
    assert np.linalg.eigvalsh(limits.give).min() >= -1e-9 * np.abs(limits.give).max()
    assert root.shape == (4, 4)


def test_periods_without_limits_and_with_fewer(kink, buses):
    clearing, at, where = kink("line rating")
    _, limits = clearing.slopes_and_limits(clearing.solve(bids(clearing, at, where)), buses)
    one = limits.at(0)
    rows = one.slack_kw.size
    assert rows > 1
    first = RowLimits(one.effect[:, :1], one.give[:1, :1], one.slack_kw[:1], one.multiplier_usd_per_kwh[:1])
    both = NearLimits.of([None, first, one])
    assert np.array_equal(both.periods, [1, 2])
    assert both.at(0) is None
    assert both.effect.shape == (2, 4, rows)
    assert np.array_equal(both.at(2).give, one.give)
    assert np.array_equal(both.at(1).effect[:, :1], first.effect)
    assert not both.reached(np.ones((2, rows)))[0] or first.multiplier_usd_per_kwh[0] > 0  # what is padded never binds
    assert both.binding(np.full_like(both.slack_kw, 1.0)).tolist() == [1, 2]
    assert NearLimits.of([None, None]).periods.size == 0
