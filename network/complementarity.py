"""A handful of multipliers in each of many periods: slack = q + B nu >= 0, nu >= 0, nu' slack = 0, B semidefinite.

These are the optimality conditions of min nu'B nu / 2 + q'nu over nu >= 0. They are solved by block principal pivoting
(Judice, Pires 1994): multipliers are guessed to be positive or zero, and all that turn out to have the wrong sign
change sides. Where that makes no progress only the last of them does (Murty 1974), which always ends. All periods
are solved at once.
"""

from __future__ import annotations

import numpy as np

from .arrays import BoolArray, FloatArray

_RIDGE = 1e-12
"""Of each diagonal: rows that say nearly the same leave open which multiplier is positive."""
_WRONG = 1e-10
_CHANCES = 3
_MOST_PIVOTS = 200


def multipliers(bend: FloatArray, slack: FloatArray, guess: BoolArray) -> FloatArray:
    """The multipliers nu, (period, row).

    Args:
        bend: B, (period, row, row), symmetric, positive semidefinite.
        slack: q, (period, row): the slack without any multiplier.
        guess: Which multipliers may be positive, (period, row).
    """
    size = np.sqrt(np.einsum("tkk->tk", bend))
    size[size == 0] = 1.0
    scaled = bend / (size[:, :, None] * size[:, None, :]) + _RIDGE * np.eye(size.shape[1])
    start = slack / size
    below = -_WRONG * np.maximum(np.abs(start).max(axis=1, initial=0.0), _WRONG)[:, None]
    positive, solved = guess.copy(), np.zeros_like(start)
    fewest, chances = np.full(len(start), start.shape[1] + 1), np.full(len(start), _CHANCES)
    for _ in range(_MOST_PIVOTS):
        solved = _with(scaled, start, positive)
        wrong = np.where(positive, solved, start + np.einsum("tkl,tl->tk", scaled, solved)) < below
        count = wrong.sum(axis=1)
        if not count.any():
            break
        chances = np.where(count < fewest, _CHANCES, chances - 1)
        fewest = np.minimum(fewest, count)
        positive ^= np.where((chances >= 0)[:, None], wrong, _last(wrong))
    return np.asarray(np.maximum(solved, 0.0) / size)


def _last(wrong: BoolArray) -> BoolArray:
    """Only the last of those that are wrong in each period, (period, row)."""
    behind = np.cumsum(wrong[:, ::-1], axis=1)[:, ::-1]
    return np.asarray(wrong & (behind == 1))


def _with(bend: FloatArray, slack: FloatArray, positive: BoolArray) -> FloatArray:
    """The multipliers that leave no slack in the rows where they may be positive, (period, row)."""
    both = positive[:, :, None] & positive[:, None, :]
    system = np.where(both, bend, np.eye(bend.shape[1]))
    return np.asarray(np.linalg.solve(system, np.where(positive, -slack, 0.0)[..., None])[..., 0])
