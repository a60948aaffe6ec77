"""The platform moves each pair's price by what the pair disagrees about (21), and its penalty only within its rules."""

import mesa
import numpy as np
import pytest

from gridbazaar.agents import Link, Offers, SharingPlatform, SharingRules, TradeGraph
from gridbazaar.agents.platform import ADAPTING_ROUNDS, EVERY, FACTOR, RATIO

LINKS = [Link("a", "b", 50.0), Link("c", "a", 30.0)]
RULES = {
    "penalty_usd_per_kw2h": 1e-3,
    "adapt_penalty": False,
    "proximal": True,
    "primal_tolerance_kw": 0.1,
    "dual_tolerance_usd_per_kwh": 1e-4,
}
LMP = np.array([[0.2, 0.3], [0.4, 0.1], [0.1, 0.1]])


@pytest.fixture
def open_platform():
    def build(**rules):
        graph = TradeGraph(["a", "b", "c"], LINKS)
        platform = SharingPlatform(mesa.Model(rng=1), graph, 2, SharingRules(**RULES | rules))
        platform.open(LMP)
        return platform

    return build


@pytest.fixture
def platform(open_platform):
    return open_platform()


def by_arc(graph, forward, backward):
    arcs = np.zeros((4, 2))
    arcs[graph.forward], arcs[graph.backward] = forward, backward
    return arcs


def offer(platform, ab, ba, markup=0.0):
    """Everybody offers these powers on every link, at the quoted prices plus a mark-up at the links' ends a."""
    quoted = platform.quotes((0, 1, 2)).price_usd_per_kwh
    price = quoted + by_arc(platform.graph, markup, 0.0)
    platform.receive(Offers((0, 1, 2), by_arc(platform.graph, ab, ba), price))
    platform.update_prices()


def test_prices_start_at_the_mean_lmp_of_the_two_ends(platform):
    assert platform.price_usd_per_kwh == pytest.approx(np.array([[0.3, 0.2], [0.15, 0.2]]))


def test_prices_follow_the_change_of_the_mean_lmp(platform):
    offer(platform, 7.0, -5.0)
    before = platform.price_usd_per_kwh
    platform.open(LMP + np.array([[0.1], [0.0], [0.3]]))
    assert platform.price_usd_per_kwh - before == pytest.approx(np.array([[0.05] * 2, [0.2] * 2]))
    assert platform.rounds == 0


def test_price_update(platform):
    """(21): a buys 7 from b, who sells 5: demand exceeds supply by 2 kW, the price rises by rho times 2."""
    before = platform.price_usd_per_kwh
    offer(platform, 7.0, -5.0)
    assert platform.price_usd_per_kwh - before == pytest.approx(np.full((2, 2), 1e-3 * 2))
    assert platform.trade_kw == pytest.approx(np.full((2, 2), 6.0))
    assert platform.mismatch_kw == pytest.approx(np.full((2, 2), 2.0))


def test_price_update_starts_from_the_mean_of_what_both_ask(platform):
    before = platform.price_usd_per_kwh
    offer(platform, 7.0, -7.0, markup=0.04)
    assert platform.price_usd_per_kwh - before == pytest.approx(np.full((2, 2), 0.02))


def test_residuals_and_convergence(platform):
    offer(platform, 7.0, -5.0)
    assert platform.primal_kw == pytest.approx(2.0)
    assert platform.dual_usd_per_kwh == pytest.approx(1e-3 * 6)
    offer(platform, 6.04, -5.95)
    assert platform.primal_kw == pytest.approx(0.09)
    assert platform.dual_usd_per_kwh == pytest.approx(1e-3 * 0.005)
    assert platform.converged
    offer(platform, 6.5, -6.5)
    assert platform.primal_kw == 0
    assert not platform.converged  # agreed, but still moving


@pytest.mark.parametrize("proximal", [True, False])
def test_quotes_say_what_the_partner_published(open_platform, proximal):
    platform = open_platform(proximal=proximal)
    offer(platform, 7.0, -5.0)
    quote = platform.quotes((0,)).of(0, platform.graph)
    own = platform.power_kw[platform.graph.arcs(0)]
    assert np.array_equal(quote.own_kw, own)
    assert np.array_equal(np.sort(quote.partner_kw[:, 0]), [-5.0, 7.0])
    assert (quote.penalty_usd_per_kw2h == 1e-3).all()
    assert (quote.proximal_usd_per_kw2h == (1e-3 if proximal else 0)).all()


def test_only_who_was_asked_is_written_down(platform):
    offer(platform, 7.0, -5.0)
    platform.receive(Offers((1,), np.zeros((4, 2)), np.zeros((4, 2))))
    arcs = platform.graph.arcs(1)
    assert (platform.power_kw[arcs] == 0).all()
    assert (np.delete(platform.power_kw, arcs, axis=0) != 0).all()


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
    platform.settle_centrally(trade, price)
    deliveries = platform.deliveries()
    assert np.array_equal(deliveries.trade_kw[platform.graph.forward], trade)
    assert (deliveries.price_usd_per_kwh == 0.2).all()
    assert np.array_equal(platform.power_kw, deliveries.trade_kw)
    assert platform.converged


# --- residual balancing: what the penalty does in one adapting round, by what the two residuals are in tolerances

BALANCING = {
    "they disagree and rest": (10.0, 0.0, FACTOR),
    "they agree and move": (0.0, 10.0, 1 / FACTOR),
    "both alike": (10.0, 10.0 / RATIO * 1.01, 1.0),
    "both within a third of tolerance": (0.3, 0.0, 1.0),
}


@pytest.mark.parametrize("name", BALANCING)
def test_penalty_follows_the_larger_residual(open_platform, name):
    primal, dual, factor = BALANCING[name]
    platform = open_platform(adapt_penalty=True)
    for turn in range(EVERY):
        offer(platform, 0.0, 0.0)
        assert (platform.penalty_usd_per_kw2h == 1e-3).all(), turn
    moved, mismatch = dual * 1e-4 / 1e-3, primal * 0.1
    for _ in range(EVERY - 1):
        offer(platform, 0.0, 0.0)
    offer(platform, moved + mismatch / 2, -moved + mismatch / 2)
    assert platform.penalty_usd_per_kw2h == pytest.approx(np.full((2, 2), 1e-3 * factor))


def test_each_pair_and_period_has_its_own_penalty(open_platform):
    platform = open_platform(adapt_penalty=True)
    powers = np.array([[5.0, 0.0], [0.0, 0.0]])
    for _ in range(EVERY):
        offer(platform, powers, powers)
    assert platform.penalty_usd_per_kw2h == pytest.approx(1e-3 * np.array([[FACTOR, 1.0], [1.0, 1.0]]))


def test_penalties_rest_in_the_end(open_platform):
    """Convergence is proven for penalties that stop changing."""
    platform = open_platform(adapt_penalty=True)
    platform.rounds = ADAPTING_ROUNDS
    for _ in range(2 * EVERY):
        offer(platform, 5.0, 5.0)
    assert (platform.penalty_usd_per_kw2h == 1e-3).all()


def test_fixed_penalties_stay(platform):
    for _ in range(4 * EVERY):
        offer(platform, 5.0, 5.0)
    assert (platform.penalty_usd_per_kw2h == 1e-3).all()
