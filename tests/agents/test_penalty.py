"""A penalty goes towards where its two residuals are alike, in steps that shrink whenever it turns, and so it rests."""

import numpy as np
import pytest

from gridbazaar.agents.penalty import LOWEST, RATIO, REST, SHRINK, AdaptivePenalty, Residuals

UP, DOWN, ALIKE = (1.0, 0.1), (0.1, 1.0), (1.0, 1.0)

NEW = np.ones(1, dtype=bool)


def residuals(primal, dual):
    """These, (row, period), each counted as it is."""
    return Residuals(np.array(primal), np.array(dual), np.ones(len(primal)), 1.0, 0.0)


def after(*pairs):
    """The penalty, in its first value, after these (primal, dual)."""
    penalty = AdaptivePenalty.starting(np.array([[1.0]]))
    for primal, dual in pairs:
        penalty = penalty.balanced(residuals([[primal]], [[dual]]), NEW)
    return penalty.value[0, 0]


LEADS = {
    "primal leads": (1.0, 0.99 / RATIO, 2.0),
    "dual leads": (0.99 / RATIO, 1.0, 1 / 2),
    "primal leads a little": (1.0, 1.01 / RATIO, 1.0),
    "dual leads a little": (1.01 / RATIO, 1.0, 1.0),
    "only primal": (1.0, 0.0, 2.0),
    "only dual": (0.0, 1.0, 1 / 2),
    "nothing left": (0.0, 0.0, 1.0),
    "next to nothing left": (0.9 * REST[0], 0.0, 1.0),
    "little left": (1.1 * REST[0], 0.0, 2.0),
    "next to nothing moves": (0.0, 0.9 * REST[1], 1.0),
    "little moves": (0.0, 1.1 * REST[1], 1 / 2),
}


@pytest.mark.parametrize("name", LEADS)
def test_first_step(name):
    primal, dual, factor = LEADS[name]
    assert after((primal, dual)) == pytest.approx(factor)


def test_goes_on_with_the_same_step():
    assert after(UP, UP, UP) == pytest.approx(2**3)


def test_step_shrinks_when_it_turns():
    assert after(UP, DOWN) == pytest.approx(2 ** (1 - SHRINK))
    assert after(UP, DOWN, DOWN) == pytest.approx(2 ** (1 - 2 * SHRINK))
    assert after(UP, DOWN, DOWN, UP) == pytest.approx(2 ** (1 - 2 * SHRINK + SHRINK**2))


def test_it_is_lowered_no_further_than_to_where_all_that_is_traded_moves_a_price():
    """Who agrees at what a link carries has no primal residual, and would be lowered as long as anything moves."""
    kw, worth, below = 5.0, 0.03, 1e-9
    lowest = LOWEST * worth / kw
    penalty = AdaptivePenalty.starting(np.array([[1e-3, below]]))
    for _ in range(30):
        nothing, all_moves = np.zeros((1, 2)), np.full((1, 2), worth)
        penalty = penalty.balanced(Residuals(nothing, all_moves, np.array([kw]), worth, 0.0), NEW)
    assert penalty.value == pytest.approx(np.array([[lowest, below]]))
    apart = Residuals(np.full((1, 2), kw), np.zeros((1, 2)), np.array([kw]), worth, 0.0)
    assert (penalty.balanced(apart, NEW).value > penalty.value).all()


def test_a_rest_is_no_turn_and_hides_none():
    assert after(UP, ALIKE, UP) == pytest.approx(2**2)
    assert after(UP, ALIKE, UP, ALIKE, DOWN) == pytest.approx(2 ** (2 - SHRINK))


def test_turning_for_ever_it_rests_in_the_end():
    """Convergence is proven for penalties that stop changing."""
    values = [after(*[UP, DOWN] * times) for times in range(1, 31)]
    assert abs(values[-1] - values[-2]) < 1e-8
    assert 1 < values[-1] < 2


def test_every_entry_goes_its_own_way():
    start = np.full((2, 2), 1.0)
    before, new = AdaptivePenalty.starting(start), np.ones(2, dtype=bool)
    once = before.balanced(residuals([[1.0, 0.1], [1.0, 1.0]], [[0.1, 1.0], [1.0, 0.1]]), new)
    after = once.balanced(residuals([[1.0, 1.0], [1.0, 0.1]], [[0.1, 0.1], [1.0, 1.0]]), new)
    assert after.value == pytest.approx(np.array([[4.0, 2 ** (SHRINK - 1)], [1.0, 2 ** (1 - SHRINK)]]))
    assert (start == 1.0).all()
    assert (before.value == 1.0).all()
    assert once.value == pytest.approx(np.array([[2.0, 0.5], [1.0, 2.0]]))
