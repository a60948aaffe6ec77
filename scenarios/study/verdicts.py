"""What became of a statement: comparisons with a threshold, each of which can come out either way."""

from collections.abc import Sequence
from enum import StrEnum
from itertools import pairwise


class Verdict(StrEnum):
    """What became of a statement."""

    HOLDS = "holds"
    FAILS = "fails"
    SAME = "no difference"
    OPEN = "does not apply"


def more_than(one: float, other: float, within: float) -> Verdict:
    """Whether one is more than the other; there is no difference within so much."""
    if abs(one - other) <= within:
        return Verdict.SAME
    return Verdict.HOLDS if one > other else Verdict.FAILS


def at_most(value: float, limit: float) -> Verdict:
    """Whether a value is within its limit; one that is not known is not."""
    return Verdict.HOLDS if value <= limit else Verdict.FAILS


def falling(values: Sequence[float]) -> Verdict:
    """Whether values never rise and fall at least once; no difference where all are the same, and finite."""
    steps = list(pairwise(values))
    if values[-1] == float("inf") or any(later > earlier for earlier, later in steps):
        return Verdict.FAILS
    return Verdict.HOLDS if any(later < earlier for earlier, later in steps) else Verdict.SAME


def between(value: float, low: float, high: float, within: float) -> Verdict:
    """Whether a difference that is known within so much is in a range; no difference where it may as well be none.

    Where it may be in the range or not, the statement does not apply: nothing is said that is not known.
    """
    if abs(value) <= within:
        return Verdict.SAME
    least, most = value - within, value + within
    if low <= least and most <= high:
        return Verdict.HOLDS
    return Verdict.FAILS if most < low or least > high else Verdict.OPEN
