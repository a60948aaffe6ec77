"""Which periods windows have, and what stands for a period that is not known yet."""

from __future__ import annotations

import pandas as pd
import pytest

from gridbazaar.network.calendars import Calendar
from gridbazaar.scenarios.files.horizon import HorizonRow
from gridbazaar.scenarios.rolling.forecasts import known_periods
from gridbazaar.scenarios.rolling.windows import Window, windows_of


def test_each_step_gets_a_window_and_the_last_ones_are_shorter():
    windows = windows_of(HorizonRow(length_h=48, step_h=24), 60, 1.0)
    assert windows == [Window(1, 0, 48, 24), Window(2, 24, 36, 24), Window(3, 48, 12, 12)]


def test_without_a_step_windows_do_not_overlap():
    assert windows_of(HorizonRow(length_h=12), 48, 0.5) == [Window(1, 0, 24, 24), Window(2, 24, 24, 24)]


def test_every_period_is_kept_once():
    for length, step in ((1, 1), (5, 2), (7, 7), (100, 3)):
        windows = windows_of(HorizonRow(length_h=length, step_h=step), 17, 1.0)
        assert [t for w in windows for t in range(w.first, w.kept_until)] == list(range(17))
        assert all(w.end == min(17, w.first + length) for w in windows)


def test_what_is_known_is_the_same_time_of_the_last_day_before_the_window():
    assert known_periods(Window(2, 24, 30, 24), None, 1.0) == [*range(24), *range(6)]
    assert known_periods(Window(1, 0, 3, 3), None, 1.0) == [0, 1, 2]  # nothing was before: it is taken to be known
    assert known_periods(Window(2, 24, 3, 3), None, 0.5) == [24, 25, 26]  # nor 24 h before


@pytest.mark.parametrize("start", ["2026-03-27", "2026-10-23"])
def test_the_same_time_is_that_of_the_clock(start):
    """Held against pandas, over a change of the clock."""
    times = pd.date_range(start, periods=24 * 5, freq="h", tz="Europe/Berlin")
    calendar = Calendar(int(times[0].timestamp()), "Europe/Berlin", 60, len(times))
    window = Window(2, 36, 72, 24)
    for t, source in zip(range(36, 108), known_periods(window, calendar, 1.0), strict=True):
        assert source < 36 or source == t
        if times[t].hour not in (2, 3):  # which the clock skips, or shows twice
            assert times[source].hour == times[t].hour
            later = times[source] + pd.DateOffset(days=1)
            assert times.get_loc(later) >= 36  # and it is the last one that is known
