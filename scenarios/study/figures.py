"""Figures 4, 5 and 9 of the paper: how the two algorithms converge."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from .drawing import BLACK, DARK, GREY, PAGE_IN, new_figure, prosumer_style, run_style
from .findings import FLAT_SCALE, Study, Traced

_FLOOR = 1e-12  # an error of exactly 0 has no place on a log axis
_LEAST = 1e-2
"""Residuals below this part of their tolerance are drawn there."""
_NAMED = 12  # so many prosumers have a place in a legend
_ERROR = "outer error, |bid change| / |bids|"
_REGRET = "regret / tolerance"


def outer_figure(study: Study) -> Figure:
    """Figure 4: outer error, regret against its tolerance and DN operating cost per iteration."""
    runs = {study.method: study.base}
    if 1.0 in study.plain and study.plain[1.0] is not study.base:
        runs["plain"] = study.plain[1.0]
    figure, (left, middle, right) = new_figure(PAGE_IN, 2.5, 1, 3)
    for k, (label, traced) in enumerate(runs.items()):
        _draw_error(left, traced, label, k)
        _draw_excess(middle, traced, label, k)
        costs = traced.dso_cost_usd
        right.plot(np.arange(1, costs.size + 1), costs / 1e3, label=label, **run_style(k))
    left.set_ylabel(_ERROR)
    _draw_tolerance(middle)
    right.set_ylabel("DN operating cost, 1,000 $")
    for axis in (left, middle, right):
        _count(axis, "iteration of Algorithm 2")
    figure.legend(*left.get_legend_handles_labels(), loc="outside lower center", ncols=2)
    return figure


def sharing_figure(study: Study) -> Figure | None:
    """Figure 5: every prosumer's objective and both residuals per round of Algorithm 1, from a cold start."""
    cold = study.cold
    if cold is None or not cold.primal_kw.size or not study.result.graph.links:
        return None
    figure, (left, right) = new_figure(PAGE_IN, 2.6, 1, 2)
    rounds = np.arange(1, cold.primal_kw.size + 1)
    for k, name in enumerate(study.result.names):
        left.plot(rounds, cold.cost_usd[:, k], label=name, **prosumer_style(k))
    left.set_ylabel("objective F, $")
    if len(study.result.names) <= _NAMED:
        figure.legend(*left.get_legend_handles_labels(), ncols=_NAMED // 2, loc="outside lower left")
    for label, residual, tolerance, colour, dashes in (
        ("primal, kW", cold.primal_kw, cold.agreed_kw, BLACK, "-"),
        ("dual, $/kWh", cold.dual_usd_per_kwh, cold.agreed_usd_per_kwh, GREY, "--"),
    ):
        right.semilogy(rounds, np.maximum(residual, _LEAST * tolerance), color=colour, ls=dashes, label=label)
        right.axhline(tolerance, color=colour, lw=0.7, ls=":")
    right.set_ylabel("residual (dotted: tolerance)")
    right.legend()
    for axis in (left, right):
        _count(axis, "round of Algorithm 1")
    return figure


def alpha_figure(study: Study) -> Figure:
    """Figure 9: convergence for alpha, 1.5 alpha, 2 alpha, by the paper's fixed point and the scenario's own method."""
    runs: Mapping[str, Mapping[float, Traced]] = {study.method: study.alphas}
    if study.plain and study.method != "plain":
        plain = {scale: traced for scale, traced in study.plain.items() if scale != FLAT_SCALE}
        runs = {"plain": plain, **runs}
    figure, axes = new_figure(PAGE_IN, 2.3 * len(runs) + 0.2, len(runs), 2)
    for row, (method, scaled) in enumerate(runs.items()):
        left, right = axes[2 * row : 2 * row + 2]
        for k, (scale, traced) in enumerate(scaled.items()):
            _draw_error(left, traced, f"{scale:g} alpha", k)
            _draw_excess(right, traced, f"{scale:g} alpha", k)
        left.set_ylabel(_ERROR)
        left.set_title(method, loc="left")
        left.legend()
        _draw_tolerance(right)
        for axis in (left, right):
            _count(axis, "iteration of Algorithm 2")
    return figure


def open_figure(study: Study) -> Figure | None:
    """What the paper leaves open: the order `jacobi` diverges, and flat demand may cycle."""
    orders = {"jacobi": study.simultaneous, "proximal_jacobi": study.cold}
    scales = {f"{scale:g} alpha": study.plain.get(scale) for scale in (FLAT_SCALE, 1.0)}
    if not any((*orders.values(), *scales.values())):
        return None
    figure, (left, right) = new_figure(PAGE_IN, 2.4, 1, 2)
    for k, (label, traced) in enumerate(orders.items()):
        if traced is not None:
            rounds = np.arange(1, traced.primal_kw.size + 1)
            left.semilogy(rounds, np.maximum(traced.primal_kw, _FLOOR), label=label, **_bare(k))
    left.set_ylabel("primal residual, kW")
    _count(left, "round of Algorithm 1, last outer step")
    for k, (label, traced) in enumerate(scales.items()):
        if traced is not None:
            _draw_error(right, traced, label, k)
    right.set_ylabel(_ERROR)
    right.set_title("plain", loc="left")
    _count(right, "iteration of Algorithm 2")
    for axis in (left, right):
        if axis.get_legend_handles_labels()[0]:
            axis.legend()
    return figure


def _bare(k: int) -> dict[str, Any]:
    """The style of a run without markers, for many rounds."""
    return {**run_style(k), "marker": ""}


def _draw_error(axis: Axes, traced: Traced, label: str, k: int) -> None:
    errors = traced.outer_error
    axis.semilogy(np.arange(1, errors.size + 1), np.maximum(errors, _FLOOR), label=label, **run_style(k))


def _draw_excess(axis: Axes, traced: Traced, label: str, k: int) -> None:
    excess = traced.excess
    axis.semilogy(np.arange(1, excess.size + 1), np.maximum(excess, _FLOOR), label=label, **run_style(k))


def _draw_tolerance(axis: Axes) -> None:
    """The line that decides: the market settles when its regret is below."""
    axis.axhline(1.0, color=DARK, lw=0.8, ls=":")
    axis.annotate("settled below", (0.0, 1.0), (2, -2), xycoords=("axes fraction", "data"), **_SMALL)
    axis.set_ylabel(_REGRET)


_SMALL: Any = {"textcoords": "offset points", "ha": "left", "va": "top", "fontsize": 6, "color": DARK}


def _count(axis: Axes, label: str) -> None:
    axis.set_xlabel(label)
    axis.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=8))
