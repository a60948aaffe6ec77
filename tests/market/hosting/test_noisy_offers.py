"""Noise on offered powers: as much as was asked for, seeded, wherever prosumers live; listening changes nothing."""

import numpy as np
import pytest

from gridbazaar.agents import Link, Offers, Quotes, TradeGraph
from gridbazaar.market import EnergyMarket, Hosting, MarketSettings, MessageFaults, Outcome, SettingsError, Workers
from gridbazaar.market.hosting.lossy_channel import DirectChannel, LossyChannel
from gridbazaar.market.hosting.tapped_channel import TappedChannel

GRAPH = TradeGraph(("a", "b", "c"), [Link("a", "b", 50.0), Link("c", "a", 30.0)])
QUOTES = Quotes(np.arange(3), *[np.zeros((3, 200))] * 3, *[np.zeros((4, 200))] * 5)
OFFERED, BID = np.full((4, 200), 10.0), np.full((3, 200), 40.0)


def told(seed=1, rounds=1, **faults):
    """The offers that arrive of constant ones."""
    channel = LossyChannel(MessageFaults(**faults), GRAPH, np.random.default_rng(seed))
    return [
        offers
        for _ in range(rounds)
        for _, offers in channel.exchange(QUOTES, lambda asked: Offers(asked.members, OFFERED, OFFERED, BID))
    ]


@pytest.fixture(scope="module")
def build(ieee33_bazaar):
    def market(messages, hosting=None, rng=3, **settings):
        case = ieee33_bazaar()
        limits = {"network_use": "bids", "max_iterations": 4, "max_rounds": 40} | settings
        return EnergyMarket(
            case.clearing(),
            case.households,
            case.links,
            settings=MarketSettings(**limits),
            rng=rng,
            hosting=hosting,
            messages=messages,
        )

    return market


def test_powers_and_bids_have_gaussian_noise_of_that_size_and_prices_none():
    offers = told(rounds=20, noise_kw=2.0)
    powers, bids = (np.array([getattr(one, key) for one in offers]) for key in ("power_kw", "bid_kw"))
    for values, exact in ((powers, 10.0), (bids, 40.0)):
        count = values.size
        assert values.mean() == pytest.approx(exact, abs=4 * 2.0 / np.sqrt(count))
        assert values.std() == pytest.approx(2.0, rel=4 / np.sqrt(2 * count))
        beyond = np.abs(values - exact) > 1.96 * 2.0
        assert beyond.mean() == pytest.approx(0.05, abs=0.01)
    assert np.abs(np.corrcoef(powers[0].ravel(), powers[1].ravel())[0, 1]) < 0.15  # each message has its own
    assert all((one.price_usd_per_kwh == OFFERED).all() for one in offers)


def test_noise_never_leaves_the_caps_and_is_there_before_powers_are_rounded():
    [offers] = told(noise_kw=100.0, quantum_kw=8.0)
    cap = GRAPH.cap_kw[GRAPH.link][:, None]
    assert (np.abs(offers.power_kw) <= cap).all()
    assert (np.abs(offers.power_kw) > cap - 8.0).any()
    assert (np.remainder(offers.power_kw, 8.0) == 0).all()


def test_another_seed_is_other_noise():
    (one,), (again,), (other,) = (told(seed, noise_kw=1.0) for seed in (1, 1, 2))
    assert (one.power_kw == again.power_kw).all()
    assert (one.power_kw != other.power_kw).all()


def course(market, until=12):
    """Prices and powers of its first rounds."""
    found = []
    with market:
        while market.running and market.rounds < until:
            market.step()
            found += [market.platform.power_kw, market.platform.price_usd_per_kwh, market.bid_kw]
    return found


def same(one, other):
    return len(one) == len(other) and all(np.array_equal(a, b) for a, b in zip(one, other, strict=True))


def test_on_workers_the_noise_is_the_same(build):
    noise = MessageFaults(noise_kw=0.5)
    assert same(course(build(noise)), course(build(noise, Hosting(Workers(2)))))


def test_from_a_snapshot_the_noise_goes_on_with_the_same_bits(build):
    market = build(MessageFaults(noise_kw=0.5))
    for _ in range(5):
        market.step()
    state = market.snapshot()
    first = course(market)
    again = build(MessageFaults(noise_kw=0.5), rng=9)
    again.restore(state)
    assert same(first, course(again))


def test_a_noisy_market_comes_near_the_optimum_and_says_what_keeps_it_from_settling(build, ieee33_bazaar, joint):
    result = build(MessageFaults(noise_kw=0.5)).run()
    assert result.outcome is Outcome.ITERATION_LIMIT
    assert "offered powers carry noise of 0.5 kW: lower messages.noise_kw" in result.message
    best = joint(ieee33_bazaar())
    missed = best.welfare_usd - result.welfare_usd
    assert 0 < missed <= result.certificate.total_usd < 1e-3 * (best.dso_cost_usd + best.utility_usd)


@pytest.mark.parametrize("numbers", [2, 216, 10**6])
def test_penalties_do_not_chase_what_noise_alone_brings(numbers):
    """The largest of so many disagreements of two noisy ends, which is 2 noise sqrt(ln n) and less, is within it."""
    rng = np.random.default_rng(4)
    largest = np.abs(rng.normal(0, 0.5 * np.sqrt(2), (3, numbers))).max()
    assert largest < MessageFaults(noise_kw=0.5).resolution_kw(numbers)
    assert MessageFaults().resolution_kw(numbers) == 0
    assert MessageFaults(quantum_kw=2.0).resolution_kw(numbers) == pytest.approx(2.02)


@pytest.mark.parametrize("value", [-1.0, np.nan, np.inf])
def test_noise_out_of_its_range_is_refused(value):
    with pytest.raises(SettingsError, match=r"messages\.noise_kw .* must be a finite number of at least 0"):
        MessageFaults(noise_kw=value)


# --- who listens


def test_whoever_listens_changes_nothing(build):
    for faults in (MessageFaults(), MessageFaults(noise_kw=0.5, delay_rounds=2, loss=0.2)):
        usual, tapped, heard = build(faults), build(faults), []
        tapped.channel = TappedChannel(tapped.channel, lambda *told, heard=heard: heard.append(told))
        assert same(course(usual), course(tapped))
        assert heard
        assert tapped.channel.faults is faults or tapped.channel.faults == faults


def test_late_offers_are_heard_beside_the_quotes_that_they_answer():
    """Quotes tell their round, and offers repeat it."""
    pairs = []
    channel = TappedChannel(
        LossyChannel(MessageFaults(delay_rounds=3, stale_rounds=2), GRAPH, np.random.default_rng(1)),
        lambda quotes, offers: pairs.append((quotes, offers)),
    )
    for now in range(60):
        if now == 30:
            channel.reopen()
        by_arc, by_person = np.full((4, 1), float(now)), np.full((3, 1), float(now))
        quotes = Quotes(np.arange(3), *[by_person] * 3, *[by_arc] * 5)
        channel.exchange(quotes, lambda told: Offers(told.members, told.own_kw, told.own_kw, told.held_bid_kw))
    assert len(pairs) > 60
    for quotes, offers in pairs:
        for member in offers.members:
            assert (offers.power_kw[GRAPH.arcs(member)] == quotes.own_kw[0, 0]).all()


def test_a_direct_channel_is_heard_too_and_its_blame_is_none():
    heard = []
    channel = TappedChannel(DirectChannel(), lambda *told: heard.append(told[0] is QUOTES))
    channel.exchange(QUOTES, lambda asked: Offers(asked.members, OFFERED, OFFERED, BID))
    assert heard == [True]
    assert channel.blame(cut_short=True) == ""
    assert channel.state is None
