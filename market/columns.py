"""Tables by column: arrays with a name each, of which a file or a pandas frame is made when somebody wants one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ..network.arrays import FloatArray, IntArray

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


Columns = Mapping[str, Names | FloatArray | IntArray]
"""Columns of equal length, in the order of the table."""


def each_period(names: Sequence[str], periods: int) -> Names:
    """The names, each as often as there are periods: what stands beside a raveled (name, period)."""
    return Names(names, np.repeat(np.arange(len(names)), periods))


def by_period(what: str, names: Sequence[str], periods: int) -> dict[str, Names | FloatArray | IntArray]:
    """The first two columns of a table with one row per name and period, from 1."""
    count = np.tile(np.arange(1, periods + 1), len(names))
    return {what: each_period(names, periods), "period": count}


def frame(columns: Columns) -> pd.DataFrame:
    """The table for pandas."""
    import pandas as pd  # which takes a third of a second, and no run needs it

    return pd.DataFrame({name: cells.texts() if isinstance(cells, Names) else cells for name, cells in columns.items()})
