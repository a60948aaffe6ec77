"""All that the platform remembers is a value: going back to it gives the same bits, and nothing in it ever changes."""

from dataclasses import fields, is_dataclass

import mesa
import numpy as np
import pytest

from gridbazaar.agents import Link, Offers, SharingPlatform, SharingRules, SystemOperator, TradeGraph
from gridbazaar.agents.messages import Sale
from gridbazaar.agents.pair_exchange import mean_of_ends
from gridbazaar.agents.price_curve import PriceCurve

GRAPH = TradeGraph(["a", "b", "c"], [Link("a", "b", 50.0), Link("c", "a", 30.0)])
RULES = SharingRules(1e-3, True, True, 0.1, 1e-4)
ELASTIC = np.array([True, False, True])
BID = np.array([[10.0, 20.0, 5.0], [0.0, 5.0, 8.0], [30.0, 1.0, 2.0]])


@pytest.fixture
def dso(small_clearing):
    operator = SystemOperator(mesa.Model(rng=1), small_clearing(), ["c", "b", "a"])
    operator.clear(BID)
    return operator


@pytest.fixture
def open_platform(dso):
    """Opened where the DSO follows a curve in one period and answers the others itself."""

    def build():
        root = np.where(ELASTIC[:, None, None], 0.0, dso.slope_roots())
        curve = PriceCurve(dso.announce(), BID, np.zeros((3, 3)), root, ELASTIC, dso.place)
        platform = SharingPlatform(mesa.Model(rng=1), GRAPH, 3, RULES)
        platform.open(curve, BID)
        return platform

    return build


def offers(seed):
    rng = np.random.default_rng(seed)
    return Offers((0, 1, 2), rng.uniform(-20, 20, (4, 3)), rng.uniform(0.1, 0.4, (4, 3)), rng.uniform(0, 40, (3, 3)))


def go_round(platform, dso, seed):
    platform.receive(offers(seed))
    platform.hear(dso.sell(platform.asks()))
    platform.update_prices()


def arrays(value, name="state"):
    """All arrays of a state, by place."""
    if isinstance(value, np.ndarray):
        return {name: value}
    if not is_dataclass(value):
        return {}
    parts = (arrays(getattr(value, cell.name), f"{name}.{cell.name}") for cell in fields(value))
    return {place: array for part in parts for place, array in part.items()}


def test_no_array_of_a_state_ever_changes(open_platform, dso):
    platform = open_platform()
    states = []
    for seed in range(6):
        states.append((platform.state, {place: array.copy() for place, array in arrays(platform.state).items()}))
        go_round(platform, dso, seed)
    platform.open(platform.bids.curve, 2 * BID)
    platform.take_plan(np.ones((2, 3)), np.ones((2, 3)), BID)
    platform.tighten()
    for state, copies in states:
        assert len(copies) > 20
        for place, array in arrays(state).items():
            assert np.array_equal(array, copies[place], equal_nan=True), place


def test_from_a_state_it_goes_on_to_the_same_bits(open_platform, dso):
    platform, other = open_platform(), open_platform()
    for seed in range(3):
        go_round(platform, dso, seed)
    halfway = platform.state
    for seed in range(3, 7):
        go_round(platform, dso, seed)
    other.state = halfway
    for seed in range(3, 7):
        go_round(other, dso, seed)
    assert other.rounds == platform.rounds == 7
    there, here = arrays(platform.state), arrays(other.state)
    assert there.keys() == here.keys()
    assert [place for place in there if not np.array_equal(there[place], here[place])] == []


def test_the_dso_is_asked_what_bids_are_when_all_are_in(open_platform):
    platform = open_platform()
    platform.receive(offers(1))
    asks = platform.asks()
    assert np.array_equal(asks.periods, [0, 2])
    terms, bid = platform.bids.quoted, offers(1).bid_kw
    assert np.array_equal(asks.price_usd_per_kwh, terms.lmp_usd_per_kwh[:, ELASTIC])
    assert np.array_equal(asks.weight_usd_per_kw2h, terms.weight_usd_per_kw2h[:, ELASTIC])
    assert asks.bid_kw == pytest.approx((1.5 * bid - 0.5 * terms.held_kw)[:, ELASTIC])


def test_what_the_dso_says_is_what_prosumers_are_told_next(open_platform):
    platform = open_platform()
    platform.receive(offers(1))
    asks = platform.asks()
    platform.hear(Sale(np.full(asks.bid_kw.shape, 0.25), np.zeros(asks.periods.size)))
    platform.update_prices()
    quotes = platform.quotes((0, 1, 2))
    assert (quotes.lmp_usd_per_kwh[:, ELASTIC] == 0.25).all()
    wanted = asks.bid_kw + (asks.price_usd_per_kwh - 0.25) / asks.weight_usd_per_kw2h
    assert quotes.held_bid_kw[:, ELASTIC] == pytest.approx(wanted)


def test_an_answer_of_the_dso_counts_for_its_round_alone(open_platform, dso):
    platform = open_platform()
    go_round(platform, dso, 1)
    platform.open(PriceCurve.flat(dso.announce()), BID)
    platform.receive(offers(2))
    assert platform.asks() is None
    platform.update_prices()
    assert np.array_equal(platform.lmp_usd_per_kwh, dso.announce())


def test_means_of_ends_are_in_the_order_of_the_links():
    values = np.array([[1.0, 2.0], [3.0, 6.0], [10.0, 20.0]])
    assert np.array_equal(mean_of_ends(GRAPH, values), [[2.0, 4.0], [5.5, 11.0]])
