"""The table of windows: when each was, how it ended, what is proven of it and what it took."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ...market.columns import Columns, Names, Times
from ...network.arrays import FloatArray
from ...network.calendars import Calendar
from .parts import Part


def window_columns(parts: Sequence[Part], calendar: Calendar | None, dt_h: float) -> Columns:
    """One row per window.

    `from` and `until` bound the part that is kept, `horizon_until` is where the window ends: times with a calendar,
    else hours from the start. Costs are of the part that is kept; regrets, rounds and seconds of the whole window.
    """
    ended = [part.ended for part in parts]
    windows = [part.window for part in parts]
    bounds = {
        "from": [window.first for window in windows],
        "until": [window.kept_until for window in windows],
        "horizon_until": [window.end for window in windows],
    }
    return {
        "window": np.array([window.number for window in windows]),
        **{name: _moments(periods, calendar, dt_h) for name, periods in bounds.items()},
        "settled": np.array([int(one.settled) for one in ended]),
        "outcome": _texts([one.outcome.lower() for one in ended]),
        "regret_usd": np.array([one.regret_total_usd for one in ended]),
        "regret_relative": np.array([one.regret_total_usd / one.turnover_usd for one in ended]),
        "certificate": _texts([one.certificate for one in ended]),
        "clearings": np.array([one.clearings for one in ended]),
        "rounds": np.array([sum(one.sharing_rounds) for one in ended]),
        "seconds": np.array([sum(one.seconds.values()) for one in ended]),
        "dso_cost_usd": np.array([one.dso_cost_usd for one in ended]),
    }


def _moments(periods: list[int], calendar: Calendar | None, dt_h: float) -> Times | FloatArray:
    if calendar is None:
        return dt_h * np.array(periods, dtype=float)
    return Times(calendar.start_s + calendar.step_s * np.array(periods, dtype=np.int64), calendar.zone)


def _texts(texts: list[str]) -> Names:
    return Names(texts, np.arange(len(texts)))
