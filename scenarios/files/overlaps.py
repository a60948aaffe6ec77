"""Trips, or jobs, that are at the same time: told by the rows as they are written, with the day and the clock."""

from collections.abc import Iterable
from datetime import UTC, datetime
from itertools import pairwise
from typing import NamedTuple

from ...network.calendars import Calendar, zone_of

DAY_NAMES = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_S_PER_H = 3600


class Stay(NamedTuple):
    """When something is away, or may run, in hours from the first period, and the number of its row from 1."""

    begins_h: float
    ends_h: float
    row: int


class Overlap(NamedTuple):
    """Two rows, from 1 and in order, and from when to when they are both, in hours from the first period."""

    first: int
    second: int
    begins_h: float
    ends_h: float

    def span(self, calendar: Calendar) -> str:
        """When that is, on which day of the week: "on Monday 30 March, 10:00-17:00"."""
        zone = zone_of(calendar.zone)
        instants = (calendar.start_s + hours * _S_PER_H for hours in (self.begins_h, self.ends_h))
        begin, end = (datetime.fromtimestamp(instant, UTC).astimezone(zone) for instant in instants)
        if begin.date() == end.date():
            return f"on {_day(calendar, begin)}, {begin:%H:%M}-{end:%H:%M}"
        return f"from {_day(calendar, begin)}, {begin:%H:%M}, to {_day(calendar, end)}, {end:%H:%M}"


def first_overlap(stays: Iterable[Stay]) -> Overlap | None:
    """The first two that are at once, if there are any; one that begins when the other ends is not."""
    for before, after in pairwise(sorted(stays)):
        if after.begins_h < before.ends_h:
            first, second = sorted((before.row, after.row))
            return Overlap(first, second, after.begins_h, min(before.ends_h, after.ends_h))
    return None


def _day(calendar: Calendar, when: datetime) -> str:
    return f"{DAY_NAMES[when.weekday()].capitalize()} {calendar.day(when)}"
