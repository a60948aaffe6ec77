"""The DSO's answer to bids is the best sale along its curve, or where it answers itself, of its own cost V."""

from dataclasses import replace

import mesa
import numpy as np
import pytest
from best_sale import best_sale
from bid_round import after_round

from gridbazaar.agents import Offers, SharingRules, SystemOperator
from gridbazaar.agents.bid_exchange import BidExchange
from gridbazaar.agents.messages import Sale
from gridbazaar.agents.penalty import AdaptivePenalty
from gridbazaar.agents.price_curve import PriceCurve

PLACE = np.array([1, 0, 1, 2, 0])  # five prosumers at three buses
PERIODS = 3
RULES = SharingRules(1e-4, True, True, 0.1, 1e-4)


def begun(curve, bid, size_kw=100.0, weight=None):
    """An exchange that has begun with a curve and bids, with other weights of theirs if there are any."""
    nothing = BidExchange.empty(PriceCurve.flat(np.zeros_like(bid)))
    exchange = nothing.opened(curve, bid, np.full(len(bid), size_kw), RULES)
    return exchange if weight is None else replace(exchange, penalty=AdaptivePenalty.starting(weight))


@pytest.fixture
def draw():
    """A curve with slopes in all periods, and bids; `rank` of the slopes as low as wanted."""

    def of(seed, rank=3):
        rng = np.random.default_rng(seed)
        root = rng.uniform(-1, 1, (PERIODS, 3, rank))
        root = np.sqrt(1e-3) * root
        lmp = rng.uniform(0.1, 0.4, (3, PERIODS))[PLACE]
        reference, bid = rng.uniform(0, 200, (2, 5, PERIODS))
        nothing = np.zeros((5, PERIODS))
        return PriceCurve(lmp, reference, nothing, root, np.zeros(PERIODS, dtype=bool), PLACE), bid

    return of


@pytest.fixture
def opened(draw):
    """An exchange that has begun, with weights as uneven as they come."""

    def of(seed, rank=3):
        curve, bid = draw(seed, rank)
        return begun(curve, bid, weight=10.0 ** np.random.default_rng([seed, 1]).uniform(-5, -2, bid.shape))

    return of


@pytest.mark.parametrize("relaxation", [1.0, 1.6])
@pytest.mark.parametrize("rank", [1, 3])
@pytest.mark.parametrize("seed", range(4))
def test_it_wants_the_best_sale_along_its_curve(opened, seed, rank, relaxation):
    exchange = opened(seed, rank)
    for step in (0.0, 30.0, -20.0):
        bid = exchange.bid_kw + step
        price, before, weight = exchange.lmp_usd_per_kwh, exchange.wanted_kw, exchange.penalty.value
        asked = relaxation * bid + (1 - relaxation) * before
        exchange = after_round(exchange, bid, relaxation)
        best = best_sale(exchange.curve, price, weight, asked)
        assert exchange.wanted_kw == pytest.approx(best, abs=1e-6)
        assert exchange.lmp_usd_per_kwh == pytest.approx(exchange.curve.at(best), abs=1e-9)
        assert exchange.mismatch_kw == pytest.approx(bid - best, abs=1e-6)
        assert exchange.moved_usd_per_kwh == pytest.approx(weight * np.abs(best - before), abs=1e-9)


@pytest.mark.parametrize("seed", range(4))
def test_prices_are_the_same_for_all_at_one_bus(opened, seed):
    exchange = opened(seed)
    for _ in range(3):
        exchange = after_round(exchange, exchange.bid_kw + np.arange(5.0)[:, None], 1.6)
        assert np.array_equal(exchange.lmp_usd_per_kwh[0], exchange.lmp_usd_per_kwh[2])
        assert np.array_equal(exchange.lmp_usd_per_kwh[1], exchange.lmp_usd_per_kwh[4])


@pytest.mark.parametrize("relaxation", [1.0, 1.6])
def test_bids_that_it_wants_at_prices_on_its_curve_stay(opened, relaxation):
    exchange = opened(1)
    lmp, bid = exchange.lmp_usd_per_kwh, exchange.bid_kw
    assert np.array_equal(exchange.wanted_kw, bid)
    assert lmp == pytest.approx(exchange.curve.at(bid))
    for _ in range(3):
        exchange = after_round(exchange, bid, relaxation)
    assert exchange.wanted_kw == pytest.approx(bid)
    assert exchange.lmp_usd_per_kwh == pytest.approx(lmp)
    assert exchange.mismatch_kw == pytest.approx(0.0, abs=1e-9)
    assert exchange.moved_usd_per_kwh == pytest.approx(0.0, abs=1e-9)


@pytest.mark.parametrize("relaxation", [1.0, 1.6])
def test_with_prosumers_that_hold_their_bids_it_finds_where_demand_meets_the_curve(draw, relaxation):
    """Demand price 0.6 - 2e-3 bid: the two together are ADMM, and end where both see the same price."""
    curve, bid = draw(2)
    exchange = begun(curve, bid)
    for _ in range(400):
        terms = exchange.quoted
        weight = terms.weight_usd_per_kw2h
        bid = (0.6 - terms.lmp_usd_per_kwh + weight * terms.held_kw) / (2e-3 + weight)
        exchange = after_round(exchange, bid, relaxation)
    demand = 0.6 - 2e-3 * exchange.bid_kw
    assert exchange.lmp_usd_per_kwh == pytest.approx(demand, abs=1e-8)
    assert curve.at(exchange.bid_kw) == pytest.approx(demand, abs=1e-8)
    assert exchange.mismatch_kw == pytest.approx(0.0, abs=1e-5)


def test_without_slopes_every_bid_is_wanted():
    lmp, bid = np.full((2, PERIODS), 0.2), np.full((2, PERIODS), 5.0)
    exchange = BidExchange.empty(PriceCurve.flat(lmp)).opened(PriceCurve.flat(lmp), bid, np.full(2, 5.0), RULES)
    exchange = after_round(exchange, bid + 7.0, 1.6)
    assert np.array_equal(exchange.wanted_kw, bid + 7.0)
    assert np.array_equal(exchange.lmp_usd_per_kwh, lmp)
    assert (exchange.mismatch_kw == 0).all()
    assert (exchange.quoted.weight_usd_per_kw2h == 0).all()


def test_prices_that_follow_their_own_bids_are_quoted_whole():
    """`own` slopes are told to the prosumer as they are, from the reference on; the DSO has nothing to answer."""
    lmp, bid = np.full((2, PERIODS), 0.2), np.full((2, PERIODS), 5.0)
    curve = PriceCurve.own(lmp, bid, np.full((2, PERIODS), 1e-3))
    exchange = BidExchange.empty(curve).opened(curve, bid, np.full(2, 5.0), RULES)
    exchange = after_round(exchange, bid + 7.0)
    quoted = exchange.quoted
    assert np.array_equal(quoted.lmp_usd_per_kwh, lmp)
    assert np.array_equal(quoted.held_kw, bid)
    assert (quoted.weight_usd_per_kw2h == 1e-3).all()
    assert exchange.lmp_usd_per_kwh == pytest.approx(lmp + 7e-3)
    assert (exchange.mismatch_kw == 0).all()


# --- periods without a curve: the DSO clears with elastic bids

ELASTIC = np.array([False, True, True])


@pytest.fixture
def dso(small_clearing):
    """Prosumers at buses c, b, c, a and b: as `PLACE` has it with the buses a, b, c as 2, 0, 1."""
    return SystemOperator(mesa.Model(rng=1), small_clearing(), ["c", "b", "c", "a", "b"])


@pytest.fixture
def mixed(draw, dso):
    """An exchange where the DSO answers the last two periods itself, and the bids it begins with."""
    curve, bid = draw(3)
    root = np.where(ELASTIC[:, None, None], 0.0, curve.slope_root)
    dso.clear(bid)
    lmp = np.where(ELASTIC, dso.announce(), curve.lmp_usd_per_kwh)
    curve = replace(curve, lmp_usd_per_kwh=lmp, reference_kw=bid, slope_root=root, elastic=ELASTIC)
    return begun(curve, bid, 200.0, 10.0 ** np.random.default_rng(7).uniform(-4, -2, bid.shape))


def test_where_it_answers_itself_it_wants_the_best_sale_by_its_own_cost(mixed, dso):
    """The minimum of V(w) - price w + weight (w - bid)²/2: so say the LMPs, and those of clearing w are the same."""
    bid = mixed.bid_kw + np.array([40.0, -30.0, 0.0, 5.0, 60.0])[:, None]
    price, weight = mixed.lmp_usd_per_kwh, mixed.penalty.value
    after = after_round(mixed, bid, sell=dso.sell)
    lmp, wanted = after.lmp_usd_per_kwh[:, ELASTIC], after.wanted_kw[:, ELASTIC]
    assert lmp == pytest.approx((price + weight * (bid - after.wanted_kw))[:, ELASTIC], abs=1e-9)
    assert np.abs(wanted - bid[:, ELASTIC]).max() > 1.0
    dso.clear(after.wanted_kw)
    assert dso.announce()[:, ELASTIC] == pytest.approx(lmp, abs=1e-6)
    assert np.array_equal(after.lmp_usd_per_kwh[0], after.lmp_usd_per_kwh[2])


def test_beside_them_other_periods_follow_the_curve(mixed, dso):
    price, weight, bid = mixed.lmp_usd_per_kwh, mixed.penalty.value, mixed.bid_kw + 10.0
    after = after_round(mixed, bid, sell=dso.sell)
    best = best_sale(mixed.curve, price, weight, bid)
    assert after.wanted_kw[:, 0] == pytest.approx(best[:, 0], abs=1e-6)
    assert after.lmp_usd_per_kwh[:, 0] == pytest.approx(mixed.curve.at(best)[:, 0], abs=1e-9)


def test_bids_that_it_has_cleared_stay_as_they_are(mixed, dso):
    lmp, bid = mixed.lmp_usd_per_kwh, mixed.bid_kw
    after = after_round(mixed, bid, 1.6, sell=dso.sell)
    assert after.lmp_usd_per_kwh == pytest.approx(lmp, abs=1e-6)
    assert after.wanted_kw == pytest.approx(bid, abs=0.05)


def test_it_is_asked_for_those_periods_alone_once_a_round(mixed):
    asked = []

    def sell(asks):
        asked.append(asks)
        return Sale(np.full(asks.bid_kw.shape, 0.25), np.zeros(asks.periods.size))

    after = after_round(mixed, mixed.bid_kw, sell=sell)
    [asks] = asked
    assert np.array_equal(asks.periods, [1, 2])
    assert np.array_equal(asks.price_usd_per_kwh, mixed.lmp_usd_per_kwh[:, ELASTIC])
    assert np.array_equal(asks.weight_usd_per_kw2h, mixed.penalty.value[:, ELASTIC])
    assert np.array_equal(asks.bid_kw, mixed.bid_kw[:, ELASTIC])
    assert (after.lmp_usd_per_kwh[:, ELASTIC] == 0.25).all()


def test_a_new_announcement_leaves_periods_that_stay_without_a_curve_as_they_were(mixed, dso):
    before = after_round(mixed, mixed.bid_kw + 20.0, sell=dso.sell)
    lmp, wanted, weight = before.lmp_usd_per_kwh, before.wanted_kw, before.penalty.value
    later = replace(mixed.curve, elastic=np.array([True, True, False]), slope_root=np.zeros((3, 3, 3)))
    bid = before.bid_kw + 1.0
    after = before.opened(later, bid, np.full(5, 200.0), RULES)
    assert np.array_equal(after.lmp_usd_per_kwh[:, 1], lmp[:, 1])
    assert np.array_equal(after.wanted_kw[:, 1], wanted[:, 1])
    assert np.array_equal(after.penalty.value[:, 1], weight[:, 1])
    others = [0, 2]
    assert np.array_equal(after.wanted_kw[:, others], bid[:, others])
    assert after.lmp_usd_per_kwh[:, others] == pytest.approx(later.at(bid)[:, others])
    nothing = np.zeros((0, PERIODS))
    heard = after.received(Offers(tuple(range(5)), nothing, nothing, bid + 1.0), np.ones(5, dtype=bool))
    assert np.array_equal(heard.bid_kw, bid + 1.0)
    assert np.array_equal(heard.wanted_kw[:, others], bid[:, others])
    assert np.array_equal(after.bid_kw, bid)
