"""The figures of a run's page, drawn from its tables: balances, prices, the network, convergence."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from ...network.arrays import FloatArray
from ..study.drawing import BLUE, GREEN, GREY, ORANGE, PAGE_IN, RED, SKY, YELLOW, new_figure, series_style
from .stored_run import StoredRun

_FEW = 6  # series that are told apart in one figure; more are a band
_LINES = 12  # of the highest loading


def balance_figure(run: StoredRun, prosumer: str | None = None) -> Figure:
    """The stacked power balance of one prosumer, or of all together, with its prices above."""
    table = run.table("prosumers")
    rows = table[table["prosumer"] == prosumer] if prosumer else table
    total = rows.drop(columns="prosumer").groupby("period").sum()
    figure, (top, bottom) = new_figure(PAGE_IN, 3.4, 2, 1, sharex=True, height_ratios=[1, 2])
    lmp = rows.groupby("period")["lmp_usd_per_kwh"].mean()
    _steps(top, lmp, color="black", label="LMP" if prosumer else "LMP, mean over prosumers")
    sources, uses = _balance(total)
    for label, kw, colour in _traded(run, prosumer, total) if prosumer else []:
        sources.append((f"bought from {label}", kw.clip(lower=0), colour))
        uses.append((f"sold to {label}", -kw.clip(upper=0), colour))
    if prosumer:
        _sharing_prices(top, run, prosumer)
    for parts, sign in ((sources, 1.0), (uses, -1.0)):
        _stack(bottom, total.index.to_numpy(), parts, sign)
    bottom.axhline(0, color="black", lw=0.8)
    top.set_ylabel("price, $/kWh")
    bottom.set_ylabel("power, kW\n(uses below 0)")
    _periods(bottom, run)
    top.legend(ncols=4, loc="lower left", bbox_to_anchor=(0, 1.0))
    if bottom.get_legend_handles_labels()[0]:
        figure.legend(*bottom.get_legend_handles_labels(), loc="outside lower center", ncols=4)
    return figure


def price_figure(run: StoredRun) -> Figure:
    """LMPs of all buses as a band with their mean, and sharing prices: of each link, or as a band of many."""
    trades = run.table("trades") if "trades" in run.tables else pd.DataFrame(columns=["link"])
    figure, axes = new_figure(PAGE_IN, 2.4, 1, 2 if len(trades) else 1, sharey=True)
    _band(axes[0], run.table("prices"), "lmp_usd_per_kwh", BLUE, "buses")
    axes[0].set_ylabel("LMP, $/kWh")
    if len(trades):
        links = list(dict.fromkeys(trades["link"]))
        if len(links) <= _FEW:
            for k, link in enumerate(links):
                row = trades[trades["link"] == link].set_index("period")["price_usd_per_kwh"]
                _steps(axes[1], row, label=link, **series_style(k))
        else:
            _band(axes[1], trades, "price_usd_per_kwh", GREEN, "links")
        axes[1].set_ylabel("sharing price, $/kWh")
    for axis in axes:
        axis.legend(ncols=3, loc="lower left", bbox_to_anchor=(0, 1.0))
        _periods(axis, run)
    return figure


def network_figure(run: StoredRun) -> Figure:
    """Voltages as a band with their limits, and the highest loading of the lines that are used most."""
    figure, (left, right) = new_figure(PAGE_IN, 2.8, 1, 2)
    buses, lines = run.table("buses"), run.table("lines")
    _band(left, buses, "v_pu", BLUE, "buses")
    if not np.allclose(buses["v_pu"], buses["v_with_trades_pu"], atol=1e-4, equal_nan=True):
        low = buses.groupby("period")["v_with_trades_pu"].min()
        _steps(left, low, color=ORANGE, linestyle="--", label="lowest, with trades")
    feeder = run.scenario.build_feeder()
    for limit in (feeder.v_min_pu[1:].max(initial=0.0), feeder.v_max_pu[1:].min(initial=np.inf)):
        if 0 < limit < np.inf:
            left.axhline(limit, color=RED, lw=0.9, ls=":")
    left.set_ylabel("voltage, pu (dotted: tightest limits)")
    left.legend(ncols=2, loc="lower left", bbox_to_anchor=(0, 1.0))
    _periods(left, run)
    _draw_loading(right, lines)
    return figure


def convergence_figure(run: StoredRun) -> Figure:
    """Residuals of Algorithm 1 and the regret of the last certified schedule, round by round, on log axes."""
    rounds = run.table("rounds")
    figure, (left, right) = new_figure(PAGE_IN, 2.4, 1, 2)
    for axis, column, label, colour in (
        (left, "primal_kw", "partners disagree, kW", BLUE),
        (left, "dual_usd_per_kwh", "prices move, $/kWh", ORANGE),
        (right, "regret_usd", "sum of regrets, $", BLUE),
    ):
        shown = rounds[(rounds[column] > 0) & np.isfinite(rounds[column])]
        axis.plot(shown["number"], shown[column], color=colour, label=label, marker=".", ms=3)
        if len(shown):
            axis.set_yscale("log")
    left.set_ylabel("residual of Algorithm 1")
    right.set_ylabel("regret, $")
    for axis in (left, right):
        axis.set_xlabel("round (clearings, sharing and deliveries)")
        axis.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=8))
        axis.legend(loc="lower left", bbox_to_anchor=(0, 1.0), ncols=2)
    return figure


Parts = list[tuple[str, "pd.Series[float]", str]]


def _balance(total: pd.DataFrame) -> tuple[Parts, Parts]:
    """Where power comes from and goes to, trades apart; (period,) in kW each."""
    sources: Parts = [
        ("renewables", total["renewable_kw"] - total["curtailed_kw"], YELLOW),
        ("bought from the DSO", total["bid_kw"].clip(lower=0), BLUE),
    ]
    uses: Parts = [
        ("fixed load", total["fixed_kw"], GREY),
        ("elastic load", total["elastic_kw"], SKY),
        ("fed into the network", -total["bid_kw"].clip(upper=0), BLUE),
    ]
    return sources, uses


def _traded(run: StoredRun, prosumer: str, total: pd.DataFrame) -> Parts:
    """What a prosumer buys from each partner, below 0 what it sells, (period,) in kW; many partners are one."""
    own = _own_trades(run, prosumer)
    partners = list(dict.fromkeys(own["partner"]))
    if len(partners) > 3:
        return [(f"{len(partners)} partners", total["net_trade_kw"], GREEN)]
    bought = own.set_index("period")
    return [(name, bought.loc[bought["partner"] == name, "bought_kw"], _colour(k)) for k, name in enumerate(partners)]


def _sharing_prices(axis: Axes, run: StoredRun, prosumer: str) -> None:
    own = _own_trades(run, prosumer)
    partners = list(dict.fromkeys(own["partner"]))
    for k, partner in enumerate(partners if len(partners) <= 3 else []):
        price = own[own["partner"] == partner].set_index("period")["price_usd_per_kwh"]
        _steps(axis, price, color=_colour(k), linestyle="--", label=f"with {partner}")


def _own_trades(run: StoredRun, prosumer: str) -> pd.DataFrame:
    """The trades of a prosumer with `partner` and `bought_kw`, below 0 where it sells."""
    trades = run.table("trades")
    own = trades[(trades["a"] == prosumer) | (trades["b"] == prosumer)]
    is_a = own["a"] == prosumer
    return own.assign(partner=own["b"].where(is_a, own["a"]), bought_kw=own["trade_kw"].where(is_a, -own["trade_kw"]))


def _colour(k: int) -> str:
    return str(series_style(k + 2)["color"])  # blue and orange are the DSO's and the renewables' neighbours


def _stack(axis: Axes, periods: FloatArray, parts: Parts, sign: float) -> None:
    base = np.zeros(len(periods))
    for label, kw, colour in parts:
        if not kw.abs().max() > 1e-3:
            continue
        sold = label.startswith(("sold", "fed"))
        look: dict[str, Any] = {"color": colour, "edgecolor": "white", "lw": 0.3 if len(periods) < 50 else 0}
        axis.bar(periods, sign * kw, bottom=base, width=0.9, label=label, hatch="////" if sold else None, **look)
        base = base + sign * kw.to_numpy()


def _band(axis: Axes, table: pd.DataFrame, column: str, colour: str, noun: str) -> None:
    """Lowest to highest in every period, and the mean."""
    by_period = table.groupby("period")[column]
    low, high, mean = by_period.min(), by_period.max(), by_period.mean()
    axis.fill_between(low.index, low, high, step="mid", color=colour, alpha=0.25, lw=0, label=f"all {noun}")
    _steps(axis, mean, color=colour, label="mean")


def _steps(axis: Axes, values: pd.Series[float], **look: Any) -> None:
    axis.step(values.index, values, where="mid", **look)


def _periods(axis: Axes, run: StoredRun) -> None:
    """Name the axis of periods, which count from 1."""
    dt_h = run.manifest["scenario"]["dt_h"]
    axis.set_xlabel("hour" if dt_h == 1 else f"period of {dt_h:g} h")
    axis.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=8))


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
