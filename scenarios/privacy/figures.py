"""The figure of an experiment: how far off the platform is, against what telling less costs in welfare."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ..league.tables import grouped
from ..study.drawing import GREY, PAGE_IN, new_figure, prosumer_style, style
from .tables import of_markets, of_prosumers

_FLOOR = 1e-4  # percent: what is found more closely is found
_LEAST_USD = 1e-3
_FEW = 8
_WAYS = (("quantum_kw", "o", "steps", 3), ("noise_kw", "^", "noise", -8))
"""Column, mark, word, and by how many points its labels stand above its marks."""


def privacy_figure(frame: pd.DataFrame) -> Figure | None:
    """Errors of alpha and of the shape of the load against the welfare cost; None where nobody was heard.

    A mark for each prosumer (of many, the median) and way to tell offers, filled where the fit tells something; dotted,
    how far off a guess is. Costs within a tenth of a cent of nothing, and errors below 1e-4 %, stand at the edge.
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
        for axis, (key, title) in zip(axes, (("alpha", "alpha"), ("shape", "shape of the net load")), strict=True):
            _draw(axis, points, key)
            axis.set_title(title)
            axis.set_xlabel("welfare cost, $ a day")
        axes[0].set_ylabel("the platform is off by, %")
        figure.legend(*axes[0].get_legend_handles_labels(), loc="outside upper left", ncols=8)
    return figure


def _draw(axis: Axes, points: pd.DataFrame, key: str) -> None:
    """One kind of error: a line for each prosumer over steps, and one over noise."""
    for k, (name, own) in enumerate(grouped(points, "prosumer")):
        colour = prosumer_style(k)["color"]
        axis.axhline(_shown(own[f"{key}_guess_error"])[0], color=colour, lw=0.8, ls=":")
        for way, mark, word, above in _WAYS:
            some = own[(own[way] > 0) | (own["messages"] == "exact")].sort_values(way)
            x, y = np.maximum(some["welfare_cost_usd"].to_numpy(), 0.0), _shown(some[f"{key}_error"])
            axis.plot(
                x, y, mark, color=colour, ms=4, ls="-", lw=0.6, label=f"{name}, {word}" if len(some) > 1 else None
            )
            for kw, at, height in zip(some[way], x, y, strict=True):
                if kw and k == 0:
                    axis.annotate(
                        f"{kw:g} kW", (at, height), (3, above), textcoords="offset points", color=GREY, size=6
                    )
    axis.set_xscale("symlog", linthresh=_LEAST_USD)
    axis.set_xlim(left=0.0)
    axis.set_yscale("log")


def _shown(errors: pd.Series[float]) -> np.ndarray:
    """Errors in percent, those below what is shown at the edge."""
    return np.maximum(100 * errors.to_numpy(dtype=float), _FLOOR)
