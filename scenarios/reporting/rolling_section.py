"""What the page of a rolling horizon shows beside: its windows, and what happened against what was expected."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from ..drawing.colours import BLUE, ORANGE, RED
from ..rolling.imbalances import imbalances_said
from ..runs.amounts import counted, dollars, energy, money
from ..study.drawing import PAGE_IN, name_periods, new_figure
from .pages import MOST_ROWS, PageTable, Picture, Section, cut_short
from .pictured import Pictured
from .stored_run import StoredRun

_FORECASTS = {
    "perfect": "forecasts are perfect",
    "persistence": "expected is what the same time of the day before brought",
    "table": "expected is what profiles that end in _forecast say",
}
UNTOLD = (
    "Self-consumption and self-sufficiency are not told: what differs from the forecasts nobody has planned to use, "
    "and it goes to the DSO or comes from it as imbalances."
)
"""Why a run with forecasts that are not perfect has no such shares."""


def horizon_said(run: StoredRun) -> str:
    """The windows and the forecasts of a run, as its scenario has them; empty without a rolling horizon."""
    horizon = run.scenario.horizon
    if horizon is None:
        return ""
    said = f"windows of {horizon.length_h:g} h, of which {horizon.kept_h:g} h are kept; {_FORECASTS[horizon.forecast]}"
    prices = horizon.imbalance_price_usd_per_kwh
    if horizon.is_perfect or prices is None:
        return said
    return f"{said}; a kWh that is lacking costs {dollars(prices.buy)}, one that is over earns {dollars(prices.sell)}"


def rolling_section(run: StoredRun) -> Section:
    """The windows of a run with the certificate of each; with forecasts what differed from them, and for whom."""
    settled = counted(int(run.windows["settled"].sum()), "window")
    texts = [f"{settled} settled of {len(run.windows):,}: {horizon_said(run)}."]
    tables, pictures = [window_table(run)], []
    if "imbalances" in run.tables:
        texts.append(_differed(run))
        tables.append(imbalance_table(run))
        caption = (
            "Fixed loads less renewables of all prosumers, and their imbalances: above 0 what they lack, below 0 "
            "what they have over."
        )
        pictures.append(Picture.of(imbalance_figure(run), caption))
    return Section("Windows", texts, pictures=pictures, tables=tables)


def _differed(run: StoredRun) -> str:
    """What prosumers lacked and had over, and what that cost."""
    sums = _by_prosumer(run).sum()
    said = imbalances_said(*(float(sums[key]) for key in ("lacking_kwh", "over_kwh", "amount_usd")))
    return f"{said[0].upper()}{said[1:]}. Schedules and balances on this page are those that were planned."


def window_table(run: StoredRun) -> PageTable:
    """When each window was, how it ended, what is proven of it and what it took."""
    windows = run.windows
    rows = [
        [
            *(f"{row.window}", *(_moment(getattr(row, key)) for key in ("kept_from", "until", "horizon_until"))),
            *(row.outcome.replace("_", " "), row.certificate, f"{row.clearings}", f"{row.rounds}"),
            *(f"{row.seconds:.2f}", money(row.dso_cost_usd)),
        ]
        for row in windows.head(MOST_ROWS).rename(columns={"from": "kept_from"}).itertuples()
    ]
    headings = ["window", "kept from", "until", "plans until", "outcome", "certificate", "clearings", "rounds", "s"]
    headings.append("DSO cost $")
    return PageTable(headings, cut_short(rows, len(windows)), (0, 1, 2, 3, 4, 5), "windows")


def imbalance_table(run: StoredRun) -> PageTable:
    """What each prosumer lacked and had over, and what it paid for that."""
    found = _by_prosumer(run)
    rows = [
        [str(name), energy(lacking), energy(over), money(paid)]
        for name, (lacking, over, paid) in zip(found.index, found.head(MOST_ROWS).to_numpy().tolist(), strict=False)
    ]
    headings = ("prosumer", "lacked kWh", "had over kWh", "paid $")
    return PageTable(headings, cut_short(rows, len(found)), title="imbalances")


def imbalance_figure(run: Pictured) -> Figure:
    """The net load of all prosumers as expected and as it came, and below what is lacking and over in every period."""
    table = run.table("imbalances")
    sums = table.assign(
        expected_kw=table["fixed_planned_kw"] - table["renewable_planned_kw"],
        came_kw=table["fixed_actual_kw"] - table["renewable_actual_kw"],
        lacking_kw=table["imbalance_kw"].clip(lower=0),
        over_kw=table["imbalance_kw"].clip(upper=0),
    )
    by_period = sums.groupby("period")[["expected_kw", "came_kw", "lacking_kw", "over_kw"]].sum()
    figure, (top, bottom) = new_figure(PAGE_IN, 3.2, 2, 1, sharex=True)
    edges = np.append(by_period.index, by_period.index[-1] + 1) - 0.5
    looks: dict[str, dict[str, Any]] = {
        "expected_kw": {"color": ORANGE, "ls": "--", "label": "expected"},
        "came_kw": {"color": BLUE, "label": "happened"},
    }
    for column, look in looks.items():
        top.stairs(by_period[column], edges, baseline=None, **look)
    top.set_ylabel("load less\nrenewables, kW")
    bottom.stairs(by_period["lacking_kw"], edges, fill=True, color=RED, label="lacking")
    bottom.stairs(by_period["over_kw"], edges, fill=True, color=BLUE, alpha=0.45, label="over")
    bottom.set_ylabel("imbalances, kW")
    name_periods(bottom, run.when)
    bottom.set_xlim(edges[0], edges[-1])
    for axis in (top, bottom):
        axis.legend(ncols=2, loc="lower left", bbox_to_anchor=(0, 1.0))
    return figure


def _by_prosumer(run: StoredRun) -> pd.DataFrame:
    """Energies lacking and over, and what is paid, by prosumer in the scenario's order."""
    table = run.imbalances
    kwh = run.dt_h * table["imbalance_kw"]
    sums = table.assign(lacking_kwh=kwh.clip(lower=0), over_kwh=(-kwh).clip(lower=0))
    columns = ["lacking_kwh", "over_kwh", "amount_usd"]
    found: pd.DataFrame = sums.groupby("prosumer", sort=False)[columns].sum()
    return found


def _moment(when: Any) -> str:
    """A time of a calendar, or hours from the start."""
    return f"{when:g} h" if isinstance(when, (int, float)) else f"{when:%Y-%m-%d %H:%M}"
