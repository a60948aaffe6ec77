"""Tables of a session on a terminal: values by period, and rounds."""

from __future__ import annotations

from collections.abc import Sequence
from math import isnan

import numpy as np

from ...network.arrays import FloatArray
from ...network.calendars import Calendar
from ..runs.fitting import Column, FittingTable
from .branch import Mark

_FEW = 6
"""So many prosumers or links stand side by side in a table; of more, the least, the mean and the most."""
_UNITS = {
    "usd_per_kwh": "$/kWh",
    "usd_per_kw2h": "$/kW²h",
    "usd_per_kvarh": "$/kvarh",
    "kw": "kW",
    "kwh": "kWh",
    "pu": "pu",
}


def many(
    title: str, names: Sequence[str], values: FloatArray, decimals: int, calendar: Calendar | None = None
) -> FittingTable:
    """Values by period, (name, period); of many names the least, the mean and the most."""
    if len(names) > _FEW and values.size:
        names = ["least", "mean", "most"]
        values = np.vstack([values.min(axis=0), values.mean(axis=0), values.max(axis=0)])
    return by_period(title, names, list(values), decimals, calendar)


def by_period(
    title: str,
    names: Sequence[str],
    columns: Sequence[FloatArray],
    decimals: int | None = None,
    calendar: Calendar | None = None,
    periods: range | None = None,
) -> FittingTable:
    """A table with a row for each period, which is named by its beginning where there is a calendar.

    Of all periods, or of those with these indices from 0. Where there is no room for all columns it becomes several
    tables, each with the periods.
    """
    heads = [_heading(name) for name in names]
    cells = [
        [_cell(value, unit, decimals) for value in column] for column, (_, unit) in zip(columns, heads, strict=True)
    ]
    rows = [
        (str(t), *([calendar.moment(t - 1)] if calendar else []), *row)
        for t, row in enumerate(zip(*cells, strict=True), start=1)
        if periods is None or t - 1 in periods
    ]
    first = (Column("period"), *([Column("time", words=True)] if calendar else []))
    return FittingTable(title, (*first, *(Column(head, unit) for head, unit in heads)), rows, kept=len(first))


def _heading(name: str) -> tuple[str, str]:
    """A column's name and its unit: "offers p2" and "kW" of "offers_p2_kw"."""
    for ending, unit in _UNITS.items():
        if name.endswith(f"_{ending}"):
            return name.removesuffix(f"_{ending}").replace("_", " "), unit
    return name, ""


def _cell(value: float, unit: str, decimals: int | None) -> str:
    """A value in its unit; what is rounded to 0 has no sign."""
    if decimals is not None:
        return f"{value:z,.{decimals}f}"
    return f"{value:.1e}" if "²" in unit else f"{value:z,.1f}" if unit in ("kW", "kWh") else f"{value:z.4f}"


def history(marks: Sequence[Mark]) -> FittingTable:
    """Rounds, the newest last."""
    columns = (
        Column("round"),
        Column("phase", words=True),
        Column("primal", "kW"),
        Column("dual", "$/kWh"),
        Column("regret", "$"),
        Column("verdict", words=True),
    )
    rows = [
        (
            str(mark.number),
            str(mark.phase),
            f"{mark.primal_kw:.3g}",
            f"{mark.dual_usd_per_kwh:.2g}",
            "" if isnan(mark.regret_usd) else f"{mark.regret_usd:.2g}",
            mark.verdict,
        )
        for mark in marks
    ]
    return FittingTable("rounds, the newest last", columns, rows)
