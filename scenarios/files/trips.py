"""Trips of vehicles and jobs of loads as files write them, by the clock on certain days, in hours from the start."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime, time, timedelta
from typing import Any, NamedTuple

from ...network.calendars import Calendar, zone_of
from ..errors import ScenarioError, refuse
from .overlaps import DAY_NAMES, Stay, first_overlap
from .tree import Tree, did_you_mean
from .yaml_file import Path_

DAYS = {
    "daily": range(7),
    "weekdays": range(5),
    "weekends": range(5, 7),
    **{name: (k,) for k, name in enumerate(DAY_NAMES)},
}
"""The days on which a trip is made, by name; several are a list."""
_S_PER_H = 3600
_HALF_S = 0.5


class Kind(NamedTuple):
    """Of what times are: the words that files have for them.

    Attributes:
        noun: What they are called.
        begins, ends: The keys of clock times; with `_h` behind, those of hours.
        whole: Whether one that is not there from beginning to end is not there at all.
    """

    noun: str
    begins: str
    ends: str
    whole: bool

    @property
    def clock(self) -> tuple[str, str]:
        """The keys of clock times."""
        return self.begins, self.ends

    def schema(self, more: dict[str, Any]) -> dict[str, Any]:
        """The JSON Schema of one in a file, which has these properties more."""
        start, hours = "the scenario needs a start", "instead: hours from the start of the first period"
        return {
            "type": "object",
            "properties": {
                self.begins: {"type": "string", "description": f'by the local clock, "07:30"; {start}'},
                self.ends: {
                    "type": "string",
                    "description": f"by the local clock; on the next day if not after {self.begins}",
                },
                "days": {
                    "description": f"on which days, by {self.begins}; daily if not given",
                    "anyOf": [{"enum": list(DAYS)}, {"type": "array", "items": {"enum": list(DAYS)}}],
                },
                f"{self.begins}_h": {"type": "number", "description": hours},
                f"{self.ends}_h": {"type": "number", "description": hours},
                **more,
            },
            "additionalProperties": False,
        }


TRIPS = Kind("trips", "leaves", "returns", whole=False)
JOBS = Kind("jobs", "earliest", "latest", whole=True)
SCHEMAS: dict[Kind, dict[str, Any]] = {
    TRIPS: TRIPS.schema(
        {
            "energy_kwh": {"type": "number", "description": "used on the way"},
            "soc_needed": {
                "type": "number",
                "description": "what it has at the least when it leaves, as a fraction of the capacity",
            },
        }
    ),
    JOBS: JOBS.schema({}),
}
"""The JSON Schema of a trip and of a job in a file."""


def hours_of(kind: Kind, times: Sequence[Any], path: Path_, tree: Tree, calendar: Calendar | None) -> list[Any]:
    """The same trips with `leaves_h` and `returns_h`; one by the clock is one for each of its days. Jobs likewise.

    Trips that leave after the last period, or return before the first one, are left out: nothing of them is there. So
    are jobs that begin before the first period or end after the last one: they were done before, or may wait.

    Args:
        kind: Of what they are.
        times: As the file has them; what is no mapping, or has no clock times, is left for pydantic to refuse.
        path: Where they stand.
        tree: Where each value is written.
        calendar: When the periods are; None where nobody knows.

    Raises:
        ScenarioError: A time or a day is none, nobody knows when the periods are, or two are at once.
    """
    found: list[Any] = []
    stays: list[Stay] = []
    for number, one in enumerate(times, start=1):
        if isinstance(one, Mapping) and any(key in one for key in (*kind.clock, "days")):
            made = list(_by_clock(kind, one, _Place((*path, str(number)), tree), calendar))
            stays += [Stay(each[f"{kind.begins}_h"], each[f"{kind.ends}_h"], number) for each in made]
            found += made
        else:
            found.append(one)
    overlap = first_overlap(stays)
    if overlap and calendar:
        rows = f"{path[-1]}.{overlap.first} and {path[-1]}.{overlap.second} overlap"
        here = (*path, str(overlap.second))
        sentence = f"{rows} {overlap.span(calendar)}; let no two be at once"
        raise refuse(tree.place(here), ".".join(here), sentence)
    return found


class _Place:
    """Where a trip, or a job, stands."""

    def __init__(self, path: Path_, tree: Tree) -> None:
        self._path, self._tree = path, tree

    def refusal(self, key: str, sentence: str) -> ScenarioError:
        """What is wrong with a value of it."""
        here = (*self._path, key)
        return refuse(self._tree.place(here), ".".join(here), sentence)


def _by_clock(kind: Kind, one: Mapping[str, Any], place: _Place, calendar: Calendar | None) -> Iterator[dict[str, Any]]:
    """A trip, or a job, for each of its days that the calendar has a part of, or the whole."""
    missing = next((key for key in kind.clock if one.get(key) is None), None)
    if missing:
        raise place.refusal(missing, 'this value is missing; write a clock time, "07:30"')
    begins, ends = (_clock(str(one[key]), key, kind, place) for key in kind.clock)
    days = _days(one.get("days", "daily"), place)
    if calendar is None:
        cure = f"state start and timezone, or give {kind.begins}_h and {kind.ends}_h in hours from the first period"
        raise place.refusal(kind.begins, f"nothing says when the periods are; {cure}")
    rest = {key: value for key, value in one.items() if key not in (*kind.clock, "days")}
    horizon_h = (calendar.end_s - calendar.start_s) / _S_PER_H
    day, last = calendar.at(0).date() - timedelta(days=1), calendar.at(calendar.count).date()
    while day <= last:
        if day.weekday() in days:
            end_day = day if ends > begins else day + timedelta(days=1)
            begins_h, ends_h = _hours(calendar, day, begins), _hours(calendar, end_day, ends)
            there = begins_h >= 0 and ends_h <= horizon_h if kind.whole else begins_h < horizon_h and ends_h > 0
            if there and ends_h > begins_h:
                yield {**rest, f"{kind.begins}_h": begins_h, f"{kind.ends}_h": ends_h}
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


def _clock(text: str, key: str, kind: Kind, place: _Place) -> time:
    try:
        found = time.fromisoformat(text if ":" in text else "")
    except ValueError:
        raise place.refusal(key, f'{text!r} is no clock time; write one like "07:30"') from None
    if found.tzinfo is not None:
        raise place.refusal(key, f"{text!r} has an offset; times of {kind.noun} are local ones, write it without")
    return found


def _days(stated: Any, place: _Place) -> set[int]:
    """The days of the week, from Monday, 0."""
    found: set[int] = set()
    for name in stated if isinstance(stated, list) else [stated]:
        if name not in DAYS:
            raise place.refusal("days", f"{name!r} is no day{did_you_mean(str(name), DAYS)}")
        found |= set(DAYS[name])
    return found
