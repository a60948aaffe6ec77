"""Every comparison comes out each way."""

from __future__ import annotations

from math import inf, nan

import pytest

from gridbazaar.scenarios.study.verdicts import Verdict, at_most, between, falling, more_than


@pytest.mark.parametrize(
    ("one", "other", "verdict"),
    [(3.0, 1.0, Verdict.HOLDS), (1.0, 3.0, Verdict.FAILS), (1.0, 1.5, Verdict.SAME), (1.5, 1.0, Verdict.SAME)],
)
def test_more_than(one: float, other: float, verdict: Verdict) -> None:
    assert more_than(one, other, 0.5) is verdict


@pytest.mark.parametrize(
    ("value", "verdict"), [(1.0, Verdict.HOLDS), (2.0, Verdict.HOLDS), (2.1, Verdict.FAILS), (nan, Verdict.FAILS)]
)
def test_at_most(value: float, verdict: Verdict) -> None:
    assert at_most(value, 2.0) is verdict


@pytest.mark.parametrize(
    ("counts", "verdict"),
    [
        ((11, 7, 6), Verdict.HOLDS),
        ((11, 11, 6), Verdict.HOLDS),
        ((inf, 7, 6), Verdict.HOLDS),
        ((4, 4, 4), Verdict.SAME),
        ((4, 4, 5), Verdict.FAILS),
        ((6, 8, 5), Verdict.FAILS),
        ((6, 8, inf), Verdict.FAILS),
        ((inf, inf, inf), Verdict.FAILS),
    ],
)
def test_falling(counts: tuple[float, ...], verdict: Verdict) -> None:
    assert falling(counts) is verdict


@pytest.mark.parametrize(
    ("value", "within", "verdict"),
    [
        (10.0, 1.0, Verdict.HOLDS),
        (10.0, 6.0, Verdict.OPEN),  # it may be 4 or 16
        (2.0, 1.0, Verdict.FAILS),
        (20.0, 1.0, Verdict.FAILS),
        (-10.0, 1.0, Verdict.FAILS),
        (0.5, 1.0, Verdict.SAME),
        (-0.5, 1.0, Verdict.SAME),
    ],
)
def test_between(value: float, within: float, verdict: Verdict) -> None:
    assert between(value, 5.0, 15.0, within) is verdict
