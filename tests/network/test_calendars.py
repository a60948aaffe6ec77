"""Calendars against pandas' own time zones: days of 23, 24 and 25 hours, and hours that the clock shows twice."""

import pickle
from datetime import UTC, datetime, time
from itertools import pairwise

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gridbazaar.network.calendars import Calendar
from gridbazaar.network.errors import InputError
from gridbazaar.network.periods import axis_name, period_name, spans

ZONES = (
    "UTC",
    "Europe/Berlin",
    "America/New_York",
    "Australia/Lord_Howe",
    "Asia/Kolkata",
    "Africa/Cairo",
    "Asia/Beirut",
)
STEPS = (1, 5, 10, 15, 20, 30, 60)


def berlin(start: str, step_min: int, count: int) -> Calendar:
    return Calendar(int(datetime.fromisoformat(start).timestamp()), "Europe/Berlin", step_min, count)


SPRING, AUTUMN = berlin("2026-03-29T00:00+01:00", 60, 23), berlin("2026-10-25T00:00+02:00", 60, 25)


@st.composite
def calendars(draw: st.DrawFn) -> Calendar:
    day = draw(st.integers(0, 366 * 3))
    start = datetime(2025, 1, 1, tzinfo=UTC).timestamp() + 86400 * day + 60 * draw(st.sampled_from((0, 15, 30, 720)))
    step = draw(st.sampled_from(STEPS))
    return Calendar(int(start), draw(st.sampled_from(ZONES)), step, draw(st.integers(1, 2 * 24 * 60 // step)))


@settings(max_examples=40)
@given(calendars())
def test_times_are_those_of_pandas(calendar: Calendar) -> None:
    start = pd.Timestamp(calendar.start_s, unit="s", tz=calendar.zone)
    theirs = pd.date_range(start, periods=calendar.count, freq=f"{calendar.step_min}min")
    assert [when.isoformat() for when in calendar.times()] == [when.isoformat() for when in theirs]
    assert calendar.at(calendar.count).timestamp() == calendar.end_s


@settings(max_examples=40)
@given(calendars())
def test_days_are_those_of_pandas(calendar: Calendar) -> None:
    days = pd.Series(pd.DatetimeIndex(calendar.times()).date)
    assert calendar.day_starts() == days[~days.duplicated()].index.tolist()


@settings(max_examples=40)
@given(calendars(), st.times())
def test_a_clock_time_of_every_day_is_where_pandas_finds_it(calendar: Calendar, clock: time) -> None:
    clock = clock.replace(second=0, microsecond=0)
    begin = pd.Timestamp(calendar.start_s, unit="s", tz="UTC")
    wanted = []
    for day in pd.Series(pd.DatetimeIndex(calendar.times()).date).unique():
        wall = pd.Timestamp(datetime.combine(day, clock))
        instant = wall.tz_localize(calendar.zone, ambiguous=True, nonexistent="shift_forward")
        period = int((instant - begin) // pd.Timedelta(minutes=calendar.step_min))
        wanted += [period] if 0 <= period < calendar.count else []
    assert calendar.daily(clock) == wanted


@settings(max_examples=40)
@given(calendars(), st.data())
def test_a_cut_has_the_same_times(calendar: Calendar, data: st.DataObject) -> None:
    first = data.draw(st.integers(0, calendar.count - 1))
    count = data.draw(st.integers(1, calendar.count - first))
    assert calendar.cut(first, count).times() == calendar.times()[first : first + count]


def test_a_year_of_quarters_has_days_of_92_96_and_100() -> None:
    year = berlin("2026-01-01T00:00+01:00", 15, 35_040)
    starts = [*year.day_starts(), year.count]
    lengths = {year.at(t).strftime("%m-%d"): end - t for t, end in pairwise(starts)}
    assert len(lengths) == 365
    assert {day: length for day, length in lengths.items() if length != 96} == {"03-29": 92, "10-25": 100}


@pytest.mark.parametrize(
    ("calendar", "period", "name"),
    [
        (SPRING, 0, "period 1 (29 March 00:00-01:00)"),
        (SPRING, 2, "period 3 (29 March 03:00-04:00)"),
        (SPRING, 22, "period 23 (29 March 23:00-24:00)"),
        (AUTUMN, 2, "period 3 (25 October 02:00 CEST-02:00 CET)"),
        (AUTUMN, 3, "period 4 (25 October 02:00 CET-03:00)"),
        (berlin("2026-10-25T02:45+02:00", 15, 4), 0, "period 1 (25 October 02:45 CEST-02:00 CET)"),
        (berlin("2026-12-31T23:00+01:00", 60, 2), 1, "period 2 (1 January 2027 00:00-01:00)"),
    ],
)
def test_names_say_the_local_time(calendar: Calendar, period: int, name: str) -> None:
    assert period_name(period, calendar) == name


def test_spans_say_the_days() -> None:
    calendar = berlin("2026-03-28T22:00+01:00", 60, 30)
    said = "28 March 22:00 to 29 March 01:00 and 29 March 05:00-07:00"
    assert spans([0, 1, 2, 6, 7], calendar) == said


def test_an_hour_that_is_skipped_is_reached_when_the_clock_has_jumped() -> None:
    assert SPRING.daily(time(2, 30)) == [2]
    assert SPRING.at(2).isoformat() == "2026-03-29T03:00:00+02:00"
    assert AUTUMN.daily(time(2, 30)) == [2]


def test_a_calendar_travels() -> None:
    assert pickle.loads(pickle.dumps(AUTUMN)) == AUTUMN


@pytest.mark.parametrize(
    ("step_min", "count", "zone", "sentence"),
    [
        (7, 1, "UTC", "a step of 7 min does not divide an hour; use one that does, such as 15"),
        (120, 1, "UTC", "a step of 120 min does not divide an hour; use one that does, such as 15"),
        (15, 0, "UTC", "a calendar needs at least one period, not 0"),
        (15, 1, "Mars/Base", "'Mars/Base' is no time zone; write an IANA name such as Europe/Berlin, or UTC"),
        (15, 1, "../etc", "'../etc' is no time zone; write an IANA name such as Europe/Berlin, or UTC"),
        (15, 1, "", "'' is no time zone; write an IANA name such as Europe/Berlin, or UTC"),
    ],
)
def test_what_is_no_calendar_is_refused(step_min: int, count: int, zone: str, sentence: str) -> None:
    with pytest.raises(InputError) as refusal:
        Calendar(0, zone, step_min, count)
    assert str(refusal.value) == sentence


def test_a_cut_beyond_the_end_is_refused() -> None:
    with pytest.raises(InputError, match="periods 23 to 24 are not among the 23 of the calendar"):
        SPRING.cut(22, 2)


@pytest.mark.parametrize(
    ("dt_h", "name"), [(1.0, "hour (1: 00:00-01:00)"), (0.25, "period of 15 min (1: 00:00-00:15)")]
)
def test_an_axis_of_periods_says_which_hours_they_are(dt_h, name):
    assert axis_name(dt_h) == name
    assert period_name(0, dt_h).removeprefix("period 1 (") in name


def test_an_axis_of_a_calendar_names_its_zone():
    assert axis_name(SPRING) == "time, Europe/Berlin"
