"""LMPs and bids when some have not answered: nothing is added up twice, and demand and curve still meet."""

from dataclasses import replace

import mesa
import numpy as np
import pytest
from best_sale import best_sale
from bid_round import after_round

from gridbazaar.agents import SharingRules, SystemOperator
from gridbazaar.agents.bid_exchange import BidExchange
from gridbazaar.agents.messages import Asks
from gridbazaar.agents.penalty import AdaptivePenalty
from gridbazaar.agents.price_curve import PriceCurve

PLACE = np.array([1, 0, 1, 2, 0])
PERIODS = 2


@pytest.fixture
def exchange():
    """Five prosumers at three buses, their weights as uneven as they come."""
    rng = np.random.default_rng(3)
    root = rng.uniform(-1, 1, (PERIODS, 3, 3))
    curve = PriceCurve(
        rng.uniform(0.1, 0.4, (3, PERIODS))[PLACE],
        rng.uniform(0, 200, (5, PERIODS)),
        np.zeros((5, PERIODS)),
        np.sqrt(1e-3) * root,
        np.zeros(PERIODS, dtype=bool),
        PLACE,
    )
    nothing = BidExchange.empty(PriceCurve.flat(np.zeros((5, PERIODS))))
    opened = nothing.opened(
        curve, rng.uniform(0, 200, (5, PERIODS)), np.full(5, 100.0), SharingRules(1e-4, True, True, 0.1, 1e-4)
    )
    return replace(opened, penalty=AdaptivePenalty.starting(10.0 ** rng.uniform(-4, -2, (5, PERIODS))))


def who(*members):
    answered = np.zeros(5, dtype=bool)
    answered[list(members)] = True
    return answered


def test_the_lmp_of_who_has_not_answered_stays_and_what_is_wanted_of_it_follows(exchange):
    told, wanted = exchange.quoted.lmp_usd_per_kwh, exchange.quoted.held_kw
    bid = exchange.bid_kw + np.array([40.0, 0.0, 0.0, -25.0, 10.0])[:, None]
    after = after_round(exchange, bid, fresh=who(0, 3, 4))
    now = after.quoted
    assert np.array_equal(now.lmp_usd_per_kwh[[1, 2]], told[[1, 2]])
    assert (np.abs(now.lmp_usd_per_kwh - told)[[0, 3, 4]] > 1e-6).all()
    assert (np.abs(now.held_kw - wanted)[[1, 2]] > 1e-3).all()  # their neighbours asked for more
    assert now.lmp_usd_per_kwh[[0, 4]] == pytest.approx(after.curve.at(after.wanted_kw)[[0, 4]], abs=1e-9)


@pytest.mark.parametrize("relaxation", [1.0, 1.5])
def test_with_lmps_that_differ_at_a_bus_it_still_wants_the_best_sale(exchange, relaxation):
    """Of what it has heard: a bid that answers no news counts as it was, at the LMP that it was made for."""
    rng = np.random.default_rng(4)
    asked = exchange.bid_kw.copy()
    apart = False
    for _ in range(8):
        fresh = rng.random(5) < 0.5
        bid = exchange.bid_kw + rng.uniform(-20, 20, exchange.bid_kw.shape)
        price, before, weight = exchange.lmp_usd_per_kwh, exchange.wanted_kw, exchange.penalty.value
        asked[fresh] = (relaxation * bid + (1 - relaxation) * before)[fresh]
        exchange = after_round(exchange, bid, relaxation, fresh=fresh)
        best = best_sale(exchange.curve, price, weight, asked)
        assert exchange.wanted_kw == pytest.approx(best, abs=1e-6)
        assert exchange.mismatch_kw == pytest.approx(bid - best, abs=1e-6)
        assert exchange.moved_usd_per_kwh == pytest.approx(weight * np.abs(best - before), abs=1e-9)
        apart |= not np.array_equal(exchange.lmp_usd_per_kwh[0], exchange.lmp_usd_per_kwh[2])
    assert apart


def test_an_old_bid_that_stands_for_long_moves_its_lmp_once(exchange):
    bid = exchange.bid_kw + 30.0
    exchange = after_round(exchange, bid)
    told, wanted = exchange.lmp_usd_per_kwh, exchange.wanted_kw
    for _ in range(5):
        exchange = after_round(exchange, bid, fresh=who())
        assert np.array_equal(exchange.lmp_usd_per_kwh, told)
    exchange = after_round(exchange, bid)
    assert not np.allclose(exchange.wanted_kw, wanted, atol=1e-3)


@pytest.mark.parametrize("relaxation", [1.0, 1.5])
def test_with_half_of_all_bids_lost_demand_and_curve_still_meet(exchange, relaxation):
    """Demand price 0.6 - 2e-3 bid; who hears nothing bids as before."""
    rng = np.random.default_rng(5)
    exchange = replace(exchange, penalty=AdaptivePenalty.starting(np.full_like(exchange.bid_kw, 2e-3)))
    for _ in range(1500):
        terms, answers = exchange.quoted, rng.random(5) < 0.5
        weight = terms.weight_usd_per_kw2h
        bid = (0.6 - terms.lmp_usd_per_kwh + weight * terms.held_kw) / (2e-3 + weight)
        bid = np.where(answers[:, None], bid, exchange.bid_kw)
        exchange = after_round(exchange, bid, relaxation, fresh=answers)
    demand = 0.6 - 2e-3 * exchange.bid_kw
    assert exchange.lmp_usd_per_kwh == pytest.approx(demand, abs=1e-7)
    assert exchange.curve.at(exchange.bid_kw) == pytest.approx(demand, abs=1e-7)


# --- the DSO where it follows no curve


@pytest.fixture
def sale(small_clearing):
    """Five prosumers at three buses, sold to at prices that differ within a bus; all of it by period."""
    operator = SystemOperator(mesa.Model(rng=1), small_clearing(), ["c", "b", "c", "a", "b"])
    rng = np.random.default_rng(8)
    periods = np.array([0, 2])
    price, weight = rng.uniform(0.1, 0.45, (5, 2)), 10.0 ** rng.uniform(-3.5, -2.5, (5, 2))
    bid = rng.uniform(20, 120, (5, 2))
    lmp = operator.sell(Asks(periods, price, weight, bid)).lmp_usd_per_kwh
    return operator, periods, price, weight, bid, lmp, bid + (price - lmp) / weight


def test_who_lives_at_one_bus_is_sold_to_at_one_lmp(sale):
    *_, bid, lmp, sold = sale
    assert np.array_equal(lmp[0], lmp[2])
    assert np.array_equal(lmp[1], lmp[4])
    assert np.abs(sold - bid).max() > 10.0


def test_its_lmps_are_those_of_clearing_what_it_sold(sale):
    operator, periods, *_, lmp, sold = sale
    bids = np.zeros((5, 3))
    bids[:, periods] = sold
    operator.clear(bids)
    assert operator.announce()[:, periods] == pytest.approx(lmp, abs=1e-5)


def test_no_other_sale_is_better_when_prices_differ_at_a_bus(sale):
    """V(w) - price w + weight (w - bid)²/2 of what it sold, against many others, near and far: V from clearings."""
    operator, periods, price, weight, bid, _, sold = sale

    def worth(w):
        bids = np.zeros((5, 3))
        bids[:, periods] = w
        operator.clear(bids)
        value = operator.values_usd[periods] / operator.clearing.dt_h
        return value + (weight / 2 * (w - bid) ** 2 - price * w).sum(axis=0)

    best = worth(sold)
    rng = np.random.default_rng(9)
    for size in (0.5, 3.0, 20.0):
        for _ in range(6):
            step = rng.uniform(-size, size, sold.shape)
            assert (worth(sold + step) > best - 1e-6).all()
    at_one_price = operator.by_bus(price / weight) / operator.by_bus(1 / weight)
    shared = bid + (at_one_price[operator.place] - price) / weight
    assert (worth(shared) > best + 1e-3).all()  # so that it can be told from one that overlooks whose price is whose
