"""Trips of vehicles as files write them, by the clock on certain days, in hours from the start."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime, time, timedelta
from typing import Any

from ...network.calendars import Calendar, zone_of
from ..errors import ScenarioError, refuse
from .tree import Tree, did_you_mean
from .yaml_file import Path_

_DAY_NAMES = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
DAYS = {
    "daily": range(7),
    "weekdays": range(5),
    "weekends": range(5, 7),
    **{name: (k,) for k, name in enumerate(_DAY_NAMES)},
}
"""The days on which a trip is made, by name; several are a list."""
_CLOCK = ("leaves", "returns")
_S_PER_H = 3600
_HALF_S = 0.5
TRIP_SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "leaves": {"type": "string", "description": 'by the local clock, "07:30"; the scenario needs a start'},
        "returns": {"type": "string", "description": "by the local clock; on the next day if not after leaves"},
        "days": {
            "description": "when it leaves by the clock; daily if not given",
            "anyOf": [{"enum": list(DAYS)}, {"type": "array", "items": {"enum": list(DAYS)}}],
        },
        "leaves_h": {"type": "number", "description": "instead: hours from the start of the first period"},
        "returns_h": {"type": "number", "description": "instead: hours from the start of the first period"},
        "energy_kwh": {"type": "number", "description": "used on the way"},
        "soc_needed": {
            "type": "number",
            "description": "what it has at the least when it leaves, as a fraction of the capacity",
        },
    },
    "additionalProperties": False,
}
"""The JSON Schema of a trip in a file."""


def hours_of(trips: Sequence[Any], path: Path_, tree: Tree, calendar: Calendar | None) -> list[Any]:
    """The same trips with `leaves_h` and `returns_h`; one by the clock is one for each of its days.

    Trips that leave after the last period, or return before the first one, are left out: nothing of them is there.

    Args:
        trips: As the file has them; what is no mapping, or has no clock times, is left for pydantic to refuse.
        path: Where they stand.
        tree: Where each value is written.
        calendar: When the periods are; None where nobody knows.

    Raises:
        ScenarioError: A time or a day is none, or nobody knows when the periods are.
    """
    found: list[Any] = []
    for number, trip in enumerate(trips, start=1):
        if isinstance(trip, Mapping) and any(key in trip for key in (*_CLOCK, "days")):
            found += _by_clock(trip, _Place((*path, str(number)), tree), calendar)
        else:
            found.append(trip)
    return found


class _Place:
    """Where a trip stands."""

    def __init__(self, path: Path_, tree: Tree) -> None:
        self._path, self._tree = path, tree

    def refusal(self, key: str, sentence: str) -> ScenarioError:
        """What is wrong with a value of it."""
        here = (*self._path, key)
        return refuse(self._tree.place(here), ".".join(here), sentence)


def _by_clock(trip: Mapping[str, Any], place: _Place, calendar: Calendar | None) -> Iterator[dict[str, Any]]:
    """A trip for each of its days that the calendar has a part of."""
    missing = next((key for key in _CLOCK if trip.get(key) is None), None)
    if missing:
        raise place.refusal(missing, 'this value is missing; write a clock time, "07:30"')
    leaves, returns = (_clock(str(trip[key]), key, place) for key in _CLOCK)
    days = _days(trip.get("days", "daily"), place)
    if calendar is None:
        cure = "state start and timezone, or give leaves_h and returns_h in hours from the first period"
        raise place.refusal("leaves", f"nothing says when the periods are; {cure}")
    rest = {key: value for key, value in trip.items() if key not in (*_CLOCK, "days")}
    horizon_h = (calendar.end_s - calendar.start_s) / _S_PER_H
    day, last = calendar.at(0).date() - timedelta(days=1), calendar.at(calendar.count).date()
    while day <= last:
        if day.weekday() in days:
            back = day if returns > leaves else day + timedelta(days=1)
            leaves_h, returns_h = _hours(calendar, day, leaves), _hours(calendar, back, returns)
            if leaves_h < horizon_h and returns_h > 0 and returns_h > leaves_h:
                yield {**rest, "leaves_h": leaves_h, "returns_h": returns_h}
        day += timedelta(days=1)


def _hours(calendar: Calendar, day: date, clock: time) -> float:
    """A local time in hours from the first period; one that is skipped is the moment at which the clock is put."""
    zone = zone_of(calendar.zone)
    local = datetime.combine(day, clock, zone)
    instant, before = local.timestamp(), local.replace(fold=1).timestamp()
    if instant > before:  # skipped: by the offsets after and before, it lies before that moment and after
        old = datetime.fromtimestamp(before, zone).utcoffset()
        while instant - before > _HALF_S:
            middle = (before + instant) / 2
            if datetime.fromtimestamp(middle, zone).utcoffset() == old:
                before = middle
            else:
                instant = middle
        instant = round(instant)
    return (instant - calendar.start_s) / _S_PER_H


def _clock(text: str, key: str, place: _Place) -> time:
    try:
        found = time.fromisoformat(text if ":" in text else "")
    except ValueError:
        raise place.refusal(key, f'{text!r} is no clock time; write one like "07:30"') from None
    if found.tzinfo is not None:
        raise place.refusal(key, f"{text!r} has an offset; times of trips are local ones, write it without")
    return found


def _days(stated: Any, place: _Place) -> set[int]:
    """The days of the week, from Monday, 0."""
    found: set[int] = set()
    for name in stated if isinstance(stated, list) else [stated]:
        if name not in DAYS:
            raise place.refusal("days", f"{name!r} is no day{did_you_mean(str(name), DAYS)}")
        found |= set(DAYS[name])
    return found
