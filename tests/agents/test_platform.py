"""The platform moves each pair's price by what the pair disagrees about (21), and its penalty only within its rules."""

import mesa
import numpy as np
import pytest
from slope_matrices import root_of

from gridbazaar.agents import Link, Offers, SharingPlatform, SharingRules, TradeGraph
from gridbazaar.agents.platform import EVERY, FOLLOWING, RELAXATION, TIGHTER, TIGHTEST, WORTH
from gridbazaar.agents.price_curve import PriceCurve

LINKS = [Link("a", "b", 50.0), Link("c", "a", 30.0)]
RULES = {
    "penalty_usd_per_kw2h": 1e-3,
    "adapt_penalty": False,
    "proximal": True,
    "primal_tolerance_kw": 0.1,
    "dual_tolerance_usd_per_kwh": 1e-4,
}
LMP = np.array([[0.2, 0.3], [0.4, 0.1], [0.1, 0.1]])
BID = np.array([[10.0, 20.0], [0.0, 5.0], [30.0, 1.0]])


@pytest.fixture
def open_platform():
    def build(**rules):
        graph = TradeGraph(["a", "b", "c"], LINKS)
        platform = SharingPlatform(mesa.Model(rng=1), graph, 2, SharingRules(**RULES | rules))
        platform.open(PriceCurve.flat(LMP), np.zeros((3, 2)))
        return platform

    return build


@pytest.fixture
def platform(open_platform):
    return open_platform()


@pytest.fixture
def plain(open_platform):
    """Without the proximal term: Algorithm 1 to the letter."""
    return open_platform(proximal=False)


@pytest.fixture
def sloped():
    """LMPs that follow the bids of two buses, a and c at the first of them; only in the first period."""
    slope = np.zeros((2, 2, 2))
    slope[0] = [[3e-3, 1e-3], [1e-3, 2e-3]]
    lmp = np.array([[0.2, 0.3], [0.4, 0.1], [0.2, 0.1]])
    return PriceCurve(lmp, BID, np.zeros((3, 2)), root_of(slope), np.zeros(2, dtype=bool), np.array([0, 1, 0]))


def end_round(platform):
    """Prices move; the DSO follows its curve and is asked nothing."""
    assert platform.asks() is None
    platform.update_prices()


def by_arc(graph, forward, backward):
    arcs = np.zeros((4, 2))
    arcs[graph.forward], arcs[graph.backward] = forward, backward
    return arcs


def offer(platform, ab, ba, markup=0.0, bid=0.0):
    """Everybody offers these powers on every link and bids, at quoted prices plus a mark-up at the links' ends a."""
    quoted = platform.quotes((0, 1, 2)).price_usd_per_kwh
    price = quoted + by_arc(platform.graph, markup, 0.0)
    platform.receive(Offers((0, 1, 2), by_arc(platform.graph, ab, ba), price, bid + np.zeros((3, 2))))
    end_round(platform)


def test_prices_start_at_the_mean_lmp_of_the_two_ends(platform):
    assert platform.price_usd_per_kwh == pytest.approx(np.array([[0.3, 0.2], [0.15, 0.2]]))


def test_prices_follow_the_change_of_the_mean_lmp(platform):
    offer(platform, 7.0, -5.0)
    before = platform.price_usd_per_kwh
    platform.open(PriceCurve.flat(LMP + np.array([[0.1], [0.0], [0.3]])), BID)
    assert platform.price_usd_per_kwh - before == pytest.approx(np.array([[0.05] * 2, [0.2] * 2]))
    assert platform.rounds == 0


def test_price_update(plain):
    """(21): a buys 7 from b, who sells 5: demand exceeds supply by 2 kW, the price rises by rho times 2."""
    before = plain.price_usd_per_kwh
    offer(plain, 7.0, -5.0)
    assert plain.price_usd_per_kwh - before == pytest.approx(np.full((2, 2), 1e-3 * 2))
    assert plain.pairs.trade_kw == pytest.approx(np.full((2, 2), 6.0))
    assert plain.pairs.mismatch_kw == pytest.approx(np.full((2, 2), 2.0))
    assert np.array_equal(plain.power_kw, by_arc(plain.graph, 7.0, -5.0))
    assert np.array_equal(plain.pairs.quoted_kw, plain.power_kw)


def test_the_proximal_order_goes_beyond_what_is_published(platform):
    """Over-relaxation: quotes and price as if each end had gone that many times as far from the last trade."""
    offer(platform, 7.0, -5.0)
    assert platform.pairs.quoted_kw == pytest.approx(by_arc(platform.graph, RELAXATION * 7.0, RELAXATION * -5.0))
    before = platform.price_usd_per_kwh
    offer(platform, 10.0, -8.0)
    trade = 6.0 * RELAXATION
    one, other = trade + RELAXATION * (10.0 - trade), -trade + RELAXATION * (-8.0 + trade)
    assert platform.pairs.quoted_kw == pytest.approx(by_arc(platform.graph, one, other))
    assert platform.price_usd_per_kwh - before == pytest.approx(np.full((2, 2), 1e-3 * (one + other)))
    assert platform.dual_usd_per_kwh == pytest.approx(1e-3 * (trade - (one - other) / 2))


def test_what_was_published_is_written_down_as_it_was(platform):
    """Trades and what partners disagree by are those of the published powers, within their caps, not of the quoted."""
    offer(platform, 7.0, -5.0)
    offer(platform, 10.0, -8.0)
    assert np.array_equal(platform.power_kw, by_arc(platform.graph, 10.0, -8.0))
    assert platform.pairs.trade_kw == pytest.approx(np.full((2, 2), 9.0))
    assert platform.pairs.mismatch_kw == pytest.approx(np.full((2, 2), 2.0))


def test_a_trade_that_both_ends_keep_stays(platform):
    """Over-relaxation has the same fixed point."""
    price = platform.price_usd_per_kwh
    for _ in range(20):
        offer(platform, 5.0, -5.0)
    assert platform.pairs.quoted_kw == pytest.approx(by_arc(platform.graph, 5.0, -5.0), abs=1e-3)
    assert platform.price_usd_per_kwh == pytest.approx(price)
    assert platform.converged


def test_price_update_starts_from_the_mean_of_what_both_ask(platform):
    before = platform.price_usd_per_kwh
    offer(platform, 7.0, -7.0, markup=0.04)
    assert platform.price_usd_per_kwh - before == pytest.approx(np.full((2, 2), 0.02))


def test_residuals_and_convergence(plain):
    offer(plain, 7.0, -5.0)
    assert plain.primal_kw == pytest.approx(2.0)
    assert plain.dual_usd_per_kwh == pytest.approx(1e-3 * 6)
    offer(plain, 6.04, -5.95)
    assert plain.primal_kw == pytest.approx(0.09)
    assert plain.dual_usd_per_kwh == pytest.approx(1e-3 * 0.005)
    assert plain.converged
    offer(plain, 6.5, -6.5)
    assert plain.primal_kw == 0
    assert not plain.converged  # agreed, but still moving


def test_tightened_it_asks_for_closer_agreement(plain):
    offer(plain, 6.0, -6.0)
    offer(plain, 6.04, -5.95)
    assert plain.converged
    plain.tighten()
    assert not plain.converged
    offer(plain, 6.01, -5.99)
    assert 0.1 / TIGHTER > plain.primal_kw > 0
    assert plain.converged
    for _ in range(9):
        assert not plain.tightest
        plain.tighten()
    assert plain.tightest
    plain.tighten()
    assert plain.state.tightness == TIGHTEST


# --- bids: the DSO answers them along the curve that it announced, and sharing prices go with the LMPs at first


def test_lmps_follow_bids_and_sharing_prices_follow_lmps(plain, sloped):
    plain.open(sloped, BID)
    before, lmp = plain.price_usd_per_kwh, plain.lmp_usd_per_kwh
    offer(plain, 7.0, -5.0, bid=BID + 10.0)
    change = plain.lmp_usd_per_kwh - lmp
    assert (change[:, 0] > 1e-3).all()
    assert change[:, 1] == pytest.approx(0.0)
    ab, ca = (change[0] + change[1]) / 2, (change[2] + change[0]) / 2
    assert plain.price_usd_per_kwh - before == pytest.approx(np.array([ab, ca]) + 1e-3 * 2)


def test_after_the_first_rounds_sharing_prices_are_left_to_the_pairs(plain, sloped):
    plain.open(sloped, BID)
    for _ in range(FOLLOWING):
        offer(plain, 0.0, 0.0, bid=BID)
    before, lmp = plain.price_usd_per_kwh, plain.lmp_usd_per_kwh
    offer(plain, 0.0, 0.0, bid=BID + 10.0)
    assert (plain.lmp_usd_per_kwh > lmp)[:, 0].all()
    assert np.array_equal(plain.price_usd_per_kwh, before)


def test_residuals_are_those_of_the_bids_too(plain, sloped):
    plain.open(sloped, BID)
    offer(plain, 0.0, 0.0, bid=BID + 10.0)
    assert plain.primal_kw == pytest.approx(np.abs(plain.bids.mismatch_kw).max())
    assert plain.dual_usd_per_kwh == pytest.approx(plain.bids.moved_usd_per_kwh.max())
    assert min(plain.primal_kw, plain.dual_usd_per_kwh) > 0
    assert not plain.converged


def test_quotes_say_at_which_terms_bids_may_change(plain, sloped):
    plain.open(sloped, BID)
    offer(plain, 0.0, 0.0, bid=BID + 10.0)
    quotes = plain.quotes((0, 1, 2))
    assert np.array_equal(quotes.lmp_usd_per_kwh, plain.lmp_usd_per_kwh)
    assert np.array_equal(quotes.held_bid_kw[:, 0], plain.bids.wanted_kw[:, 0])
    assert (quotes.bid_weight_usd_per_kw2h[:, 0] > 0).all()
    assert (quotes.bid_weight_usd_per_kw2h[:, 1] == 0).all()


def test_at_fixed_lmps_bids_change_nothing(platform):
    offer(platform, 0.0, 0.0, bid=BID)
    assert np.array_equal(platform.lmp_usd_per_kwh, LMP)
    assert (platform.quotes((0,)).bid_weight_usd_per_kw2h == 0).all()
    assert platform.primal_kw == 0


@pytest.mark.parametrize(
    ("proximal", "published"), [(True, [RELAXATION * -5.0, RELAXATION * 7.0]), (False, [-5.0, 7.0])]
)
def test_quotes_say_what_the_partner_published(open_platform, proximal, published):
    platform = open_platform(proximal=proximal)
    offer(platform, 7.0, -5.0)
    quote = platform.quotes((0,)).of(0, platform.graph)
    own = platform.pairs.quoted_kw[platform.graph.arcs(0)]
    assert np.array_equal(quote.own_kw, own)
    assert np.sort(quote.partner_kw[:, 0]) == pytest.approx(published)
    assert (quote.penalty_usd_per_kw2h == 1e-3).all()
    assert (quote.proximal_usd_per_kw2h == (1e-3 if proximal else 0)).all()


def test_only_who_was_asked_is_written_down(platform):
    offer(platform, 7.0, -5.0, bid=BID)
    platform.receive(Offers((1,), np.zeros((4, 2)), np.zeros((4, 2)), np.full((3, 2), 7.0)))
    arcs = platform.graph.arcs(1)
    assert (platform.power_kw[arcs] == 0).all()
    assert (np.delete(platform.power_kw, arcs, axis=0) != 0).all()
    assert np.array_equal(platform.bids.bid_kw, [BID[0], [7.0, 7.0], BID[2]])


def test_quotes_do_not_change_behind_the_reader(platform):
    quotes = platform.quotes((0, 1, 2))
    offer(platform, 7.0, -5.0)
    assert (quotes.own_kw == 0).all()
    with pytest.raises(ValueError, match="read-only"):
        quotes.price_usd_per_kwh[0] = 1.0


def test_deliveries_are_reciprocal_to_the_bit(platform):
    offer(platform, 7.1, -5.3)
    trade = platform.deliveries().trade_kw
    assert np.array_equal(trade, -trade[platform.graph.reverse])


def test_central_trades_are_written_down_like_agreed_ones(platform):
    trade, price = np.array([[3.0, -4.0], [5.0, 6.0]]), np.full((2, 2), 0.2)
    platform.take_plan(trade, price, BID)
    end_round(platform)
    deliveries = platform.deliveries()
    assert np.array_equal(deliveries.trade_kw[platform.graph.forward], trade)
    assert (deliveries.price_usd_per_kwh == 0.2).all()
    assert np.array_equal(platform.power_kw, deliveries.trade_kw)
    assert np.array_equal(platform.pairs.quoted_kw, deliveries.trade_kw)
    assert np.array_equal(platform.bids.bid_kw, BID)
    assert platform.converged
    assert platform.rounds == 1


def test_a_central_round_is_answered_by_the_dso_too(plain, sloped):
    plain.open(sloped, BID)
    before, lmp = plain.price_usd_per_kwh, plain.lmp_usd_per_kwh
    plain.take_plan(np.zeros((2, 2)), before, BID + 10.0)
    end_round(plain)
    change = plain.lmp_usd_per_kwh - lmp
    assert (change[:, 0] > 1e-3).all()
    assert plain.price_usd_per_kwh - before == pytest.approx(np.array([change[:2].sum(0), change[::2].sum(0)]) / 2)
    assert not plain.converged


# --- residual balancing: powers counted in what the smaller partner bids and trades, prices in what a kWh is worth

HALF = 0.5 * WORTH * LMP.mean() / 1e-3  # kW by which a trade moves for a dual residual of a half
BALANCING = {
    "they disagree and rest": (0.0, 2.0, 0.0, 2.0),
    "they agree and move": (4.0, 0.0, 0.0, 1 / 2),
    "both alike": (HALF, HALF / 2, 0.0, 1.0),
    "they agree and rest": (0.0, 0.0, 0.0, 1.0),
    "as before, but little to what they bid": (HALF, HALF / 2, 1000.0, 1 / 2),
}


@pytest.mark.parametrize("name", BALANCING)
def test_penalty_follows_the_larger_residual(open_platform, name):
    moved, mismatch, bid, factor = BALANCING[name]
    platform = open_platform(adapt_penalty=True, proximal=False)
    for _ in range(2 * EVERY - 1):
        offer(platform, 0.0, 0.0, bid=bid)
        assert (platform.pairs.penalty.value == 1e-3).all()
    offer(platform, moved + mismatch / 2, -moved + mismatch / 2, bid=bid)
    assert platform.pairs.penalty.value == pytest.approx(np.full((2, 2), 1e-3 * factor))


def test_each_pair_and_period_has_its_own_penalty(open_platform):
    platform = open_platform(adapt_penalty=True)
    powers = np.array([[5.0, 0.0], [0.0, 0.0]])
    for _ in range(EVERY):
        offer(platform, powers, powers)
    assert platform.pairs.penalty.value == pytest.approx(1e-3 * np.array([[2.0, 1.0], [1.0, 1.0]]))


def test_penalties_outlive_an_announcement(open_platform):
    platform = open_platform(adapt_penalty=True)
    for _ in range(EVERY):
        offer(platform, 5.0, 5.0)
    platform.open(PriceCurve.flat(LMP), BID)
    assert platform.pairs.penalty.value == pytest.approx(np.full((2, 2), 2e-3))
    assert platform.rounds == 0


def test_weights_of_bids_adapt_like_penalties(open_platform, sloped):
    """A bid's residuals in the size of who bids: here it misses little of that, while the DSO's answer moves a lot."""
    platform = open_platform(adapt_penalty=True, proximal=False)
    platform.open(sloped, BID)
    first = platform.quotes((0,)).bid_weight_usd_per_kw2h
    for _ in range(EVERY):
        offer(platform, 400.0, -400.0, bid=BID + 10.0)
    assert platform.quotes((0,)).bid_weight_usd_per_kw2h == pytest.approx(first / 2)


def test_fixed_penalties_stay(platform):
    for _ in range(4 * EVERY):
        offer(platform, 5.0, 5.0)
    assert (platform.pairs.penalty.value == 1e-3).all()
