"""Which periods of a calendar have a mark on an axis, and what is written there: days, and clock times within them."""

from __future__ import annotations

from ...network.calendars import Calendar

_HOURS = (1, 2, 3, 6, 12)
_MINUTES_PER_DAY = 24 * 60


def clock_ticks(calendar: Calendar, most: int = 9) -> list[tuple[int, str]]:
    """At most so many periods, by index, each with what to write where it begins: "29 March" at midnight, else "06:00".

    The first mark says the day, whatever its time. Marks stand at round times of the local clock.
    """
    times = calendar.times()
    minutes = [60 * when.hour + when.minute for when in times]
    steps = [calendar.step_min, *(60 * hours for hours in _HOURS if 60 * hours > calendar.step_min)]
    for step in steps:
        found = [t for t, minute in enumerate(minutes) if minute % step == 0]
        if 0 < len(found) <= most:
            break
    else:
        days = [t for t in calendar.day_starts() if minutes[t] == 0] or [0]
        found = days[:: -(-len(days) // most)]
    return [(t, _label(calendar, t, minutes[t], first=t == found[0])) for t in found]


def _label(calendar: Calendar, period: int, minute: int, *, first: bool) -> str:
    day = calendar.day(calendar.at(period))
    if minute % _MINUTES_PER_DAY == 0:
        return day
    clock = f"{minute // 60:02d}:{minute % 60:02d}"
    return f"{clock}\n{day}" if first else clock
