"""The style of all figures: sizes of a paper's columns, a colour-blind safe palette, and how they are saved."""

import io
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ..drawing.colours import BLUE, GREEN, GREY, ORANGE, PURPLE, RED, SERIES, SKY, YELLOW

__all__ = [
    "BLUE",
    "GREEN",
    "GREY",
    "ORANGE",
    "PURPLE",
    "RED",
    "SERIES",
    "SKY",
    "YELLOW",
    "new_figure",
    "rendered",
    "series_style",
    "style",
]

COLUMN_IN, PAGE_IN = 3.5, 7.2
LINES = ("-", "--", "-.", ":")

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


def new_figure(
    width_in: float, height_in: float, rows: int = 1, columns: int = 1, **options: Any
) -> tuple[Figure, list[Axes]]:
    """A figure that no window manager knows of, and its axes row by row."""
    figure = Figure(figsize=(width_in, height_in), layout="constrained")
    axes = figure.subplots(rows, columns, squeeze=False, **options)
    return figure, list(axes.ravel())


def series_style(k: int) -> dict[str, Any]:
    """Colour and dashes of the k-th series, told apart in print without colours, too."""
    return {"color": SERIES[k % len(SERIES)], "linestyle": LINES[k // len(SERIES) % len(LINES)]}


def rendered(figure: Figure, kind: str) -> bytes:
    """The figure as a PNG or SVG file."""
    buffer = io.BytesIO()
    with style():
        figure.savefig(buffer, format=kind, dpi=200, metadata={"Date": None} if kind == "svg" else None)
    return buffer.getvalue()
