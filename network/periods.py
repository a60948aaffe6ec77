"""How a period is called in a sentence: counted from 1, with its hours, as in "period 18 (17:00-18:00)".

Attributes and arrays count periods from 0; sentences count from 1, as the tables of a scenario do.
"""

from __future__ import annotations

_MINUTES_PER_DAY = 24 * 60


def period_name(period: int, dt_h: float) -> str:
    """The name of a period in a sentence, with the day from the second day on.

    Args:
        period: its index, from 0.
        dt_h: length of a period, hours; period t runs from t dt_h to (t + 1) dt_h.
    """
    return f"period {period + 1} ({_span(period, period + 1, dt_h)})"


def _span(first: int, end: int, dt_h: float) -> str:
    """From the start of one period to the start of another, with the day from the second day on."""
    start, stop = round(first * dt_h * 60), round(end * dt_h * 60)
    day = start // _MINUTES_PER_DAY
    prefix = f"day {day + 1}, " if day else ""
    return f"{prefix}{_clock(start - day * _MINUTES_PER_DAY)}-{_clock(stop - day * _MINUTES_PER_DAY)}"


def _clock(minutes: int) -> str:
    """HH:MM; the end of a day is 24:00."""
    return f"{minutes // 60:02d}:{minutes % 60:02d}"


def spans(periods: list[int], dt_h: float) -> str:
    """Some periods in words, runs of them as one: "01:00-07:00 and day 2, 19:00-20:00".

    Args:
        periods: their indices, from 0, in order.
        dt_h: length of a period, hours.
    """
    runs: list[list[int]] = []
    for t in periods:
        if runs and t == runs[-1][1]:
            runs[-1][1] = t + 1
        else:
            runs.append([t, t + 1])
    words = [_span(first, end, dt_h) for first, end in runs]
    return " and ".join(words) if len(words) < 3 else f"{', '.join(words[:-1])} and {words[-1]}"
