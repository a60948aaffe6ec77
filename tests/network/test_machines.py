"""Whose limits are kept apart from slopes: those of a generator that follows the demand alone."""

import numpy as np
import pytest

from gridbazaar.network.machines import Machines

OF_LIMIT = np.array([-1, 0, 0, 1, 1, 2, -1])
"""A line's; those of generators 0 and 1, upper and lower; one of generator 2; a bus's."""


def apart(stand_at: list[int], *, steep: tuple[bool, ...] = (True, True, False), free: int = 3) -> list[int]:
    """Which limits are kept apart where these bind."""
    z = np.zeros(OF_LIMIT.size)
    z[stand_at] = 1.0
    machines = Machines(OF_LIMIT, np.array(steep), np.arange(3) < free)
    return np.flatnonzero(machines.apart(0.5 * np.ones(OF_LIMIT.size), z)).tolist()


@pytest.mark.parametrize(
    ("stand_at", "kept"),
    [
        ([], [0, 6]),  # all three follow
        ([0, 6], [0, 6]),  # limits of lines and buses are apart whatever binds
        ([5], [0, 6]),  # two follow
        ([3, 5], [0, 1, 2, 6]),  # the first follows alone
        ([1, 4], [0, 5, 6]),  # the last does
        ([1, 4, 5], [0, 1, 2, 3, 4, 6]),  # nobody does, and either of those with a slope may be the first to
    ],
)
def test_who_follows_alone(stand_at: list[int], kept: list[int]) -> None:
    assert apart(stand_at) == kept


def test_one_alone_may_have_a_linear_cost() -> None:
    linear = (False, False, False)
    assert apart([1], steep=linear, free=1) == [0, 1, 2, 6]
    assert apart([1, 4, 5], steep=linear) == [0, 6]
