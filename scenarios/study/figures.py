"""Figures 2, 4, 5 and 9 of the paper: how the two algorithms converge."""

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from ...network.periods import period_name
from .drawing import BLUE, COLUMN_IN, GREY, ORANGE, PAGE_IN, RED, new_figure, series_style
from .findings import FLAT_SCALE, Cobweb, Study, Traced

_FLOOR = 1e-12  # an error of exactly 0 has no place on a log axis


def cobweb_figure(study: Study) -> Figure | None:
    """Figure 2: demand curve and price curve of a prosumer and hour, and Algorithm 2's steps between them."""
    found = [cobweb for cobweb in (study.steady, study.cycling) if cobweb]
    if not found:
        return None
    figure, axes = new_figure(PAGE_IN if len(found) == 2 else COLUMN_IN, 2.7, 1, len(found))
    for axis, cobweb in zip(axes, found, strict=True):
        _draw_cobweb(axis, cobweb, study)
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=3 if len(found) == 2 else 1)
    return figure


def outer_figure(study: Study) -> Figure:
    """Figure 4: outer error and DN operating cost per iteration."""
    figure, (left, right) = new_figure(PAGE_IN, 2.4, 1, 2)
    _draw_error(left, study.base, "outer error", **series_style(0))
    left.set_ylabel("outer error |bid change| / |bids|")
    costs = study.base.dso_cost_usd
    right.plot(np.arange(1, costs.size + 1), costs / 1e3, marker="o", markersize=3, color=BLUE)
    right.set_ylabel("DN operating cost, 1,000 $")
    for axis in (left, right):
        _count(axis, "iteration of Algorithm 2")
    return figure


def sharing_figure(study: Study) -> Figure | None:
    """Figure 5: every prosumer's objective and both residuals per round of Algorithm 1, from a cold start."""
    cold = study.cold
    if not cold.primal_kw.size or not study.result.graph.links:
        return None
    figure, (left, right) = new_figure(PAGE_IN, 2.6, 1, 2)
    rounds = np.arange(1, cold.primal_kw.size + 1)
    for k, name in enumerate(study.result.names):
        left.plot(rounds, cold.cost_usd[:, k], label=name, **series_style(k))
    left.set_ylabel("objective F, $")
    left.legend(ncols=3, loc="best") if len(study.result.names) <= 6 else None
    right.semilogy(rounds, np.maximum(cold.primal_kw, _FLOOR), color=BLUE, label="primal, kW")
    right.semilogy(rounds, np.maximum(cold.dual_usd_per_kwh, _FLOOR), color=ORANGE, ls="--", label="dual, $/kWh")
    settings = study.scenario.settings
    for tolerance, colour in ((settings.primal_tolerance_kw, BLUE), (settings.dual_tolerance_usd_per_kwh, ORANGE)):
        right.axhline(tolerance, color=colour, lw=0.7, ls=":")
    right.set_ylabel("residual (dotted: tolerance)")
    right.legend()
    for axis in (left, right):
        _count(axis, "round of Algorithm 1")
    return figure


def alpha_figure(study: Study) -> Figure:
    """Figure 9: convergence for alpha, 1.5 alpha, 2 alpha."""
    figure, (axis,) = new_figure(COLUMN_IN, 2.6)
    markers = ("o", "s", "^")
    for k, (scale, traced) in enumerate(study.alphas.items()):
        _draw_error(axis, traced, f"{scale:g} alpha", markers[k % 3], **series_style(k))
    axis.set_ylabel("outer error |bid change| / |bids|")
    axis.legend()
    _count(axis, "iteration of Algorithm 2")
    return figure


def open_figure(study: Study) -> Figure:
    """What the paper leaves open: the order `jacobi` diverges, and flat demand may cycle."""
    figure, (left, right) = new_figure(PAGE_IN, 2.4, 1, 2)
    for k, (label, traced) in enumerate((("jacobi", study.simultaneous), ("proximal_jacobi", study.cold))):
        if not traced:
            continue
        rounds = np.arange(1, traced.primal_kw.size + 1)
        left.semilogy(rounds, np.maximum(traced.primal_kw, _FLOOR), label=label, **series_style(k))
    left.set_ylabel("primal residual, kW")
    left.legend()
    _count(left, "round of Algorithm 1, last outer step")
    for k, (label, traced) in enumerate(((f"{FLAT_SCALE:g} alpha", study.flat), ("1 alpha", study.base))):
        if not traced:
            continue
        _draw_error(right, traced, label, "os"[k], **series_style(k))
    right.set_ylabel("outer error |bid change| / |bids|")
    right.legend()
    _count(right, "iteration of Algorithm 2")
    return figure


def _draw_cobweb(axis: Axes, cobweb: Cobweb, study: Study) -> None:
    name = study.result.names[cobweb.prosumer]
    axis.plot(cobweb.bid_kw, cobweb.lmp_usd_per_kwh, color=BLUE, label="price curve (the DSO's LMP)")
    axis.plot(cobweb.demand_kw, cobweb.demand_lmp_usd_per_kwh, color=ORANGE, ls="--", label="demand curve (the bid)")
    kw, usd = cobweb.steps_kw, cobweb.steps_usd_per_kwh
    path_kw, path_usd = np.repeat(kw, 2)[1:], np.repeat(usd, 2)[:-1]
    axis.plot(path_kw, path_usd, color=GREY, lw=0.8)
    axis.plot(kw, usd, "o", ms=3, color=RED, label="steps of Algorithm 2")
    margin = 0.06 * max(float(np.ptp(usd)), 1e-4)
    axis.set_ylim(usd.min() - 4 * margin, usd.max() + 4 * margin)
    spread = 0.1 * max(float(np.ptp(kw)), 1.0)
    axis.set_xlim(max(0.0, kw.min() - spread), kw.max() + spread)
    axis.set_xlabel("bid, kW")
    axis.set_ylabel("LMP, $/kWh")
    hour = period_name(cobweb.period, study.scenario.dt_h)
    scale = cobweb.alpha_scale / study.scenario.alpha_scale
    verdict = "converges" if cobweb is study.steady else "cycles"
    axis.set_title(f"{name}, {hour}, alpha x {scale:g}: {verdict}\nslope ratio of (28): {cobweb.ratio:.2f}")


def _draw_error(axis: Axes, traced: Traced, label: str, marker: str = "o", **style: Any) -> None:
    errors = traced.outer_error
    axis.semilogy(np.arange(1, errors.size + 1), np.maximum(errors, _FLOOR), marker=marker, ms=3, label=label, **style)


def _count(axis: Axes, label: str) -> None:
    axis.set_xlabel(label)
    axis.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=8))
