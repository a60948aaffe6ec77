"""The figure of an experiment: how far off the platform is, against what telling less costs in welfare."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ...network.arrays import FloatArray
from ..league.tables import grouped
from ..study.drawing import GREY, PAGE_IN, new_figure, prosumer_style, style
from .tables import EXACT, MOST, of_markets, of_prosumers

_FLOOR, _CEILING = 1e-4, 100 * MOST  # percent: what is found more closely is found, what is missed by more is not
_ROOM = 6.0  # beyond these, for marks and labels
_LEAST_USD = 1e-3
_FEW = 8
_WAYS = (("quantum_kw", "o", "steps", 3), ("noise_kw", "^", "noise", -8))
"""Column, mark, word, and by how many points its labels stand above its marks."""
_NEAR_PT = 26.0, 7.0
"""Across and up: marks that are closer have one label, as two would overlap."""


def privacy_figure(frame: pd.DataFrame) -> Figure | None:
    """Errors of alpha and of the shape of the load against the welfare cost; None where nobody was heard.

    A mark for each prosumer (of many, the median) and way to tell offers, filled where the fit tells something, with
    labels at those of the first that has them; dotted, how far off a guess is. Costs below nothing stand at 0, and
    errors below 1e-4 % or above 1,000 % at those; a guess that is exact by chance is left out.
    """
    people = of_prosumers(frame)
    if people.empty:
        return None
    if people["prosumer"].nunique() > _FEW:
        keys = ["messages", "quantum_kw", "noise_kw"]
        median = people.drop(columns="prosumer").groupby(keys, sort=False).median().reset_index()
        people = median.assign(prosumer=f"median of {people['prosumer'].nunique():,}")
    points = people.merge(of_markets(frame)[["messages", "welfare_cost_usd"]], on="messages")
    with style():
        figure, axes = new_figure(PAGE_IN, 2.9, 1, 2, sharey=True)
        marks = []
        for axis, (key, title) in zip(axes, (("alpha", "alpha"), ("shape", "shape of the net load")), strict=True):
            marks += _draw(axis, points, key)
            axis.set_title(title)
            axis.set_xlabel("cost in welfare less fees, $ a day")
        axes[0].set_ylabel("the platform is off by, %")
        figure.legend(*axes[0].get_legend_handles_labels(), loc="outside upper left", ncols=8)
        figure.draw_without_rendering()  # which places the axes, and so the marks
        for some in marks:
            _label(some)
    return figure


class _Marks(NamedTuple):
    """Marks that get labels: so many kW of a way at these places, (mark,); how far above them labels stand."""

    axis: Axes
    way: str
    kw: FloatArray
    x: FloatArray
    y: FloatArray
    above_pt: float


def _draw(axis: Axes, points: pd.DataFrame, key: str) -> list[_Marks]:
    """One kind of error: a line for each prosumer over steps, and one over noise."""
    marks: list[_Marks] = []
    for k, (name, own) in enumerate(grouped(points, "prosumer")):
        colour = prosumer_style(k)["color"]
        guess = float(own[f"{key}_guess_error"].iloc[0])
        if guess > EXACT:
            axis.axhline(np.clip(100 * guess, _FLOOR, _CEILING), color=colour, lw=0.8, ls=":")
        for way, mark, word, above in _WAYS:
            some = own[(own[way] > 0) | (own["messages"] == "exact")].sort_values(way)
            x, y = np.maximum(some["welfare_cost_usd"].to_numpy(), 0.0), _shown(some, key)
            label = f"{name}, {word}" if len(some) > 1 else None
            axis.plot(x, y, mark, color=colour, ms=4, ls="-", lw=0.6, label=label, mfc="none")
            fitted = some["seen"].to_numpy() > 0
            axis.plot(x[fitted], y[fitted], mark, color=colour, ms=4)
            new = np.isfinite(y) & ~np.isin(some[way], [kw for one in marks if one.way == way for kw in one.kw])
            marks.append(_Marks(axis, way, some[way].to_numpy()[new], x[new], y[new], above))
    axis.set_xscale("symlog", linthresh=_LEAST_USD)
    axis.set_xlim(-0.1 * _LEAST_USD, max(2 * _LEAST_USD, 2 * points["welfare_cost_usd"].max()))
    axis.set_yscale("log")
    axis.set_ylim(_FLOOR / _ROOM, _CEILING * _ROOM)
    return marks


def _label(marks: _Marks) -> None:
    """Write beside marks of how many kW they are: one label for those that are close, to the side that has room."""
    axis, _, kw, x, y, above_pt = marks
    pixels = axis.transData.transform(np.column_stack([x, y]))
    across, up = pixels.T * 72 / axis.figure.dpi
    left = axis.transAxes.inverted().transform(pixels)[:, 0] < 0.5
    free = kw > 0
    while free.any():
        first = int(np.argmax(free))
        near = free & (np.abs(across - across[first]) < _NEAR_PT[0]) & (np.abs(up - up[first]) < _NEAR_PT[1])
        free &= ~near
        axis.annotate(
            f"{', '.join(f'{one:g}' for one in kw[near])} kW",
            (x[first], y[first]),
            (4 if left[first] else -4, above_pt),
            textcoords="offset points",
            ha="left" if left[first] else "right",
            color=GREY,
            size=6,
        )


def _shown(points: pd.DataFrame, key: str) -> FloatArray:
    """Errors in percent, those beyond what is shown at the edge; nan of a guess that is exact by chance."""
    errors = points[f"{key}_error"].to_numpy(dtype=float)
    lucky = (points["seen"].to_numpy() == 0) & (errors < EXACT)
    return np.where(lucky, np.nan, np.clip(100 * errors, _FLOOR, _CEILING))
