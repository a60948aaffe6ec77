"""A penalty goes towards where its two residuals are alike, in steps that shrink whenever it turns, and so it rests."""

import numpy as np
import pytest

from gridbazaar.agents.penalty import RATIO, REST, SHRINK, AdaptivePenalty

UP, DOWN, ALIKE = (1.0, 0.1), (0.1, 1.0), (1.0, 1.0)

NEW = np.ones(1, dtype=bool)


@pytest.fixture
def penalty():
    return AdaptivePenalty(np.array([1e-3]))


def after(penalty, *residuals):
    """The penalty, in its first value, after these (primal, dual)."""
    for primal, dual in residuals:
        penalty.balance(np.array([primal]), np.array([dual]), NEW)
    return penalty.value[0] / 1e-3


LEADS = {
    "primal leads": (1.0, 0.99 / RATIO, 2.0),
    "dual leads": (0.99 / RATIO, 1.0, 1 / 2),
    "primal leads a little": (1.0, 1.01 / RATIO, 1.0),
    "dual leads a little": (1.01 / RATIO, 1.0, 1.0),
    "only primal": (1.0, 0.0, 2.0),
    "only dual": (0.0, 1.0, 1 / 2),
    "nothing left": (0.0, 0.0, 1.0),
    "next to nothing left": (0.9 * REST, 0.0, 1.0),
}


@pytest.mark.parametrize("name", LEADS)
def test_first_step(penalty, name):
    primal, dual, factor = LEADS[name]
    assert after(penalty, (primal, dual)) == pytest.approx(factor)


def test_goes_on_with_the_same_step(penalty):
    assert after(penalty, UP, UP, UP) == pytest.approx(2**3)


def test_step_shrinks_when_it_turns(penalty):
    assert after(penalty, UP, DOWN) == pytest.approx(2 ** (1 - SHRINK))
    assert after(penalty, DOWN) == pytest.approx(2 ** (1 - 2 * SHRINK))
    assert after(penalty, UP) == pytest.approx(2 ** (1 - 2 * SHRINK + SHRINK**2))


def test_a_rest_is_no_turn_and_hides_none(penalty):
    assert after(penalty, UP, ALIKE, UP) == pytest.approx(2**2)
    assert after(penalty, ALIKE, DOWN) == pytest.approx(2 ** (2 - SHRINK))


def test_turning_for_ever_it_rests_in_the_end(penalty):
    """Convergence is proven for penalties that stop changing."""
    values = [after(penalty, UP, DOWN) for _ in range(30)]
    assert abs(values[-1] - values[-2]) < 1e-8
    assert 1 < values[-1] < 2


def test_every_entry_goes_its_own_way():
    start = np.full((2, 2), 1e-3)
    penalty = AdaptivePenalty(start)
    penalty.balance(np.array([[1.0, 0.1], [1.0, 1.0]]), np.array([[0.1, 1.0], [1.0, 0.1]]), np.ones(2, dtype=bool))
    penalty.balance(np.array([[1.0, 1.0], [1.0, 0.1]]), np.array([[0.1, 0.1], [1.0, 1.0]]), np.ones(2, dtype=bool))
    assert penalty.value == pytest.approx(1e-3 * np.array([[4.0, 2 ** (SHRINK - 1)], [1.0, 2 ** (1 - SHRINK)]]))
    assert (start == 1e-3).all()
