"""What rows of times mean, against pandas: nothing is guessed where a clock shows an hour twice."""

import re
from zoneinfo import ZoneInfo

import pandas as pd
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

import gridbazaar.scenarios as gb
from gridbazaar.scenarios.files.csv_file import TableRow
from gridbazaar.scenarios.files.local_times import check_order, instants, usual_step_s
from gridbazaar.scenarios.files.timed_table import TimedTable

BERLIN = ZoneInfo("Europe/Berlin")
ZONES = ("Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kolkata", "Africa/Cairo")


def rows(times: list[str]) -> TimedTable:
    return TimedTable(
        "t.csv", "time", [TableRow(f"t.csv:{k}", {"time": text}) for k, text in enumerate(times, start=2)]
    )


def hours(*clocks: str, date: str = "2026-10-25") -> TimedTable:
    return rows([f"{date}T{clock}" for clock in clocks])


def read(table: TimedTable) -> list[str]:
    found = instants(table, BERLIN)
    check_order(table, found, usual_step_s(found))
    return [f"{pd.Timestamp(instant, unit='s', tz=BERLIN):%H:%M %Z}" for instant in found]


@settings(max_examples=60)
@given(
    zone=st.sampled_from(ZONES),
    first=st.integers(0, 8760),
    count=st.integers(2, 300),
    step_min=st.sampled_from((10, 15, 30, 60)),
    offsets=st.booleans(),
)
def test_a_whole_series_is_read_as_it_was_written(zone, first, count, step_min, offsets):
    """What pandas writes as local times is read as the same instants, if it begins and ends outside of such an hour."""
    start = pd.Timestamp("2026-01-01", tz="UTC") + pd.Timedelta(hours=first)
    times = pd.date_range(start, periods=count, freq=f"{step_min}min").tz_convert(zone)
    twice = times.tz_localize(None).tz_localize(zone, ambiguous="NaT", nonexistent="NaT").isna()
    texts = [when.isoformat() for when in (times if offsets else times.tz_localize(None))]
    assume(offsets or not twice.all())  # of these nobody can know; see below
    found = instants(rows(texts), ZoneInfo(zone))
    assert found == [int(when.timestamp()) for when in times]


@pytest.mark.parametrize(
    ("table", "found"),
    [
        (hours("01:00", "02:00", "02:00", "03:00"), ["01:00 CEST", "02:00 CEST", "02:00 CET", "03:00 CET"]),
        (hours("01:00", "02:00"), ["01:00 CEST", "02:00 CEST"]),
        (hours("02:00", "03:00", "04:00"), ["02:00 CET", "03:00 CET", "04:00 CET"]),
        (hours("02:30", "02:00", "02:30"), ["02:30 CEST", "02:00 CET", "02:30 CET"]),
        (hours("02:00+01:00", "03:00"), ["02:00 CET", "03:00 CET"]),
        (hours("00:00Z", "01:00Z"), ["02:00 CEST", "02:00 CET"]),
        (hours("01:00", "02:00+02:00", "02:00+01:00"), ["01:00 CEST", "02:00 CEST", "02:00 CET"]),
    ],
)
def test_order_or_offset_tells_which_hour_is_meant(table, found):
    assert read(table) == found


TWICE = "the clock of Europe/Berlin shows 2026-10-25T02:00 twice, and the rows do not say which is meant"


@pytest.mark.parametrize(
    ("table", "sentence"),
    [
        (hours("02:00", "02:15", "02:30", "02:45"), f"t.csv:2 time: {TWICE}; write the times of that day with "
         f"an offset"),
        (hours("00:00", "01:00", "02:00", "03:00", "04:00"), f"t.csv:4 time: {TWICE}"),
        (hours("01:00", "02:00", "02:00", "02:00", "03:00"), f"t.csv:3 time: {TWICE}"),
        (hours("01:00", "02:30", date="2026-03-29"), "t.csv:3 time: the clock of Europe/Berlin is put forward over "
         "2026-03-29T02:30, which it never shows; write times with their offset, or name the zone that they are of"),
        (hours("05:00", "06:00", "06:00"), "t.csv:4 time: 2026-10-25T06:00 is given twice, first at t.csv:3; "
         "keep one row"),
        (hours("05:00", "06:00", "04:00"), "t.csv:4 time: 2026-10-25T04:00 is before the time of the row above "
         "it; sort "
         "the rows by time"),
        (hours("05:00", "06:00", "07:00", "07:20"), "t.csv:5 time: 2026-10-25T07:20 is 20 min after the row above it, "
         "where rows are 60 min apart; correct the time, or take the row out"),
        (hours("05:00", "05:25", "05:50"), "t.csv time: rows are 25 min apart, which does not divide an hour; "
         "use a step "
         "that does, such as 15 min"),
        (hours("05:00", "07:00", "09:00"), "t.csv time: rows are 120 min apart, which does not divide an hour"),
        (rows([f"2026-10-25T0{hour}:00" for hour in range(4, 7)] + ["2126-10-25T07:00"]), "t.csv:5 time: "
         "2126-10-25T07:00 is more than a year after the row above it; correct the time"),
        (hours("05:00:30"), "t.csv:2 time: 2026-10-25T05:00:30 has parts of a minute; write whole minutes"),
        (rows(["25.10.2026 05:00"]), "t.csv:2 time: '25.10.2026 05:00' is no time; write it like 2026-03-29T00:00, or "
         "with an offset, +01:00"),
        (rows(["9999-12-31T23:00"]), "t.csv:2 time: 9999-12-31T23:00 is not between 1900 and 2200; correct the year"),
        (rows([""]), "t.csv:2 time: this cell is empty; write the time at which the row's period begins"),
    ],
)  # fmt: skip
def test_what_cannot_be_known_is_refused_with_its_row(table, sentence):
    with pytest.raises(gb.ScenarioError, match=re.escape(sentence)):
        read(table)
