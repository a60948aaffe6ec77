"""Tables by column: arrays with a name each, of which a file or a pandas frame is made when somebody wants one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ..network.arrays import FloatArray, IntArray
from ..network.calendars import Calendar

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, slots=True, eq=False)
class Names:
    """A column of names, most of which come again and again: row k has `names[index[k]]`.

    Attributes:
        names: The names, each once.
        index: Which of them each row has, (row,).
    """

    names: Sequence[str]
    index: IntArray

    def texts(self) -> np.ndarray:
        """The column, one text per row, (row,)."""
        return np.array(self.names, dtype=object)[self.index]


@dataclass(frozen=True, slots=True, eq=False)
class Times:
    """A column of times, at which the periods of a calendar begin.

    Attributes:
        instant_s: Seconds since 1970-01-01T00:00Z, (row,).
        zone: The time zone that they are shown in.
    """

    instant_s: IntArray
    zone: str

    def stamps(self) -> pd.DatetimeIndex:
        """The column for pandas, aware of its zone, (row,)."""
        import pandas as pd

        return pd.to_datetime(self.instant_s, unit="s", utc=True).tz_convert(self.zone)


Columns = Mapping[str, Names | Times | FloatArray | IntArray]
"""Columns of equal length, in the order of the table."""


def each_period(names: Sequence[str], periods: int) -> Names:
    """The names, each as often as there are periods: what stands beside a raveled (name, period)."""
    return Names(names, np.repeat(np.arange(len(names)), periods))


def by_period(what: str, names: Sequence[str], periods: int) -> dict[str, Names | FloatArray | IntArray]:
    """The first two columns of a table with one row per name and period, from 1."""
    count = np.tile(np.arange(1, periods + 1), len(names))
    return {what: each_period(names, periods), "period": count}


def with_times(columns: Columns, calendar: Calendar | None) -> Columns:
    """The table with a column `time` behind `period`, if it has that and there is a calendar."""
    if calendar is None or "period" not in columns:
        return columns
    timed: dict[str, Names | Times | FloatArray | IntArray] = {}
    for name, cells in columns.items():
        timed[name] = cells
        if name == "period":
            assert isinstance(cells, np.ndarray)
            before = np.asarray(cells, dtype=np.int64) - 1
            timed["time"] = Times(calendar.start_s + calendar.step_s * before, calendar.zone)
    return timed


def frame(columns: Columns) -> pd.DataFrame:
    """The table for pandas."""
    import pandas as pd  # which takes a third of a second, and no run needs it

    return pd.DataFrame({name: _cells(cells) for name, cells in columns.items()})


def _cells(cells: Names | Times | FloatArray | IntArray) -> Any:
    if isinstance(cells, Names):
        return cells.texts()
    return cells.stamps() if isinstance(cells, Times) else cells
