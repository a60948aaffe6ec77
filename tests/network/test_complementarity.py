"""The small problem of the multipliers, against a general solver and against its own conditions."""

import numpy as np
import pytest
from scipy.optimize import nnls

from gridbazaar.network.complementarity import multipliers

SIZES = [(1, 1), (3, 3), (8, 8), (8, 3), (16, 16), (16, 2)]


@pytest.fixture
def draw():
    """Problems of so many periods, rows and rank that have a solution: the bend, its factor and the slack."""

    def of(periods, rows, rank, seed=0):
        rng = np.random.default_rng(seed)
        factor = rng.standard_normal((periods, rows, rank)) * 10.0 ** rng.uniform(-3, 3, (periods, rows, 1))
        bend = factor @ factor.transpose(0, 2, 1)
        binds = rng.random((periods, rows)) < 0.4
        solution = np.where(binds, rng.uniform(0.1, 1.0, (periods, rows)), 0.0)
        left = np.where(binds, 0.0, rng.uniform(0.1, 1.0, (periods, rows)) * np.sqrt(np.einsum("tkk->tk", bend)))
        return bend, factor, left - np.einsum("tkl,tl->tk", bend, solution)

    return of


@pytest.mark.parametrize("guessed", [False, True])
@pytest.mark.parametrize(("rows", "rank"), SIZES)
def test_multipliers_and_slacks_have_the_right_signs_and_never_both_a_value(draw, rows, rank, guessed):
    bend, _, slack = draw(24, rows, rank)
    found = multipliers(bend, slack, np.full(slack.shape, guessed))
    size = np.sqrt(np.einsum("tkk->tk", bend))
    left = (slack + np.einsum("tkl,tl->tk", bend, found)) / size
    scale = np.abs(slack / size).max()
    assert found.min() >= 0
    assert left.min() >= -1e-8 * scale
    assert np.abs(left * found * size).max() <= 1e-8 * scale**2


@pytest.mark.parametrize(("rows", "rank"), SIZES)
def test_against_nonnegative_least_squares(draw, rows, rank):
    """min |F'nu - y|² with F y = -q is the same problem wherever q is in the range of F: there slacks agree."""
    bend, factor, _ = draw(6, rows, rank, seed=1)
    target = np.random.default_rng(2).standard_normal((6, rank))
    slack = -np.einsum("tkr,tr->tk", factor, target)
    found = multipliers(bend, slack, np.zeros(slack.shape, dtype=bool))
    for t in range(6):
        expected, _ = nnls(factor[t].T, target[t])
        assert factor[t].T @ found[t] == pytest.approx(factor[t].T @ expected, abs=1e-6 * np.abs(target).max())


def test_rows_of_nothing_never_bind():
    bend, slack = np.zeros((2, 3, 3)), np.ones((2, 3))
    bend[:, 0, 0] = 2.0
    slack[:, 0] = [-4.0, 4.0]
    found = multipliers(bend, slack, np.zeros((2, 3), dtype=bool))
    assert found == pytest.approx(np.array([[2.0, 0.0, 0.0], [0.0, 0.0, 0.0]]))


def test_the_same_limit_told_twice_has_one_effect():
    bend = np.ones((1, 2, 2))
    found = multipliers(bend, np.array([[-3.0, -3.0]]), np.zeros((1, 2), dtype=bool))
    assert found.sum() == pytest.approx(3.0, rel=1e-6)


def test_no_periods_and_no_rows():
    assert multipliers(np.zeros((0, 2, 2)), np.zeros((0, 2)), np.zeros((0, 2), dtype=bool)).shape == (0, 2)
    assert multipliers(np.zeros((3, 0, 0)), np.zeros((3, 0)), np.zeros((3, 0), dtype=bool)).shape == (3, 0)
