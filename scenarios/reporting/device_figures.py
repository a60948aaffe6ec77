"""What devices do, drawn: their power together, and the levels of those that hold most."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from ..runs.amounts import energy
from ..study.drawing import BLACK, PAGE_IN, STORES, name_periods, new_figure
from .pages import MOST_ROWS, PageTable, cut_short
from .pictured import Pictured
from .series import series_style
from .stored_run import StoredRun

_SHOWN = 8  # levels in one figure
_ENERGIES = ("charged_kwh", "discharged_kwh", "level_change_kwh", "lost_kwh")


def device_figure(run: Pictured) -> Figure:
    """The power of all devices together, given above 0 and taken below, and the levels of the largest."""
    table = run.table("devices")
    together = table.groupby("period")[["charge_kw", "discharge_kw"]].sum()
    figure, (top, bottom) = new_figure(PAGE_IN, 3.6, 2, 1, sharex=True)
    edges = np.append(together.index, together.index[-1] + 1) - 0.5
    top.stairs(together["discharge_kw"], edges, fill=True, color=STORES, label="given")
    top.stairs(-together["charge_kw"], edges, fill=True, color=STORES, alpha=0.45, label="taken")
    top.axhline(0, color=BLACK, lw=0.8)
    top.set_ylabel("all devices, kW")
    top.legend(ncols=2, loc="lower left", bbox_to_anchor=(0, 1.0))
    for k, (name, level) in enumerate(_largest(table).items()):
        bottom.plot(level.index + 0.5, level, label=name, **series_style(k))
    bottom.set_ylabel("held at the end\nof a period, kWh")
    bottom.set_ylim(bottom=0)
    name_periods(bottom, run.when)
    bottom.set_xlim(edges[0], edges[-1])
    if bottom.lines:
        figure.legend(*bottom.get_legend_handles_labels(), loc="outside lower center", ncols=4)
    return figure


def _largest(table: pd.DataFrame) -> dict[str, pd.Series[float]]:
    """The levels of the devices that hold most, by name."""
    levels = {
        f"{device} of {prosumer}": rows.set_index("period")["energy_kwh"]
        for (prosumer, device), rows in table.groupby(["prosumer", "device"], sort=False, observed=True)
        if rows["energy_kwh"].notna().any()
    }
    most = sorted(levels, key=lambda name: -float(levels[name].max()))[:_SHOWN]
    return {name: level for name, level in levels.items() if name in most}


def device_table(run: StoredRun) -> PageTable:
    """What each device took, gave and lost."""
    devices = run.kpis["devices"]
    rows = [
        [f"{one['device']} of {one['prosumer']}", one["kind"], *(_kwh(one[key]) for key in _ENERGIES)]
        for one in devices[:MOST_ROWS]
    ]
    headings = ("device", "kind", "charged kWh", "discharged kWh", "held more kWh", "lost kWh")
    return PageTable(headings, cut_short(rows, len(devices)), (0, 1))


def _kwh(value: float | None) -> str:
    return "" if value is None else energy(value)
