"""Trips and jobs by the local clock: their hours from the start, also where the clock is put, and what is refused."""

from __future__ import annotations

from typing import Any

import pytest

import gridbazaar.scenarios as gb
from gridbazaar.network.calendars import Calendar
from gridbazaar.scenarios.errors import InfeasibleScenarioError
from gridbazaar.scenarios.files.tree import Tree
from gridbazaar.scenarios.files.trips import JOBS, TRIPS, hours_of

MONDAY_S = 1774220400  # 2026-03-23T00:00+01:00
WEEK = Calendar(MONDAY_S, "Europe/Berlin", 15, 668)  # on Sunday the clock is put forward


def hours(trip: dict[str, Any], calendar: Calendar | None = WEEK) -> list[tuple[float, float]]:
    return [(one["leaves_h"], one["returns_h"]) for one in hours_of(TRIPS, [trip], ("trips",), Tree(), calendar)]


def test_weekdays_are_five() -> None:
    found = hours({"leaves": "07:30", "returns": "17:00", "energy_kwh": 9, "days": "weekdays"})
    assert found == [(24 * day + 7.5, 24 * day + 17.0) for day in range(5)]


def test_a_sunday_of_23_hours() -> None:
    assert hours({"leaves": "10:00", "returns": "14:00", "days": "sunday"}) == [(6 * 24 + 9.0, 6 * 24 + 13.0)]
    assert hours({"leaves": "01:00", "returns": "05:00", "days": "sunday"}) == [(6 * 24 + 1.0, 6 * 24 + 4.0)]


@pytest.mark.parametrize(
    ("leaves", "returns", "hours_of_sunday"),
    [("02:30", "03:30", (2.0, 2.5)), ("02:15", "03:10", (2.0, 2 + 1 / 6)), ("01:30", "02:30", (1.5, 2.0))],
)
def test_times_that_sunday_skips_are_the_moment_at_which_the_clock_is_put(
    leaves: str, returns: str, hours_of_sunday: tuple[float, float]
) -> None:
    """02:00 is 03:00: no trip is lost, and none overlaps one that leaves at 03:00."""
    (found,) = hours({"leaves": leaves, "returns": returns, "days": "sunday"})
    assert found == pytest.approx([6 * 24 + hour for hour in hours_of_sunday], abs=1e-9)


def test_a_night_shift_returns_the_next_day_and_may_have_left_before() -> None:
    found = hours({"leaves": "22:00", "returns": "06:00", "days": ["sunday", "monday"]})
    assert found == [(-2.0, 6.0), (22.0, 30.0), (6 * 24 + 21.0, 6 * 24 + 29.0)]


def test_days_add_up_and_what_else_is_said_stays() -> None:
    trip = {"leaves": "08:00", "returns": "09:00", "days": ["weekends", "friday"], "soc_needed": 0.8}
    found = hours_of(TRIPS, [trip, {"leaves_h": 1, "returns_h": 2}, "x"], ("trips",), Tree(), WEEK)
    assert [one["leaves_h"] for one in found[:3]] == [4 * 24 + 8.0, 5 * 24 + 8.0, 6 * 24 + 7.0]
    assert {one["soc_needed"] for one in found[:3]} == {0.8}
    assert found[3:] == [{"leaves_h": 1, "returns_h": 2}, "x"]
    assert len(hours({"leaves": "08:00", "returns": "09:00"})) == 7


WRONG = {
    "no clock": ({"leaves": "7.30", "returns": "17:00"}, "trips.1.leaves: '7.30' is no clock time; write one like"),
    "no time": ({"leaves": "27:30", "returns": "17:00"}, "trips.1.leaves: '27:30' is no clock time"),
    "offset": ({"leaves": "07:30+01:00", "returns": "17:00"}, "has an offset; times of trips are local ones"),
    "no return": ({"leaves": "07:30"}, 'trips.1.returns: this value is missing; write a clock time, "07:30"'),
    "no day": (
        {"leaves": "07:30", "returns": "17:00", "days": "weekday"},
        r"trips.1.days: 'weekday' is no day; did you mean weekdays\?",
    ),
}


@pytest.mark.parametrize("what", WRONG)
def test_what_is_wrong(what: str) -> None:
    trip, sentence = WRONG[what]
    with pytest.raises(gb.ScenarioError, match=sentence):
        hours(trip)


def test_without_a_start_there_is_no_clock() -> None:
    cure = "nothing says when the periods are; state start and timezone, or give leaves_h and returns_h in hours"
    with pytest.raises(gb.ScenarioError, match=f"^trips.1.leaves: {cure}"):
        hours({"leaves": "07:30", "returns": "17:00"}, None)


def test_a_scenario_with_a_start_has_trips_by_the_clock() -> None:
    car = {
        "kind": "ev",
        "capacity_kwh": 40,
        "p_charge_max_kw": 11,
        "trips": [{"leaves": "07:30", "returns": "17:00", "energy_kwh": 9, "days": "weekdays"}],
    }
    at = {"start": "2026-03-27T12:00", "timezone": "Europe/Berlin", "prosumers.p2.devices.car": car}
    (made,) = gb.load("ieee33", at).build_households()[1].devices
    assert [(trip.leaves_h, trip.returns_h) for trip in made.trips] == [(-4.5, 5.0)]  # type: ignore[attr-defined]
    with pytest.raises(gb.ScenarioError, match=r"prosumers\.p2\.devices\.car\.trips\.1\.leaves: nothing says when"):
        gb.load("ieee33", {"prosumers.p2.devices.car": car}).check()


def test_what_a_car_lacks_is_told_with_the_date() -> None:
    ends = r"by the end of period 668 \(29 March 23:45-24:00\)"
    sentence = rf"car of h05 needs 30 kWh {ends} and can get 23\.9; let soc_end be"
    with pytest.raises(InfeasibleScenarioError, match=rf"lv_street\.yaml:\d+ prosumers\.h05\.devices\.car: {sentence}"):
        gb.load("lv_street", {"devices.car.p_charge_max_kw": 0.5}).check()


def jobs(job: dict[str, Any], calendar: Calendar | None = WEEK) -> list[tuple[float, float]]:
    return [(one["earliest_h"], one["latest_h"]) for one in hours_of(JOBS, [job], ("jobs",), Tree(), calendar)]


def test_jobs_are_there_from_beginning_to_end_or_not_at_all() -> None:
    """That of the night before Monday was done before, and that of Sunday may wait for Monday."""
    assert jobs({"earliest": "22:15", "latest": "06:00", "days": ["sunday", "saturday"]}) == [
        (5 * 24 + 22.25, 6 * 24 + 5)
    ]
    assert jobs({"earliest": "09:30", "latest": "10:45", "days": "sunday"}) == [(6 * 24 + 8.5, 6 * 24 + 9.75)]
    assert len(jobs({"earliest": "00:00", "latest": "23:45"})) == 7


def test_what_is_wrong_with_jobs() -> None:
    for job, sentence in (
        ({"earliest": "7.30", "latest": "17:00"}, "jobs.1.earliest: '7.30' is no clock time; write one like"),
        ({"earliest": "07:30+01:00", "latest": "17:00"}, "has an offset; times of jobs are local ones"),
        ({"earliest": "07:30"}, 'jobs.1.latest: this value is missing; write a clock time, "07:30"'),
    ):
        with pytest.raises(gb.ScenarioError) as caught:
            jobs(job)
        assert sentence in str(caught.value)
    cure = "nothing says when the periods are; state start and timezone, or give earliest_h and latest_h in hours"
    with pytest.raises(gb.ScenarioError, match=f"^jobs.1.earliest: {cure}"):
        jobs({"earliest": "07:30", "latest": "17:00"}, None)


WASHING = {"kind": "deferrable", "energy_kwh": 2, "p_max_kw": 2}


def test_a_scenario_with_a_start_has_jobs_by_the_clock() -> None:
    washing = {**WASHING, "jobs": [{"earliest": "09:30", "latest": "13:00", "days": "weekends"}]}
    at = {"timezone": "Europe/Berlin", "prosumers.p2.devices.washing": washing}
    (made,) = gb.load("ieee33", {**at, "start": "2026-03-29T00:00"}).build_households()[1].devices
    assert [(job.earliest_h, job.latest_h) for job in made.jobs] == [(8.5, 12.0)]  # type: ignore[attr-defined]
    monday = gb.load("ieee33", {**at, "start": "2026-03-30T00:00"})
    monday.check()
    (made,) = monday.build_households()[1].devices
    assert made.jobs == ()  # type: ignore[attr-defined]
    misspelt = {**WASHING, "jobs": [{"earliest_h": 2, "lastest_h": 3}]}
    with pytest.raises(gb.ScenarioError, match=r"washing\.jobs\.1\.lastest_h: unknown key; did you mean latest_h\?"):
        gb.load("ieee33", {**at, "start": "2026-03-30T00:00", "prosumers.p2.devices.washing": misspelt}).check()
