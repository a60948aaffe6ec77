"""The style of all figures: sizes of a paper's columns, colour-blind safe palettes, and how they are saved."""

import io
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ...network.calendars import Calendar
from ...network.periods import When, axis_name
from ..drawing.clock_ticks import clock_ticks

COLUMN_IN, PAGE_IN = 3.5, 7.2
# colour-blind safe: those of Okabe and Ito, then those of Tol ("muted") that differ from them
PROSUMERS = (
    "#0072B2",
    "#E69F00",
    "#009E73",
    "#CC79A7",
    "#56B4E9",
    "#D55E00",
    "#882255",
    "#999933",
    "#332288",
    "#44AA99",
    "#661100",
    "#6699CC",
)
"""Colours that only prosumers have, in the order of the scenario's table."""
BLACK, DARK, GREY, PALE, SUN, STORES = "#000000", "#444444", "#8c8c8c", "#c8c8c8", "#F0E442", "#AA4499"
"""Colours of all that is not a prosumer."""
RUNS = ((BLACK, "-", "o"), (GREY, "--", "s"), (PALE, "-.", "^"))
"""Colour, dashes and marker of runs that are compared."""
_DASHES = ("-", "--", "-.", ":")
_HATCHES = ("", "xx", "..", "++")

_STYLE: Any = {  # matplotlib types the keys as a literal of 300 names
    "font.size": 8,
    "font.family": "DejaVu Sans",
    "axes.titlesize": 8,
    "axes.labelsize": 8,
    "legend.fontsize": 7,
    "legend.frameon": False,
    "xtick.labelsize": 7,
    "ytick.labelsize": 7,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.color": "#e6e6e6",
    "grid.linewidth": 0.6,
    "axes.axisbelow": True,
    "lines.linewidth": 1.3,
    "svg.fonttype": "path",
    "svg.hashsalt": "gridbazaar",
}


@contextmanager
def style() -> Iterator[None]:
    """Everything drawn inside has the style."""
    with mpl.rc_context(_STYLE):
        yield


class Shown(Figure):
    """A figure that notebooks show, whether or not they were told to show matplotlib's."""

    def _repr_png_(self) -> bytes:
        return file_of(self, "png")


def new_figure(
    width_in: float, height_in: float, rows: int = 1, columns: int = 1, **options: Any
) -> tuple[Figure, list[Axes]]:
    """A figure that no window manager knows of, and its axes row by row."""
    figure = Shown(figsize=(width_in, height_in), layout="constrained")
    axes = figure.subplots(rows, columns, squeeze=False, **options)
    return figure, list(axes.ravel())


def name_periods(axis: Axes, when: When) -> None:
    """Name an axis of periods, which count from 1: by their clock times where there is a calendar."""
    if isinstance(when, Calendar):
        ticks = clock_ticks(when)
        axis.set_xticks([t + 0.5 for t, _ in ticks], [label for _, label in ticks])
    axis.set_xlabel(axis_name(when))


def draw_steps(axis: Axes, values: Any, **look: Any) -> None:
    """Values of all periods, (period,), as a line that has a step for each and reaches both edges of the axis."""
    heights = np.asarray(values, dtype=float)
    axis.step(np.arange(heights.size + 1) + 0.5, np.append(heights, heights[-1]), where="post", **look)


def prosumer_style(k: int) -> dict[str, Any]:
    """Colour and dashes of the k-th prosumer of the scenario, the same in every figure; dashes where colours repeat."""
    return {"color": prosumer_colour(k), "linestyle": _DASHES[k // len(PROSUMERS) % len(_DASHES)]}


def prosumer_colour(k: int) -> str:
    """The colour of the k-th prosumer of the scenario."""
    return PROSUMERS[k % len(PROSUMERS)]


def prosumer_hatch(k: int) -> str:
    """The hatch of its areas: none for the first prosumers, which colours tell apart."""
    return _HATCHES[k // len(PROSUMERS) % len(_HATCHES)]


def run_style(k: int) -> dict[str, Any]:
    """Colour, dashes and marker of the k-th of some runs that are compared."""
    colour, dashes, marker = RUNS[k % len(RUNS)]
    return {"color": colour, "linestyle": dashes, "marker": marker, "markersize": 3}


def rendered(figure: Figure) -> tuple[bytes, bytes]:
    """The figure as an SVG and a PNG file; its layout is found once."""
    svg = file_of(figure, "svg")
    figure.set_layout_engine("none")
    return svg, file_of(figure, "png")


def file_of(figure: Figure, kind: str) -> bytes:
    """The figure as a file of a kind: "svg" or "png"."""
    buffer = io.BytesIO()
    with style():
        figure.savefig(buffer, format=kind, dpi=200, metadata={"Date": None} if kind == "svg" else None)
    return buffer.getvalue()
