"""When the periods of a market are: a start, a time zone and a step, with days of 23, 24 and 25 hours.

Instants are whole seconds since 1970-01-01T00:00Z, so that no clock change touches them; local times are made of them
for people. A clock that is put back shows an hour twice: such times are named with the abbreviation of their offset.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from math import isclose
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from .errors import InputError

MINUTES_PER_HOUR = 60
SECONDS_PER_MINUTE = 60
_MONTHS = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)


def zone_of(name: str) -> ZoneInfo:
    """The time zone of an IANA name, such as Europe/Berlin.

    Raises:
        InputError: There is none.
    """
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):  # the last two for names that are no file of the tz database
        raise InputError(f"{name!r} is no time zone; write an IANA name such as Europe/Berlin, or UTC") from None


def is_step(step_min: int) -> bool:
    """Whether periods of so many minutes fill an hour."""
    return 0 < step_min <= MINUTES_PER_HOUR and MINUTES_PER_HOUR % step_min == 0


def step_min_of(dt_h: float) -> int:
    """The step, in minutes, of periods of so many hours.

    Raises:
        InputError: They do not fill an hour with whole minutes.
    """
    minutes = round(dt_h * MINUTES_PER_HOUR)
    if not (is_step(minutes) and isclose(dt_h * MINUTES_PER_HOUR, minutes, rel_tol=1e-9)):
        sentence = f"{dt_h:g} h does not divide an hour into whole minutes, as periods of a calendar do"
        raise InputError(f"{sentence}; write a step that does, such as step: 15min")
    return minutes


@dataclass(frozen=True, slots=True)
class Calendar:
    """The periods of a market in time; numbers and text alone, so that files can hold it.

    Attributes:
        start_s: Beginning of the first period, seconds since 1970-01-01T00:00Z.
        zone: IANA name of the time zone that local times and days are of.
        step_min: Length of a period in minutes; it divides an hour.
        count: Number of periods.

    Raises:
        InputError: The step does not divide an hour, there is no period, or no such zone.
    """

    start_s: int
    zone: str
    step_min: int
    count: int

    def __post_init__(self) -> None:
        zone_of(self.zone)
        if not is_step(self.step_min):
            raise InputError(f"a step of {self.step_min} min does not divide an hour; use one that does, such as 15")
        if self.count < 1:
            raise InputError(f"a calendar needs at least one period, not {self.count}")

    @property
    def dt_h(self) -> float:
        """Length of a period in hours."""
        return self.step_min / MINUTES_PER_HOUR

    @property
    def step_s(self) -> int:
        """Length of a period in seconds."""
        return self.step_min * SECONDS_PER_MINUTE

    @property
    def end_s(self) -> int:
        """End of the last period, seconds since 1970-01-01T00:00Z."""
        return self.start_s + self.count * self.step_s

    def cut(self, first: int, count: int) -> Calendar:
        """The calendar of `count` periods from the one with index `first` on.

        Raises:
            InputError: They are not all there.
        """
        if not (first >= 0 and count >= 1 and first + count <= self.count):
            raise InputError(f"periods {first + 1} to {first + count} are not among the {self.count} of the calendar")
        return replace(self, start_s=self.start_s + first * self.step_s, count=count)

    def at(self, period: int) -> datetime:
        """Local time at which a period begins, by index; with `count`, when the last one ends."""
        instant = datetime.fromtimestamp(self.start_s + period * self.step_s, UTC)
        return instant.astimezone(zone_of(self.zone))

    def times(self) -> list[datetime]:
        """Local times at which the periods begin, aware of their zone, (period,)."""
        return [self.at(t) for t in range(self.count)]

    def day_starts(self) -> list[int]:
        """Index of the first period of every local day; the first day, and the last, may be cut off."""
        days = [when.date() for when in self.times()]
        return [t for t, day in enumerate(days) if t == 0 or day != days[t - 1]]

    def daily(self, clock: time) -> list[int]:
        """Index of the period in which each local day reaches a clock time, such as 07:30; days that do not have none.

        Where the clock is put forward over it, that is the first period after; where it shows it twice, the first.
        """
        found = []
        for day in self._days():
            instant = datetime.combine(day, clock, zone_of(self.zone)).timestamp()  # fold 0: the first of two
            if datetime.fromtimestamp(instant, zone_of(self.zone)).time() != clock:  # it is skipped
                instant = _first_after(day, clock, zone_of(self.zone))
            period = int((instant - self.start_s) // self.step_s)
            if 0 <= period < self.count:
                found.append(period)
        return found

    def _days(self) -> Iterator[date]:
        day, last = self.at(0).date(), self.at(self.count - 1).date()
        while day <= last:
            yield day
            day += timedelta(days=1)

    def name(self, period: int) -> str:
        """A period in a sentence, by index: "period 9 (29 March 03:00-03:15)"."""
        return f"period {period + 1} ({self.span(period, period + 1)})"

    def span(self, first: int, end: int) -> str:
        """Between the starts of two periods: "29 March 03:00-07:00", "29 March 23:00 to 30 March 01:00"."""
        start, stop = self.at(first), self.at(end)
        if stop.date() == start.date():
            return f"{self.day(start)} {_clock(start)}-{_clock(stop)}"
        if stop.time() == time() and stop.date() - start.date() == timedelta(days=1):
            return f"{self.day(start)} {_clock(start)}-24:00"
        return f"{self.moment(first)} to {self.moment(end)}"

    def moment(self, period: int) -> str:
        """When a period begins, by index: "29 March 03:00"."""
        when = self.at(period)
        return f"{self.day(when)} {_clock(when)}"

    def day(self, when: date) -> str:
        """A day in words, with its year where the calendar has several: "29 March"."""
        year = f" {when.year}" if self.at(0).year != self.at(self.count - 1).year else ""
        return f"{when.day} {_MONTHS[when.month - 1]}{year}"

    def __str__(self) -> str:
        """From when to when, and where: "2026-03-29T00:00+01:00 to 2026-03-30T00:00+02:00, Europe/Berlin"."""
        start, end = (self.at(t).isoformat(timespec="minutes") for t in (0, self.count))
        return f"{start} to {end}, {self.zone}"


def _clock(when: datetime) -> str:
    """HH:MM, with the abbreviation of the offset where the clock shows that time twice: "02:30 CET"."""
    other = when.replace(fold=1 - when.fold)
    return f"{when:%H:%M} {when.tzname()}" if other.utcoffset() != when.utcoffset() else f"{when:%H:%M}"


def _first_after(day: date, clock: time, zone: ZoneInfo) -> float:
    """The instant at which a day's clock jumps over a time that it does not show, in seconds since 1970."""
    instant = datetime.combine(day, clock, zone).replace(fold=1).timestamp()  # fold 1 in a gap: before it
    while datetime.fromtimestamp(instant, zone).replace(tzinfo=None) < datetime.combine(day, clock):
        instant += SECONDS_PER_MINUTE
    return instant
