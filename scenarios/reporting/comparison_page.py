"""The page of a comparison: what the terminal shows, in full, with prices and costs as a figure."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ...network.calendars import Calendar
from ..study.drawing import PAGE_IN, name_periods, new_figure, style
from .comparison import Comparison
from .comparison_shown import conclusion, legend, shown_tables
from .pages import PageTable, Picture, Section, write_page
from .series import series_style
from .stored_run import StoredRun

_FEW = 12  # prosumers whose costs fit beside each other


def write_comparison(comparison: Comparison, file: Path) -> None:
    """Write the page of a comparison.

    Raises:
        OSError: The page cannot be written.
    """
    with style():
        pictures = [Picture.of(figure, caption) for figure, caption in _figures(comparison)]
    tables = [
        PageTable(
            [column.heading or "what" for column in table.columns],
            table.rows,
            [k for k, column in enumerate(table.columns) if column.words or k == 0],
            table.title,
        )
        for table in shown_tables(comparison)
    ]
    lead = [f"{(said := conclusion(comparison))[0].upper()}{said[1:]}."]
    sections = [
        Section("The runs", legend(comparison)),
        Section("What differs", [*comparison.saved, *comparison.left_out], pictures=pictures, tables=tables),
    ]
    title = f"{len(comparison.runs)} runs beside each other: {comparison.runs[0].title}"
    write_page(file, title, lead, sections)


def _figures(comparison: Comparison) -> list[tuple[Figure, str]]:
    found = [(_prices(comparison), "Mean LMP of all buses, and what it all comes to for each prosumer.")]
    return [(figure, caption) for figure, caption in found if figure is not None]


def _draw_lmps(axis: Axes, priced: Sequence[tuple[str, StoredRun]]) -> None:
    """The mean LMPs by the clock if all have the same calendar, or else by the hours from the start."""
    when = priced[0][1].when
    same = isinstance(when, Calendar) and all(run.when == when for _, run in priced)
    for k, (letter, run) in enumerate(priced):
        mean = run.table("prices").groupby("period")["lmp_usd_per_kwh"].mean()
        at = mean.index - 0.5 if same else mean.index * run.scenario.dt_h
        axis.step(at, mean, label=letter, where="post" if same else "pre", **series_style(k))
    axis.set_xlabel("hours from the start")
    if same:
        name_periods(axis, when)


def _prices(comparison: Comparison) -> Figure | None:
    """The mean LMP by period and the costs of prosumers, run by run; None where too little is there."""
    priced = [(letter, run) for letter, run in _named(comparison) if "prices" in run.tables]
    if len(priced) < 2:
        return None
    costs = [
        (letter, run.kpis["total_usd_by_prosumer"])
        for letter, run in _named(comparison)
        if run.delivered and "total_usd_by_prosumer" in run.kpis
    ]
    names = [name for name in comparison.runs[0].names if all(name in cost for _, cost in costs)]
    both = len(costs) > 1 and 0 < len(names) <= _FEW
    figure, axes = new_figure(PAGE_IN, 2.6, 1, 2 if both else 1)
    _draw_lmps(axes[0], priced)
    axes[0].set_ylabel("mean LMP, $/kWh")
    axes[0].legend(ncols=6, loc="lower left", bbox_to_anchor=(0, 1.0))
    if both:
        width, places = 0.8 / len(costs), np.arange(len(names))
        for k, (_, cost) in enumerate(costs):
            colour = series_style(k)["color"]
            axes[1].bar(places + (k + 0.5) * width - 0.4, [cost[name] for name in names], width, color=colour)
        axes[1].axhline(0, color="black", lw=0.8)
        axes[1].set_xticks(places, names, rotation=0 if len(names) <= 6 else 45)
        axes[1].set_ylabel("total, $")
    return figure


def _named(comparison: Comparison) -> list[tuple[str, StoredRun]]:
    return list(zip(comparison.letters, comparison.runs, strict=True))
