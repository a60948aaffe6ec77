"""The plot of a sweep: one key figure against the first swept value, a line for each combination of the others."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.axes import Axes

from ..reporting.kpi_list import KPIS
from ..reporting.series import series_style
from ..study.drawing import GREY, PAGE_IN, file_of, new_figure, style
from .sweep import Sweep

if TYPE_CHECKING:
    import pandas as pd

_MOST_LINES = 24


def write_plot(sweep: Sweep, key: str) -> Path | None:
    """Write `sweep.svg` into the folder of a sweep; hollow marks are points that have not settled.

    Args:
        sweep: The sweep.
        key: The key figure, one of `KPIS`.

    Returns:
        The plot; None if no point has this key figure.

    Raises:
        OSError: It cannot be written.
    """
    frame = sweep.frame
    if key not in frame or frame[key].isna().all():
        return None
    swept = [axis.key for axis in sweep.axes if len(axis.values) > 1] or [sweep.axes[0].key]
    first, others = swept[0], swept[1:]
    with style():
        figure, (axis,) = new_figure(PAGE_IN, 3.2)
        for k, (label, rows) in enumerate(_lines(frame[frame[key].notna()], others)[:_MOST_LINES]):
            _draw(axis, rows, first, key, label, k)
        if (frame.loc[frame[key].notna(), "outcome"] != "settled").any():
            axis.plot([], [], "o", ms=4, color=GREY, markerfacecolor="white", label="not settled")
        axis.set_xlabel(first)
        axis.set_ylabel(_label(key))
        if axis.get_legend_handles_labels()[0]:
            figure.legend(loc="outside upper left", ncols=3)
        drawn = file_of(figure, "svg")
    file = sweep.folder / "sweep.svg"
    file.write_bytes(drawn)
    return file


def _lines(frame: pd.DataFrame, others: list[str]) -> list[tuple[str, pd.DataFrame]]:
    """The rows of each combination of the other values, and how it is called."""
    if not others:
        return [("", frame)]
    named = frame[others].astype(str).apply(lambda row: ", ".join(f"{key}={row[key]}" for key in others), axis=1)
    return [(label, frame[named == label]) for label in dict.fromkeys(named)]


def _draw(axis: Axes, rows: pd.DataFrame, first: str, key: str, label: str, k: int) -> None:
    """A line through all points in the order of the first value, with marks that say which have settled."""
    look = series_style(k)
    rows = rows.sort_values(first, kind="stable") if np.issubdtype(rows[first].to_numpy().dtype, np.number) else rows
    axis.plot(rows[first], rows[key], label=label, **look)
    for settled, face in ((True, look["color"]), (False, "white")):
        some = rows[(rows["outcome"] == "settled") == settled]
        axis.plot(some[first], some[key], "o", ms=4, color=look["color"], markerfacecolor=face)


def _label(key: str) -> str:
    known = {kpi.key: kpi for kpi in KPIS}[key]
    return f"{known.label}, {known.unit}" if known.unit else known.label
