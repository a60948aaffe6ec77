"""What a channel does to each message: late, lost, old or rounded, as often as it was told, and nothing else."""

import numpy as np
import pytest

from gridbazaar.agents import Link, Offers, Quotes, TradeGraph
from gridbazaar.market import Absence, MessageFaults
from gridbazaar.market.hosting.lossy_channel import LossyChannel

NAMES = ("a", "b", "c")
GRAPH = TradeGraph(NAMES, [Link("a", "b", 50.0), Link("c", "a", 30.0)])


class Carried:
    """Rounds of a post: quotes tell their round, offers tell the round of the quote that they answer."""

    def __init__(self, seed=1, **faults):
        self.post = LossyChannel(MessageFaults(**faults), GRAPH, np.random.default_rng(seed))
        self.asked = []  # (round, prosumer, round of the quote)
        self.arrived = []  # (round, prosumer, round of the quote)

    def go(self, rounds):
        for now in range(rounds):
            by_arc, by_person = np.full((4, 1), float(now)), np.full((3, 1), float(now))
            quotes = Quotes((0, 1, 2), *[by_person] * 3, *[by_arc] * 5)
            for quoted_in, offers in self.post.exchange(quotes, lambda told, now=now: self.answer(now, told)):
                for member in offers.members:
                    said = offers.power_kw[GRAPH.arcs(member)]
                    assert (said == quoted_in).all(), "an offer to another quote than it says"
                    self.arrived.append((now, member, quoted_in))
        return self

    def answer(self, now, told):
        [quoted] = np.unique(np.concatenate([told.own_kw, told.lmp_usd_per_kwh]))
        self.asked += [(now, member, int(quoted)) for member in told.members]
        return Offers(told.members, told.own_kw, told.price_usd_per_kwh, told.held_bid_kw)


def test_when_nothing_fails_everything_arrives_at_once():
    carried = Carried().go(50)
    assert sorted(carried.asked) == sorted(carried.arrived)
    assert carried.arrived == [(now, member, now) for now in range(50) for member in range(3)]


def test_late_offers_all_arrive_within_the_delay_and_once():
    carried = Carried(delay_rounds=3).go(2000)
    assert len(carried.asked) == 3 * 2000
    assert len(set(carried.arrived)) == len(carried.arrived)
    late = [now - quoted_in for now, _, quoted_in in carried.arrived]
    assert np.bincount(late) / len(late) == pytest.approx(np.full(4, 0.25), abs=0.03)
    known = {(member, quoted_in) for _, member, quoted_in in carried.arrived}
    assert {(member, quoted_in) for now, member, quoted_in in carried.asked if now < 2000 - 3} <= known


def test_of_quotes_and_of_offers_the_same_share_is_lost_of_everybody():
    carried = Carried(loss=0.3).go(3000)
    for one in range(3):
        asked = sum(member == one for _, member, _ in carried.asked)
        arrived = sum(member == one for _, member, _ in carried.arrived)
        assert asked / 3000 == pytest.approx(0.7, abs=0.03)
        assert arrived / asked == pytest.approx(0.7, abs=0.03)
    together = sum(len([m for now, m, _ in carried.asked if now == r]) == 3 for r in range(1000)) / 1000
    assert together == pytest.approx(0.7**3, abs=0.05)  # each by itself


def test_quotes_are_so_many_rounds_old_and_never_from_before_the_announcement():
    carried = Carried(stale_rounds=3).go(2000)
    ages = [now - quoted for now, _, quoted in carried.asked]
    assert np.bincount(ages[9:]) / len(ages[9:]) == pytest.approx(np.full(4, 0.25), abs=0.03)
    assert sorted(carried.asked) == sorted(carried.arrived)
    carried.post.reopen()
    carried.asked.clear()
    carried.go(3)
    assert {quoted for now, _, quoted in carried.asked if now == 0} == {0}
    assert {quoted for now, _, quoted in carried.asked} <= {0, 1, 2}


def test_what_is_under_way_at_an_announcement_never_arrives():
    for seed in range(20):
        carried = Carried(seed, delay_rounds=5).go(4)
        before = len(carried.arrived)
        assert before < 12
        carried.post.reopen()
        carried.go(40)
        after = carried.arrived[before:]
        assert all(0 <= now - quoted_in <= 5 for now, _, quoted_in in after)
        assert len(set(after)) == len(after) <= 3 * 40


def test_who_is_away_is_not_asked_and_rounds_count_over_announcements():
    carried = Carried(away={"b": Absence(4, 5), "c": Absence(9, 1)}).go(6)
    carried.post.reopen()
    carried.asked += [(-1, -1, -1)]
    carried.go(6)
    mark = carried.asked.index((-1, -1, -1))
    rounds = {
        one: [now + 1 for now, member, _ in carried.asked[:mark] if member == one]
        + [now + 7 for now, member, _ in carried.asked[mark + 1 :] if member == one]
        for one in range(3)
    }
    assert rounds == {0: [*range(1, 13)], 1: [1, 2, 3, 9, 10, 11, 12], 2: [*range(1, 9), 10, 11, 12]}
    assert carried.post.state.rounds == 12


def test_powers_are_rounded_towards_zero():
    post = LossyChannel(MessageFaults(quantum_kw=8.0), GRAPH, np.random.default_rng(1))
    offered = np.array([[49.9, -3.9], [29.0, 30.0], [-50.0, 11.0], [-29.9, 20.1]])
    bid = np.array([[3.0, 5.0], [100.0, 99.0], [0.0, 12.1]])
    quotes = Quotes((0, 1, 2), *[np.zeros((3, 2))] * 3, *[np.zeros((4, 2))] * 5)
    [(_, offers)] = post.exchange(quotes, lambda told: Offers(told.members, offered, offered, bid))
    # arcs a-b, a-c, b-a, c-a with caps 50, 30, 50, 30
    assert np.array_equal(offers.power_kw, [[48.0, 0.0], [24.0, 24.0], [-48.0, 8.0], [-24.0, 16.0]])
    assert np.array_equal(offers.bid_kw, [[0.0, 0.0], [96.0, 96.0], [0.0, 8.0]])
    assert np.array_equal(offers.price_usd_per_kwh, offered)
