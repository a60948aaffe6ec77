"""The figures of a run's page that are drawn from its tables: prices, the network, convergence."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from ..drawing.colours import BLUE, ORANGE, RED
from ..study.drawing import BLACK, PAGE_IN, PALE, draw_steps, name_periods, new_figure
from .pictured import Pictured

_LINES = 12  # of the highest loading


def price_figure(run: Pictured) -> Figure:
    """LMPs of all buses and sharing prices of all links, each as a band with its mean."""
    trades = run.table("trades") if "trades" in run.tables else pd.DataFrame()
    figure, axes = new_figure(PAGE_IN, 2.4, 1, 2 if len(trades) else 1, sharey=True)
    _band(axes[0], run.table("prices"), "lmp_usd_per_kwh", "buses")
    axes[0].set_ylabel("LMP, $/kWh")
    if len(trades):
        _band(axes[1], trades, "price_usd_per_kwh", "links")
        axes[1].set_ylabel("sharing price, $/kWh")
    for axis in axes:
        axis.legend(ncols=3, loc="lower left", bbox_to_anchor=(0, 1.0))
        _periods(axis, run)
    return figure


def network_figure(run: Pictured) -> Figure:
    """Voltages as a band with their limits, and the highest loading of the lines that are used most."""
    figure, (left, right) = new_figure(PAGE_IN, 2.8, 1, 2)
    buses, lines = run.table("buses"), run.table("lines")
    _band(left, buses, "v_pu", "buses")
    if not np.allclose(buses["v_pu"], buses["v_with_trades_pu"], atol=1e-4, equal_nan=True):
        low = buses.groupby("period")["v_with_trades_pu"].min()
        draw_steps(left, low, color=ORANGE, linestyle="--", label="lowest, with trades")
    feeder = run.feeder
    for limit in (feeder.v_min_pu[1:].max(initial=0.0), feeder.v_max_pu[1:].min(initial=np.inf)):
        if 0 < limit < np.inf:
            left.axhline(limit, color=RED, lw=0.9, ls=":")
    left.set_ylabel("voltage, pu (dotted: tightest limits)")
    left.legend(ncols=2, loc="lower left", bbox_to_anchor=(0, 1.0))
    _periods(left, run)
    _draw_loading(right, lines)
    return figure


def convergence_figure(run: Pictured) -> Figure:
    """Residuals of Algorithm 1 and the regret of the last certified schedule, round by round, on log axes."""
    return rounds_figure(run.table("rounds"))


def rounds_figure(rounds: pd.DataFrame) -> Figure:
    """The same of rounds with `number`, `primal_kw`, `dual_usd_per_kwh` and `regret_usd`."""
    figure, (left, right) = new_figure(PAGE_IN, 2.4, 1, 2)
    partners, prices = ("partners disagree, kW", BLUE), ("prices move, $/kWh", ORANGE)
    _draw_rounds(left, rounds, {"primal_kw": partners, "dual_usd_per_kwh": prices})
    _draw_rounds(right, rounds, {"regret_usd": ("sum of regrets, $", BLUE)})
    left.set_ylabel("residual of Algorithm 1")
    right.set_ylabel("regret, $")
    for axis in (left, right):
        axis.set_xlabel("round (clearings, sharing and deliveries)")
        axis.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=8))
    return figure


def _band(axis: Axes, table: pd.DataFrame, column: str, noun: str) -> None:
    """Lowest to highest in every period, and the mean."""
    by_period = table.groupby("period")[column]
    low, high, mean = by_period.min(), by_period.max(), by_period.mean()
    edges = np.arange(len(low) + 1) + 0.5
    lowest, highest = (np.append(bound, bound.iloc[-1]) for bound in (low, high))
    axis.fill_between(edges, lowest, highest, step="post", color=PALE, lw=0, label=f"all {noun}")
    draw_steps(axis, mean, color=BLACK, label="mean")


def _periods(axis: Axes, run: Pictured) -> None:
    """Name the axis of periods, which count from 1."""
    axis.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=8))
    name_periods(axis, run.when)


def _draw_rounds(axis: Axes, rounds: pd.DataFrame, columns: dict[str, tuple[str, str]]) -> None:
    """Columns of the rounds with label and colour, on a log axis, as far as they are above 0."""
    for column, (label, colour) in columns.items():
        shown = rounds[(rounds[column] > 0) & np.isfinite(rounds[column])]
        if len(shown):
            axis.plot(shown["number"], shown[column], color=colour, label=label, marker=".", ms=3)
            axis.set_yscale("log")
    if axis.lines:
        axis.legend(loc="lower left", bbox_to_anchor=(0, 1.0), ncols=2)
    else:
        axis.text(0.5, 0.5, "nothing to show", ha="center", va="center", transform=axis.transAxes)


def _draw_loading(axis: Axes, lines: pd.DataFrame) -> None:
    """The lines that are used most, each by its highest loading, with trades and as cleared."""
    columns = ["loading_percent", "loading_with_trades_percent"]
    highest = lines.groupby("line", sort=False)[columns].max().dropna(how="all")
    highest = highest.sort_values("loading_with_trades_percent", kind="stable").tail(_LINES)
    if highest.empty:
        axis.text(0.5, 0.5, "no line has a rating", ha="center", va="center", transform=axis.transAxes)
        axis.set_axis_off()
        return
    places = np.arange(len(highest))
    if not np.allclose(highest[columns[0]], highest[columns[1]], atol=0.05, equal_nan=True):
        axis.barh(places, highest[columns[1]], color=ORANGE, height=0.8, label="with trades")
    axis.barh(places, highest[columns[0]], color=BLUE, height=0.5, label="as cleared")
    axis.axvline(100, color=RED, lw=0.9, ls=":")
    axis.set_yticks(places, [str(name) for name in highest.index])
    axis.set_xlabel("highest loading, % of the rating (dotted: 100 %)")
    axis.legend(ncols=2, loc="lower left", bbox_to_anchor=(0, 1.0))
