"""How a period is called in a sentence: counted from 1, with its hours, as in "period 18 (17:00-18:00)".

Attributes and arrays count periods from 0; sentences count from 1, as the tables of a scenario do.
"""

from __future__ import annotations

from math import isclose

from .calendars import Calendar

_MINUTES_PER_HOUR = 60
_MINUTES_PER_DAY = 24 * 60

When = float | Calendar
"""When periods are: a calendar, or where there is none their length in hours, the first one from 00:00."""


def length_h(when: When) -> float:
    """The length of a period in hours."""
    return when.dt_h if isinstance(when, Calendar) else when


def length_said(dt_h: float) -> str:
    """The length of a period, hours, in words: "5 min", "1 h", "1.5 h"; hours where it is no whole minutes."""
    minutes = round(dt_h * _MINUTES_PER_HOUR)
    if 0 < minutes < _MINUTES_PER_HOUR and isclose(dt_h * _MINUTES_PER_HOUR, minutes, rel_tol=1e-9):
        return f"{minutes} min"
    return f"{dt_h:g} h"


def period_name(period: int, when: When) -> str:
    """The name of a period in a sentence: with its date, or without a calendar with the day from the second day on.

    Args:
        period: its index, from 0.
        when: a calendar; or the length of a period, hours: period t runs from t dt_h to (t + 1) dt_h.
    """
    if isinstance(when, Calendar):
        return when.name(period)
    return f"period {period + 1} ({span(period, period + 1, when)})"


def axis_name(when: When) -> str:
    """What an axis is called whose marks are periods from 1, or clock times where there is a calendar.

    Sentences name periods by their hours, so the axis says which those are: "hour (1: 00:00-01:00)".
    """
    if isinstance(when, Calendar):
        return f"time, {when.zone}"
    return f"{'hour' if when == 1 else f'period of {length_said(when)}'} (1: {span(0, 1, when)})"


def span(first: int, end: int, when: When) -> str:
    """From the start of one period to the start of another: "day 2, 18:00-20:00", "30 March 18:00-20:00".

    Args:
        first, end: their indices, from 0; `end` may be the number of periods.
        when: as of `period_name`.
    """
    if isinstance(when, Calendar):
        return when.span(first, end)
    start, stop = round(first * when * 60), round(end * when * 60)
    day = start // _MINUTES_PER_DAY
    prefix = f"day {day + 1}, " if day else ""
    return f"{prefix}{_clock(start - day * _MINUTES_PER_DAY)}-{_clock(stop - day * _MINUTES_PER_DAY)}"


def _clock(minutes: int) -> str:
    """HH:MM; the end of a day is 24:00."""
    return f"{minutes // 60:02d}:{minutes % 60:02d}"


def spans(periods: list[int], when: When) -> str:
    """Some periods in words, runs of them as one: "01:00-07:00 and day 2, 19:00-20:00".

    Args:
        periods: their indices, from 0, in order.
        when: as of `period_name`.
    """
    words = [span(first, end, when) for first, end in runs(periods)]
    return " and ".join(words) if len(words) < 3 else f"{', '.join(words[:-1])} and {words[-1]}"


def runs(periods: list[int]) -> list[list[int]]:
    """Runs of numbers that follow each other, such as periods: the first, and the one after the last, of each."""
    found: list[list[int]] = []
    for t in periods:
        if found and t == found[-1][1]:
            found[-1][1] = t + 1
        else:
            found.append([t, t + 1])
    return found
