"""Along a curve that knows its limits the DSO answers as it would by its own cost, on both sides of a kink."""

from dataclasses import replace

import mesa
import numpy as np
import pytest
from slope_matrices import slopes_of

from gridbazaar.agents import SharingRules, SystemOperator
from gridbazaar.agents.bid_exchange import BidExchange
from gridbazaar.agents.messages import Asks
from gridbazaar.agents.price_curve import PriceCurve
from gridbazaar.network import Bus, Clearing, Feeder, Generator, Line

RULES = SharingRules(1e-4, True, True, 0.1, 1e-4)
LIMIT_KW = 300.0


@pytest.fixture
def dso():
    """A line that carries 300 kW to the buses b and c, where three prosumers live and a dear machine runs."""
    buses = (Bus("a"), Bus("b", p_kw=50.0), Bus("c", p_kw=50.0))
    lines = (Line("a", "b", 0.3, 0.2, p_max_kw=LIMIT_KW), Line("b", "c", 0.5, 0.4))
    grid = Generator("grid", "a", 1e-5, 0.2, 0.0, 0.0, 5000.0, -5000.0, 5000.0)
    dear = Generator("dear", "c", 2e-3, 0.15, 0.0, -100.0, 400.0, -100.0, 100.0)
    feeder = Feeder(buses, lines, (grid, dear), "a", 10.0)
    load = np.outer(feeder.p_kw, [1.0, 0.5, 1.0, 1.0])
    return SystemOperator(mesa.Model(rng=1), Clearing(feeder, load, 0.2 * load, 1.0), ["b", "c", "c"])


BID = np.array([[80.0, 80.0, 80.0, 140.0], [80.0, 60.0, 60.0, 80.0], [40.0, 40.0, 40.0, 40.0]])
"""In the last period the limit binds, in the others it is near."""


@pytest.fixture
def curve(dso):
    dso.clear(BID)
    root, limits = dso.slopes_and_limits(np.zeros(0, dtype=np.intp))
    lmp, nothing = dso.announce(), np.zeros_like(BID)
    return PriceCurve(lmp, BID, nothing, root, np.zeros(4, dtype=bool), dso.place, limits)


@pytest.mark.parametrize("step", [0.0, 30.0, -50.0])
def test_it_is_the_answer_of_an_elastic_clearing(curve, dso, step):
    """More than was cleared is beyond the limit in the first periods, less is within it in the last."""
    asked, price = BID + step, curve.lmp_usd_per_kwh
    for weight in (1e-4, 1e-2):
        asks = Asks(np.arange(4), price, np.full_like(BID, weight), asked)
        exact = dso.sell(asks).lmp_usd_per_kwh
        found = curve.best_sale(asked, price, asks.weight_usd_per_kw2h)
        assert found.lmp_usd_per_kwh == pytest.approx(exact, abs=2e-4)
    binds = (found.multiplier_usd_per_kwh > 1e-3).any(axis=1)
    assert binds[curve.limits.periods == 3] == (step >= 0)
    if step > 0:
        without = replace(curve, limits=PriceCurve.flat(price).limits).best_sale(asked, price, np.full_like(BID, 1e-2))
        assert np.abs(without.lmp_usd_per_kwh - exact)[:, [0, 2]].min() > 0.02


def test_no_lmp_is_beyond_the_value_of_lost_load(curve, dso):
    """Who insists on more than the line carries is sold it at that, however dear it would be along the curve."""
    asked, price, weight = BID + 2000.0, np.full_like(BID, 10.0), np.full_like(BID, 1.0)
    dearest = dso.clearing.value_of_lost_load_usd_per_kwh
    assert np.abs(curve.best_sale(asked, price, weight).lmp_usd_per_kwh).max() > 2 * dearest
    found = replace(curve, dearest_usd_per_kwh=dearest).best_sale(asked, price, weight)
    exact = dso.sell(Asks(np.arange(4), price, weight, asked)).lmp_usd_per_kwh
    assert found.lmp_usd_per_kwh == pytest.approx(exact, abs=1e-6)


def test_lmps_are_those_of_the_slopes_and_the_multipliers(curve):
    """At what it would sell: LMP = LMP0 + D w + C (nu - z0), and no limit is left with less than nothing."""
    weight = np.array([[1e-3], [3e-3], [5e-4]]) * np.ones(4)
    lmp, nu = curve.best_sale(BID + 40.0, curve.lmp_usd_per_kwh, weight)
    sold = BID + 40.0 + (curve.lmp_usd_per_kwh - lmp) / weight
    move = curve.by_bus(sold - BID)
    by_bus = curve.lmp_by_bus + np.einsum("tbc,ct->bt", slopes_of(curve.slope_root), move)
    limits = curve.limits
    for k, t in enumerate(limits.periods):
        by_bus[:, t] += limits.effect[k] @ (nu[k] - limits.multiplier_usd_per_kwh[k])
        made = limits.give[k] @ (nu[k] - limits.multiplier_usd_per_kwh[k])
        slack = limits.slack_kw[k] - limits.effect[k].T @ move[:, t] + made
        assert slack.min() >= -1e-6
        assert np.abs(slack * nu[k]).max() <= 1e-6
    assert lmp == pytest.approx(by_bus[curve.place], abs=1e-9)


@pytest.fixture
def exchange(curve):
    nothing = BidExchange.empty(PriceCurve.flat(np.zeros_like(BID)))
    return nothing.opened(curve, BID, np.full(3, 100.0), RULES)


def test_where_limits_bind_the_dso_is_asked_once_more(exchange):
    closing = exchange.closing(BID, np.zeros(0, dtype=np.intp))
    assert closing.asks is not None
    assert np.array_equal(closing.asks.periods, [3])
    assert np.array_equal(closing.asks.bid_kw, BID[:, [3]])
    assert np.array_equal(closing.asks.price_usd_per_kwh, exchange.lmp_usd_per_kwh[:, [3]])
    assert (closing.asks.weight_usd_per_kw2h < exchange.penalty.value[:, [3]]).all()


def test_so_it_is_where_bids_were_short(exchange):
    closing = exchange.closing(BID, np.array([1]))
    assert closing.asks is not None
    assert np.array_equal(closing.asks.periods, [1, 3])


def test_nobody_is_asked_where_there_are_no_limits(exchange, curve):
    plain = replace(exchange, curve=replace(curve, limits=PriceCurve.flat(BID).limits))
    assert plain.closing(BID, np.array([1])).asks is None
