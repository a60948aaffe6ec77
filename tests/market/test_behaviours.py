"""What a behaviour changes in the market: its pair's price, its bids, what it believes; and nothing without it."""

import numpy as np
import pytest

from gridbazaar.agents import Behaviour, BehaviourError, Offer
from gridbazaar.market import Outcome
from gridbazaar.network import InputError


class MarksUp(Behaviour):
    """Asks 0.002 $/kWh more than it is quoted on its first link, until sharing has gone on for a while."""

    def __init__(self, rounds=30):
        self.left = rounds

    def offer(self, quote, plan):
        self.left -= 1
        more = np.where(np.arange(len(plan.trade_kw)) == 0, 0.002 if self.left > 0 else 0.0, 0.0)
        return Offer(plan.trade_kw, quote.price_usd_per_kwh + more[:, None])


class BidsLess(Behaviour):
    """Bids a tenth less than it needs."""

    def bid(self, delivery, plan):
        return 0.9 * plan.bid_kw


class BelievesDearer(Behaviour):
    def believe(self, lmp_usd_per_kwh):
        return lmp_usd_per_kwh + 0.01


class DrawsLots(Behaviour):
    """Bids what it needs, give or take a kilowatt of its own chance."""

    def bid(self, delivery, plan):
        return plan.bid_kw + self.rng.uniform(-1, 1, plan.bid_kw.size)


class Fails(Behaviour):
    def bid(self, delivery, plan):
        raise KeyError("forecast")


@pytest.fixture
def run(ieee33_bazaar, open_market):
    def go(behaviours, **settings):
        return open_market(ieee33_bazaar(), behaviours=behaviours, **{"rng": 1, "max_iterations": 6} | settings).run()

    return go


def test_a_mark_up_moves_that_pair_s_price_and_no_other_at_first(ieee33_bazaar, open_market):
    """In a round the price starts from the mean of the ends' prices: half of p1's mark-up, on its first link only."""
    after = []
    for behaviours in ({}, {"p1": MarksUp()}):
        market = open_market(ieee33_bazaar(), behaviours=behaviours, adapt_penalty=False)
        market.step()
        market.step()
        after.append(market.platform.price_usd_per_kwh)
    names = [link.name for link in market.graph.links]
    moved = (after[1] - after[0])[[names.index("p1-p2"), names.index("p2-p3"), names.index("p1-p3")]]
    assert moved[0] == pytest.approx(np.full(24, 0.001))
    assert moved[1:] == pytest.approx(np.zeros((2, 24)))


def test_a_lasting_mark_up_moves_the_outcome(run, ieee33_run):
    """While the mark-up lasts partners cannot agree: p1's partner buys less on that link than without it."""
    plain = ieee33_run(max_rounds=40, max_iterations=2).result
    marked = run({"p1": MarksUp(rounds=10**9)}, max_rounds=40, max_iterations=2)
    assert np.abs(marked.price_usd_per_kwh[0] - plain.price_usd_per_kwh[0]).max() > 3e-4
    assert np.abs(marked.elastic_kw - plain.elastic_kw).max() > 1


def test_who_bids_less_consumes_less(run, ieee33_run):
    result = run({"p1": BidsLess()})
    plain = ieee33_run(max_iterations=6).result
    assert result.elastic_kw[0].sum() < plain.elastic_kw[0].sum() - 10
    have = result.bid_kw + result.renewable_kw - result.curtailed_kw + result.net_trade_kw
    assert have == pytest.approx(result.fixed_kw + result.elastic_kw)
    assert result.regret_usd[0] > 10 * plain.regret_usd[0]


def test_who_believes_that_power_is_dear_takes_less(run, ieee33_run):
    result, plain = run({"p2": BelievesDearer()}, max_iterations=40), ieee33_run().result
    assert result.elastic_kw[1].sum() < plain.elastic_kw[1].sum() - 10
    assert result.outcome is Outcome.SETTLED  # it regrets nothing, at what it believes


def test_the_certificate_claims_no_welfare_for_those_who_misbehave(run, ieee33_run):
    assert "of the optimum" not in str(run({"p2": BelievesDearer()}, max_iterations=40).certificate)
    assert "of the optimum" in str(ieee33_run().result.certificate)


def test_everybody_has_its_own_chance_and_it_is_the_seed_s(run):
    bids = [run({"p1": DrawsLots(), "p2": DrawsLots()}, rng=seed, max_iterations=2).bid_kw for seed in (7, 7, 8)]
    assert np.array_equal(bids[0], bids[1])
    assert not np.array_equal(bids[0], bids[2])


def test_an_error_stops_the_run_with_its_place(run):
    with pytest.raises(
        BehaviourError, match=r"^behaviour Fails of p3, in bid\(\): KeyError: 'forecast' \(at .*:\d+\)$"
    ):
        run({"p3": Fails()})


def test_behaviours_for_nobody(run):
    with pytest.raises(InputError, match=r"^there is a behaviour for p9, but the prosumers are p1, p2, p3$"):
        run({"p9": MarksUp()})


@pytest.mark.parametrize(("given", "shown"), [(MarksUp, "<class '.*MarksUp'>"), (None, "None"), (0.1, "0.1")])
def test_what_is_no_behaviour(run, given, shown):
    cure = r"give an object of a class that extends gridbazaar\.agents\.Behaviour"
    with pytest.raises(InputError, match=rf"^the behaviour of p1 is {shown}; {cure}$"):
        run({"p1": given})


def test_one_object_for_two(run):
    shared = MarksUp()
    with pytest.raises(InputError, match=r"^p1 and p3 share one behaviour object; give each its own$"):
        run({"p1": shared, "p3": shared})
