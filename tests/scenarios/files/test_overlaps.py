"""Trips and jobs by the clock that are at once are told by their rows, the day and the clock."""

from __future__ import annotations

from typing import Any

import pytest

import gridbazaar.scenarios as gb
from gridbazaar.network.calendars import Calendar
from gridbazaar.scenarios.files.tree import Tree
from gridbazaar.scenarios.files.trips import JOBS, TRIPS, Kind, hours_of

SATURDAY_S = 1774652400  # 2026-03-28T00:00+01:00, the day before the clock is put forward
DAYS = Calendar(SATURDAY_S, "Europe/Berlin", 15, 4 * 96 - 4)


def trip(leaves: str, returns: str, days: str) -> dict[str, Any]:
    return {"leaves": leaves, "returns": returns, "days": days}


@pytest.mark.parametrize(
    ("rows", "sentence"),
    [
        (
            [trip("07:30", "17:00", "weekdays"), trip("10:00", "18:00", "monday")],
            "trips.2: trips.1 and trips.2 overlap on Monday 30 March, 10:00-17:00; let no two be at once",
        ),
        (
            [trip("12:00", "13:00", "monday"), trip("08:00", "09:00", "daily"), trip("06:00", "14:00", "weekdays")],
            "trips.3: trips.2 and trips.3 overlap on Monday 30 March, 08:00-09:00; let no two be at once",
        ),
        (
            [trip("22:00", "06:00", "sunday"), trip("23:30", "07:00", "sunday")],
            "trips.2: trips.1 and trips.2 overlap from Sunday 29 March, 23:30, to Monday 30 March, 06:00; let no two",
        ),
    ],
)
def test_two_trips_at_once_are_told_as_written(rows: list[dict[str, Any]], sentence: str) -> None:
    with pytest.raises(gb.ScenarioError) as refusal:
        hours_of(TRIPS, rows, ("trips",), Tree(), DAYS)
    assert str(refusal.value).startswith(sentence)


@pytest.mark.parametrize(("kind", "begins", "ends"), [(TRIPS, "leaves", "returns"), (JOBS, "earliest", "latest")])
def test_one_after_the_other_is_fine(kind: Kind, begins: str, ends: str) -> None:
    rows = [{begins: "12:00", ends: "13:00"}, {begins: "07:30", ends: "12:00"}, {begins: "13:00", ends: "13:15"}]
    assert len(hours_of(kind, rows, (kind.noun,), Tree(), DAYS)) == 12
    with pytest.raises(gb.ScenarioError, match=f"{kind.noun}.3 overlap on Saturday 28 March, 12:59-13:00"):
        hours_of(kind, [*rows[:2], {begins: "12:59", ends: "13:15"}], (kind.noun,), Tree(), DAYS)


def test_the_refusal_is_at_the_row_of_the_file() -> None:
    trips = [trip("07:30", "17:00", "weekdays"), trip("10:00", "18:00", "monday")]
    car = {"kind": "ev", "capacity_kwh": 40, "p_charge_max_kw": 11, "trips": trips}
    at = {"start": "2026-03-30T00:00", "timezone": "Europe/Berlin", "prosumers.p2.devices.car": car}
    with pytest.raises(gb.ScenarioError, match=r"p2\.devices\.car\.trips\.2: trips\.1 and trips\.2 overlap on Monday"):
        gb.load("ieee33", at).check()
