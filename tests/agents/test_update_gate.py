"""Whose turn it is when messages come late or not at all: what was asked is answered before it is asked again."""

import mesa
import numpy as np
import pytest
from best_sale import best_sale

from gridbazaar.agents import Link, Offers, SharingPlatform, SharingRules, SystemOperator, TradeGraph
from gridbazaar.agents.bid_exchange import BidExchange
from gridbazaar.agents.platform import EVERY, RELAXATION
from gridbazaar.agents.price_curve import PriceCurve
from gridbazaar.agents.update_gate import NEVER, UpdateGate

A, B, C, ALONE = range(4)
EVERYBODY = (A, B, C, ALONE)
AB, CA = 0, 1
LMP = np.array([[0.2, 0.3], [0.4, 0.1], [0.1, 0.1], [0.2, 0.2]])


@pytest.fixture
def open_platform():
    """a trades with b and c; the fourth with nobody."""

    def build(*, adapt=False):
        graph = TradeGraph(["a", "b", "c", "alone"], [Link("a", "b", 50.0), Link("c", "a", 30.0)])
        platform = SharingPlatform(mesa.Model(rng=1), graph, 2, SharingRules(1e-3, adapt, True, 0.1, 1e-4))
        platform.open(PriceCurve.flat(LMP), np.zeros((4, 2)))
        return platform

    return build


def deaf(*_):
    """What the DSO does where it must not be asked."""
    raise AssertionError("there is a curve to follow")


def offers(platform, members, power_kw=0.0, bid_kw=0.0, markup=0.0):
    """These members offer a power on every link; what the others are said to offer must not be looked at."""
    power = np.full_like(platform.power_kw, np.nan)
    price, bid = power.copy(), np.full((4, 2), np.nan)
    for member in members:
        arcs = platform.graph.arcs(member)
        power[arcs] = power_kw
        price[arcs] = platform.quotes((member,)).price_usd_per_kwh[arcs] + markup
        bid[member] = bid_kw
    return Offers(tuple(members), power, price, bid)


def hear(platform, quoted_in, **power_kw):
    """Named members answer with these powers what they were quoted in a round."""
    for name, power in power_kw.items():
        platform.receive(offers(platform, [platform.graph.names.index(name)], power), quoted_in)


def state(platform, pair):
    """All that a pair's next quotes and residuals are made of."""
    ends = [platform.graph.forward[pair], platform.graph.backward[pair]]
    by_pair = (
        platform.price_usd_per_kwh[pair],
        platform.trade_kw[pair],
        platform.mismatch_kw[pair],
        platform.moved_usd_per_kwh[pair],
    )
    return np.vstack([*by_pair, platform.quoted_kw[ends]])


# --- turns


def test_a_turn_comes_when_what_was_quoted_since_the_last_one_is_answered():
    turns = UpdateGate(3)
    nobody = np.array([NEVER] * 3)
    assert not turns.take(nobody, 0).any()
    assert turns.take(np.array([0, NEVER, 1]), 1).tolist() == [True, False, True]
    # since round 2 the first and the third are quoted something new, and the second still the same
    assert turns.take(np.array([1, 0, 1]), 2).tolist() == [False, True, False]
    assert turns.take(np.array([2, 2, 1]), 3).tolist() == [True, False, False]
    assert turns.take(np.array([3, 3, 4]), 4).tolist() == [False, True, True]


def test_one_old_answer_is_one_turn_however_long_it_stands():
    turns = UpdateGate(1)
    taken = [turns.take(np.array([0]), now)[0] for now in range(10)]
    assert taken == [True] + [False] * 9


def test_everybody_has_had_a_turn_once_the_last_one_has():
    turns = UpdateGate(2)
    assert not turns.all_have_had_one
    turns.take(np.array([0, NEVER]), 0)
    turns.take(np.array([1, NEVER]), 1)
    assert not turns.all_have_had_one
    turns.take(np.array([1, 1]), 2)
    assert turns.all_have_had_one
    turns.take(np.array([1, 1]), 3)
    assert turns.all_have_had_one


def test_what_changed_is_told_once():
    turns = UpdateGate(2)
    assert not turns.since_last_look().any()
    turns.take(np.array([0, NEVER]), 0)
    turns.take(np.array([NEVER, NEVER]), 1)
    assert turns.since_last_look().tolist() == [True, False]
    assert not turns.since_last_look().any()


# --- pairs


def test_a_pair_whose_one_end_is_silent_does_not_move(open_platform):
    """The same offer of a stands for five rounds and counts for nothing yet: not once, let alone five times."""
    platform = open_platform()
    hear(platform, 0, a=5.0, b=-5.0, c=-5.0, alone=0.0)
    platform.update_prices(deaf)
    before = state(platform, AB)
    hear(platform, 1, a=12.0)
    for _ in range(5):
        platform.update_prices(deaf)
        assert np.array_equal(state(platform, AB), before)


def test_it_moves_once_the_second_end_has_answered_and_as_if_both_had_at_once(open_platform):
    late, prompt = open_platform(), open_platform()
    for platform in (late, prompt):
        hear(platform, 0, a=5.0, b=-4.0, c=-5.0, alone=0.0)
        platform.update_prices(deaf)
    hear(prompt, 1, a=12.0, b=-7.0)
    prompt.update_prices(deaf)
    hear(late, 1, a=12.0)
    for _ in range(3):
        late.update_prices(deaf)
    before = state(late, AB)
    hear(late, 2, b=-7.0)  # three rounds late: it was quoted the same in round 2 as in round 1
    late.update_prices(deaf)
    assert not np.array_equal(state(late, AB), before)
    assert state(late, AB) == pytest.approx(state(prompt, AB), abs=1e-12)
    moved = state(late, AB)
    for _ in range(3):  # and neither offer counts again
        late.update_prices(deaf)
        assert np.array_equal(state(late, AB), moved)


def test_by_how_much_it_moves_is_what_the_two_ends_disagree_about(open_platform):
    """(21) with the offers of two different rounds: rho times their sum as quoted, from the mean of both prices."""
    platform = open_platform()
    price = platform.price_usd_per_kwh[AB].copy()
    platform.receive(offers(platform, [A], 7.0, markup=0.04), 0)
    platform.update_prices(deaf)
    platform.update_prices(deaf)
    hear(platform, 1, b=-5.0)
    platform.update_prices(deaf)
    assert platform.price_usd_per_kwh[AB] - price == pytest.approx(np.full(2, 0.02 + 1e-3 * RELAXATION * 2))
    assert platform.trade_kw[AB] == pytest.approx(np.full(2, 6.0))


def test_an_answer_to_a_quote_of_before_the_last_change_does_not_move_a_pair(open_platform):
    platform = open_platform()
    for _ in range(3):
        platform.update_prices(deaf)
    hear(platform, 3, a=5.0, b=-4.0)
    platform.update_prices(deaf)
    moved = state(platform, AB)
    hear(platform, 3, a=9.0)
    hear(platform, 4, b=-6.0)
    platform.update_prices(deaf)
    assert np.array_equal(state(platform, AB), moved)
    hear(platform, 4, a=9.0)
    platform.update_prices(deaf)
    assert platform.trade_kw[AB] == pytest.approx(np.full(2, 7.5))
    assert platform.mismatch_kw[AB] == pytest.approx(np.full(2, 3.0))


def test_an_answer_to_an_older_quote_than_one_already_answered_is_ignored(open_platform):
    platform = open_platform()
    for _ in range(3):
        platform.update_prices(deaf)
    platform.receive(offers(platform, [A], 8.0, bid_kw=30.0), 2)
    platform.receive(offers(platform, [A, B], 1.0, bid_kw=99.0), 1)
    graph = platform.graph
    assert (platform.power_kw[graph.arcs(A)] == 8.0).all()
    assert (platform.bids.bid_kw[A] == 30.0).all()
    assert (platform.power_kw[graph.arcs(B)] == 1.0).all()  # of b it is the newest
    assert (platform.power_kw[graph.arcs(C)] == 0.0).all()
    platform.receive(offers(platform, [A], 9.0, bid_kw=31.0), 2)  # asked twice for the same, the last word counts
    assert (platform.power_kw[graph.arcs(A)] == 9.0).all()


def test_one_silent_prosumer_holds_up_its_own_pairs_only(open_platform):
    platform = open_platform()
    for now in range(4):
        hear(platform, now, a=5.0, c=-5.0, alone=0.0)
        before = platform.price_usd_per_kwh.copy(), platform.quoted_kw.copy()
        platform.update_prices(deaf)
        assert np.array_equal(platform.price_usd_per_kwh[AB], before[0][AB])
        assert np.array_equal(platform.quoted_kw[platform.graph.arcs(B)], before[1][platform.graph.arcs(B)])
    assert platform.trade_kw[CA] == pytest.approx(np.full(2, -5.0))
    assert platform.trade_kw[AB] == pytest.approx(np.zeros(2))


@pytest.mark.parametrize("silent", ["b", "c", "alone"])
def test_nothing_has_converged_before_everybody_has_answered_since_the_announcement(open_platform, silent):
    platform = open_platform()
    others = {name: 0.0 for name in platform.graph.names if name != silent}
    for _ in range(2):
        for _ in range(3):
            hear(platform, platform.rounds, **others)
            platform.update_prices(deaf)
            assert not platform.converged
        hear(platform, platform.rounds, **others | {silent: 0.0})
        platform.update_prices(deaf)
        assert platform.converged
        platform.open(PriceCurve.flat(LMP), np.zeros((4, 2)))
        assert not platform.converged


def test_a_new_announcement_leaves_no_old_answer_standing(open_platform):
    platform = open_platform()
    hear(platform, 0, a=5.0, b=-5.0, c=-5.0, alone=0.0)
    platform.update_prices(deaf)
    hear(platform, 1, a=9.0)
    platform.open(PriceCurve.flat(LMP), np.zeros((4, 2)))
    before = state(platform, AB)
    hear(platform, 0, b=-7.0)
    platform.update_prices(deaf)
    assert np.array_equal(state(platform, AB), before)


def test_a_penalty_adapts_when_its_pair_has_moved_and_not_while_it_waits(open_platform):
    """Both pairs disagree by 10 kW and rest, so that penalties double each time that they may."""
    platform = open_platform(adapt=True)
    hear(platform, 0, a=5.0, b=5.0, c=5.0)
    for _ in range(EVERY):
        platform.update_prices(deaf)
    both = platform.penalty_usd_per_kw2h.copy()
    assert np.array_equal(both[AB], both[CA])
    for _ in range(3 * EVERY):
        hear(platform, platform.rounds, a=5.0, c=5.0)
        platform.update_prices(deaf)
    assert np.array_equal(platform.penalty_usd_per_kw2h[AB], both[AB])
    assert (platform.penalty_usd_per_kw2h[CA] > 2 * both[CA]).all()


# --- bids

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
        1e-3 * root @ root.transpose(0, 2, 1),
        np.zeros(PERIODS, dtype=bool),
        PLACE,
    )
    opened = BidExchange(PriceCurve.flat(np.zeros((5, PERIODS))))
    opened.open(curve, rng.uniform(0, 200, (5, PERIODS)), np.full(5, 100.0))
    opened.penalty.value = 10.0 ** rng.uniform(-4, -2, (5, PERIODS))
    return opened


def who(*members):
    answered = np.zeros(5, dtype=bool)
    answered[list(members)] = True
    return answered


def test_the_lmp_of_who_has_not_answered_stays_and_what_is_wanted_of_it_follows(exchange):
    told, wanted = exchange.quoted.lmp_usd_per_kwh, exchange.quoted.held_kw
    exchange.bid_kw = exchange.bid_kw + np.array([40.0, 0.0, 0.0, -25.0, 10.0])[:, None]
    exchange.answer(deaf, 1.0, who(0, 3, 4))
    now = exchange.quoted
    assert np.array_equal(now.lmp_usd_per_kwh[[1, 2]], told[[1, 2]])
    assert (np.abs(now.lmp_usd_per_kwh - told)[[0, 3, 4]] > 1e-6).all()
    assert (np.abs(now.held_kw - wanted)[[1, 2]] > 1e-3).all()  # their neighbours asked for more
    assert now.lmp_usd_per_kwh[[0, 4]] == pytest.approx(exchange.curve.at(exchange.wanted_kw)[[0, 4]], abs=1e-9)


@pytest.mark.parametrize("relaxation", [1.0, 1.5])
def test_with_lmps_that_differ_at_a_bus_it_still_wants_the_best_sale(exchange, relaxation):
    """Of what it has heard: a bid that answers no news counts as it was, at the LMP that it was made for."""
    rng = np.random.default_rng(4)
    asked = exchange.bid_kw.copy()
    apart = False
    for _ in range(8):
        fresh = rng.random(5) < 0.5
        exchange.bid_kw = exchange.bid_kw + rng.uniform(-20, 20, exchange.bid_kw.shape)
        price, before, weight = exchange.lmp_usd_per_kwh, exchange.wanted_kw, exchange.penalty.value
        asked[fresh] = (relaxation * exchange.bid_kw + (1 - relaxation) * before)[fresh]
        exchange.answer(deaf, relaxation, fresh)
        best = best_sale(exchange.curve, price, weight, asked)
        assert exchange.wanted_kw == pytest.approx(best, abs=1e-6)
        assert exchange.mismatch_kw == pytest.approx(exchange.bid_kw - best, abs=1e-6)
        assert exchange.moved_usd_per_kwh == pytest.approx(weight * np.abs(best - before), abs=1e-9)
        apart |= not np.array_equal(exchange.lmp_usd_per_kwh[0], exchange.lmp_usd_per_kwh[2])
    assert apart


def test_an_old_bid_that_stands_for_long_moves_its_lmp_once(exchange):
    exchange.bid_kw = exchange.bid_kw + 30.0
    exchange.answer(deaf, 1.0, who(*range(5)))
    told, wanted = exchange.lmp_usd_per_kwh, exchange.wanted_kw
    for _ in range(5):
        exchange.answer(deaf, 1.0, who())
        assert np.array_equal(exchange.lmp_usd_per_kwh, told)
    exchange.answer(deaf, 1.0, who(*range(5)))
    assert not np.allclose(exchange.wanted_kw, wanted, atol=1e-3)


@pytest.mark.parametrize("relaxation", [1.0, 1.5])
def test_with_half_of_all_bids_lost_demand_and_curve_still_meet(exchange, relaxation):
    """Demand price 0.6 - 2e-3 bid; who hears nothing bids as before."""
    rng = np.random.default_rng(5)
    exchange.penalty.value = np.full_like(exchange.bid_kw, 2e-3)
    for _ in range(1500):
        terms, answers = exchange.quoted, rng.random(5) < 0.5
        weight = terms.weight_usd_per_kw2h
        bid = (0.6 - terms.lmp_usd_per_kwh + weight * terms.held_kw) / (2e-3 + weight)
        exchange.bid_kw = np.where(answers[:, None], bid, exchange.bid_kw)
        exchange.answer(deaf, relaxation, answers)
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
    lmp = operator.sell(periods, price, weight, bid)
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
