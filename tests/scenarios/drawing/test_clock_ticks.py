"""Marks of an axis stand at round times of the local clock, a few of them, the first with its day."""

from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridbazaar.network.calendars import Calendar
from gridbazaar.scenarios.drawing.clock_ticks import clock_ticks


def berlin(start: str, step_min: int, count: int) -> Calendar:
    return Calendar(int(datetime.fromisoformat(start).timestamp()), "Europe/Berlin", step_min, count)


@pytest.mark.parametrize(
    ("calendar", "ticks"),
    [
        (berlin("2026-03-29T07:00+02:00", 15, 3), [(0, "07:00\n29 March"), (1, "07:15"), (2, "07:30")]),
        (
            berlin("2026-03-28T13:00+01:00", 60, 24),
            [(2, "15:00\n28 March"), (5, "18:00"), (8, "21:00"), (11, "29 March"), (13, "03:00"), (16, "06:00"),
             (19, "09:00"), (22, "12:00")],
        ),
        (berlin("2026-03-28T00:00+01:00", 60, 24 * 3 - 1), [
            (0, "28 March"), (12, "12:00"), (24, "29 March"), (35, "12:00"), (47, "30 March"), (59, "12:00"),
        ]),
        (berlin("2026-03-27T00:00+01:00", 15, 7 * 96 - 4), [
            (96 * day - 4 * (day > 2), f"{27 + day} March" if day < 5 else f"{day - 4} April") for day in range(7)
        ]),
    ],
)  # fmt: skip
def test_ticks(calendar, ticks):
    assert clock_ticks(calendar) == ticks


@given(st.integers(0, 10**6), st.sampled_from((5, 15, 30, 60)), st.integers(1, 5000), st.integers(1, 12))
def test_there_are_some_but_not_too_many(start, step_min, count, most):
    calendar = Calendar(300 * start, "America/New_York", step_min, count)
    found = clock_ticks(calendar, most)
    assert 1 <= len(found) <= most
    assert [t for t, _ in found] == sorted({t for t, _ in found})
    assert all(0 <= t < count for t, _ in found)
