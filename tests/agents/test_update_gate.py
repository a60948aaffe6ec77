"""Whose turn it is when messages come late or not at all: what was asked is answered before it is asked again."""

import mesa
import numpy as np
import pytest

from gridbazaar.agents import Link, Offers, SharingPlatform, SharingRules, TradeGraph
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


def end_round(platform):
    """Prices move; the DSO follows its curve and is asked nothing."""
    assert platform.asks() is None
    platform.update_prices()


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
        platform.pairs.trade_kw[pair],
        platform.pairs.mismatch_kw[pair],
        platform.pairs.moved_usd_per_kwh[pair],
    )
    return np.vstack([*by_pair, platform.pairs.quoted_kw[ends]])


# --- turns


def taken(gate, *answered):
    """Who may change at the end of each of these rounds, the first of which is 0, and the gate after them."""
    whose = []
    for now, rounds in enumerate(answered):
        fresh, gate = gate.take(np.array(rounds), now)
        whose.append(fresh.tolist())
    return whose, gate


def test_a_turn_comes_when_what_was_quoted_since_the_last_one_is_answered():
    answered = [NEVER] * 3, [0, NEVER, 1], [1, 0, 1], [2, 2, 1], [3, 3, 4]
    turns, _ = taken(UpdateGate.closed(3), *answered)
    assert turns == [
        [False, False, False],
        [True, False, True],
        [False, True, False],  # since round 2 the first and the third are quoted something new, the second the same
        [True, False, False],
        [False, True, True],
    ]


def test_a_gate_is_a_value():
    before = UpdateGate.closed(2)
    _, once = before.take(np.array([0, NEVER]), 0)
    once.take(np.array([1, 1]), 1)
    assert [before.had_one.tolist(), once.had_one.tolist()] == [[False, False], [True, False]]
    assert [before.took(0).tolist(), once.took(0).tolist()] == [[False, False], [True, False]]


def test_one_old_answer_is_one_turn_however_long_it_stands():
    turns, _ = taken(UpdateGate.closed(1), *[[0]] * 10)
    assert turns == [[True]] + [[False]] * 9


def test_everybody_has_had_a_turn_once_the_last_one_has():
    answered = [0, NEVER], [1, NEVER], [1, 1], [1, 1]
    gates = [taken(UpdateGate.closed(2), *answered[:rounds])[1] for rounds in range(5)]
    assert [gate.all_have_had_one for gate in gates] == [False, False, False, True, True]


def test_what_changed_is_told_once():
    gate = UpdateGate.closed(2)
    assert not gate.changed.any()
    _, gate = taken(gate, [0, NEVER], [NEVER, NEVER])
    assert gate.changed.tolist() == [True, False]
    assert not gate.looked().changed.any()
    assert np.array_equal(gate.looked().quoted_from, gate.quoted_from)
    assert np.array_equal(gate.looked().had_one, gate.had_one)


# --- pairs


def test_a_pair_whose_one_end_is_silent_does_not_move(open_platform):
    """The same offer of a stands for five rounds and counts for nothing yet: not once, let alone five times."""
    platform = open_platform()
    hear(platform, 0, a=5.0, b=-5.0, c=-5.0, alone=0.0)
    end_round(platform)
    before = state(platform, AB)
    hear(platform, 1, a=12.0)
    for _ in range(5):
        end_round(platform)
        assert np.array_equal(state(platform, AB), before)


def test_it_moves_once_the_second_end_has_answered_and_as_if_both_had_at_once(open_platform):
    late, prompt = open_platform(), open_platform()
    for platform in (late, prompt):
        hear(platform, 0, a=5.0, b=-4.0, c=-5.0, alone=0.0)
        end_round(platform)
    hear(prompt, 1, a=12.0, b=-7.0)
    end_round(prompt)
    hear(late, 1, a=12.0)
    for _ in range(3):
        end_round(late)
    before = state(late, AB)
    hear(late, 2, b=-7.0)  # three rounds late: it was quoted the same in round 2 as in round 1
    end_round(late)
    assert not np.array_equal(state(late, AB), before)
    assert state(late, AB) == pytest.approx(state(prompt, AB), abs=1e-12)
    moved = state(late, AB)
    for _ in range(3):  # and neither offer counts again
        end_round(late)
        assert np.array_equal(state(late, AB), moved)


def test_by_how_much_it_moves_is_what_the_two_ends_disagree_about(open_platform):
    """(21) with the offers of two different rounds: rho times their sum as quoted, from the mean of both prices."""
    platform = open_platform()
    price = platform.price_usd_per_kwh[AB].copy()
    platform.receive(offers(platform, [A], 7.0, markup=0.04), 0)
    end_round(platform)
    end_round(platform)
    hear(platform, 1, b=-5.0)
    end_round(platform)
    assert platform.price_usd_per_kwh[AB] - price == pytest.approx(np.full(2, 0.02 + 1e-3 * RELAXATION * 2))
    assert platform.pairs.trade_kw[AB] == pytest.approx(np.full(2, 6.0))


def test_an_answer_to_a_quote_of_before_the_last_change_does_not_move_a_pair(open_platform):
    platform = open_platform()
    for _ in range(3):
        end_round(platform)
    hear(platform, 3, a=5.0, b=-4.0)
    end_round(platform)
    moved = state(platform, AB)
    hear(platform, 3, a=9.0)
    hear(platform, 4, b=-6.0)
    end_round(platform)
    assert np.array_equal(state(platform, AB), moved)
    hear(platform, 4, a=9.0)
    end_round(platform)
    assert platform.pairs.trade_kw[AB] == pytest.approx(np.full(2, 7.5))
    assert platform.pairs.mismatch_kw[AB] == pytest.approx(np.full(2, 3.0))


def test_an_answer_to_an_older_quote_than_one_already_answered_is_ignored(open_platform):
    platform = open_platform()
    for _ in range(3):
        end_round(platform)
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
        before = platform.price_usd_per_kwh.copy(), platform.pairs.quoted_kw.copy()
        end_round(platform)
        assert np.array_equal(platform.price_usd_per_kwh[AB], before[0][AB])
        assert np.array_equal(platform.pairs.quoted_kw[platform.graph.arcs(B)], before[1][platform.graph.arcs(B)])
    assert platform.pairs.trade_kw[CA] == pytest.approx(np.full(2, -5.0))
    assert platform.pairs.trade_kw[AB] == pytest.approx(np.zeros(2))


@pytest.mark.parametrize("silent", ["b", "c", "alone"])
def test_nothing_has_converged_before_everybody_has_answered_since_the_announcement(open_platform, silent):
    platform = open_platform()
    others = {name: 0.0 for name in platform.graph.names if name != silent}
    for _ in range(2):
        for _ in range(3):
            hear(platform, platform.rounds, **others)
            end_round(platform)
            assert not platform.converged
        hear(platform, platform.rounds, **others | {silent: 0.0})
        end_round(platform)
        assert platform.converged
        platform.open(PriceCurve.flat(LMP), np.zeros((4, 2)))
        assert not platform.converged


def test_a_new_announcement_leaves_no_old_answer_standing(open_platform):
    platform = open_platform()
    hear(platform, 0, a=5.0, b=-5.0, c=-5.0, alone=0.0)
    end_round(platform)
    hear(platform, 1, a=9.0)
    platform.open(PriceCurve.flat(LMP), np.zeros((4, 2)))
    before = state(platform, AB)
    hear(platform, 0, b=-7.0)
    end_round(platform)
    assert np.array_equal(state(platform, AB), before)


def test_a_penalty_adapts_when_its_pair_has_moved_and_not_while_it_waits(open_platform):
    """Both pairs disagree by 10 kW and rest, so that penalties double each time that they may."""
    platform = open_platform(adapt=True)
    hear(platform, 0, a=5.0, b=5.0, c=5.0)
    for _ in range(EVERY):
        end_round(platform)
    both = platform.pairs.penalty.value.copy()
    assert np.array_equal(both[AB], both[CA])
    for _ in range(3 * EVERY):
        hear(platform, platform.rounds, a=5.0, c=5.0)
        end_round(platform)
    assert np.array_equal(platform.pairs.penalty.value[AB], both[AB])
    assert (platform.pairs.penalty.value[CA] > 2 * both[CA]).all()
