"""When delivery is tried: soon where little is missing, later where much is, and not for ever."""

import numpy as np
import pytest

from gridbazaar.market.proof.pace import Pace

FIRST = Pace.of(1)


def test_later_outer_steps_wait_about_as_long_as_a_regret_that_is_to_fall_so_much():
    longest = FIRST.after(8, 20.0, 1.0).due - 8
    assert 1 <= FIRST.due < longest <= Pace.of(2).due  # the first is to say roughly what is bid
    assert Pace.of(2).due <= np.log(20.0) / 0.15
    assert FIRST.due < Pace.of(2, 20.0).due <= Pace.of(2).due < Pace.of(2, 2000.0).due <= np.log(2000.0) / 0.15


@pytest.mark.parametrize("fall", [0.0, 0.5, 1.0, 1.5])
def test_where_little_is_left_later_ones_wait_as_long_as_the_first(fall):
    assert Pace.of(2, fall).due == FIRST.due


def test_where_somebody_moves_anyway_later_outer_steps_are_short():
    assert Pace.of(1, unrest=True).due == FIRST.due
    assert 1 <= Pace.of(2, unrest=True).due < FIRST.due


@pytest.mark.parametrize(("missing", "rounds"), [(1.1, 2), (np.e, 7), (1e6, 12), (np.inf, 12)])
def test_it_waits_for_as_long_as_a_regret_usually_takes_to_fall(missing, rounds):
    after = FIRST.after(8, 1e-3 * missing, 1e-3)
    assert after.due == 8 + rounds


def test_it_learns_how_quickly_the_regret_falls():
    quick = FIRST.after(8, 1.0, 1e-3).after(10, 1e-2, 1e-3)  # ten times smaller in a round
    slow = FIRST.after(8, 1.0, 1e-3).after(10, 0.8, 1e-3)
    assert quick.due == 12
    assert slow.due == 22


def test_it_is_stuck_when_the_regret_does_not_fall_in_five_attempts():
    pace = FIRST.after(8, 1.0, 1e-3)
    for attempt in range(5):
        assert not pace.is_stuck
        pace = pace.after(20 + attempt, 0.99, 1e-3)
    assert pace.is_stuck
    assert not pace.after(40, 0.5, 1e-3).is_stuck
