"""The schedule of a saved run as arrays, as its balances are drawn from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.figure import Figure

from ...agents.trade_graph import TradeGraph
from ...market.tables import DEVICES
from ...network.arrays import FloatArray
from ...network.periods import When
from ..study.schedule_figures import balance_figure
from .pictured import Pictured

_POWERS = ("bid_kw", "elastic_kw", "fixed_kw", "renewable_kw", "curtailed_kw")
_DEVICES = {"taken_kw": "charge_kw", "given_kw": "discharge_kw"}
"""What their devices do, and its columns in the table of these."""


@dataclass(frozen=True, slots=True, eq=False)
class StoredSchedule:
    """A schedule: arrays are (prosumer, period), trades and their prices (link, period).

    What devices take and give is that of all devices of a prosumer, each at least 0 and not offset.
    """

    graph: TradeGraph
    dt_h: float
    when: When
    bid_kw: FloatArray
    elastic_kw: FloatArray
    fixed_kw: FloatArray
    renewable_kw: FloatArray
    curtailed_kw: FloatArray
    taken_kw: FloatArray
    given_kw: FloatArray
    lmp_usd_per_kwh: FloatArray
    trade_kw: FloatArray
    price_usd_per_kwh: FloatArray

    @classmethod
    def of(cls, run: Pictured) -> StoredSchedule:
        """That of a run with the tables `prosumers` and `trades`, whose rows stand in the order of its graph."""
        prosumers, trades = run.table("prosumers"), run.table("trades")
        periods = int(prosumers["period"].max())
        arrays = {key: prosumers[key].to_numpy().reshape(-1, periods) for key in (*_POWERS, "lmp_usd_per_kwh")}
        arrays |= _of_devices(run, run.graph.names, periods)
        arrays |= {key: trades[key].to_numpy().reshape(-1, periods) for key in ("trade_kw", "price_usd_per_kwh")}
        return cls(run.graph, run.dt_h, run.when, **arrays)

    @property
    def names(self) -> tuple[str, ...]:
        """The prosumers."""
        return self.graph.names

    @property
    def traded_kwh(self) -> FloatArray:
        """What each buys and sells, (prosumer,)."""
        arcs = np.abs(self.trade_kw[self.graph.link])
        return np.asarray(self.dt_h * self.graph.by_owner(arcs).sum(axis=1))

    def together(self, name: str) -> StoredSchedule:
        """All prosumers as one of this name, whose partners are itself; its LMP is their mean."""
        sums = {key: getattr(self, key).sum(axis=0, keepdims=True) for key in (*_POWERS, *_DEVICES)}
        none = np.zeros((0, self.bid_kw.shape[1]))
        lmp = self.lmp_usd_per_kwh.mean(axis=0, keepdims=True)
        graph = TradeGraph([name], [])
        return StoredSchedule(
            graph, self.dt_h, self.when, **sums, lmp_usd_per_kwh=lmp, trade_kw=none, price_usd_per_kwh=none
        )


def balance_of(schedule: StoredSchedule, i: int) -> Figure:
    """The power balance of a prosumer, by index, with what its devices give and what they take told apart."""
    return balance_figure(schedule, i, (schedule.given_kw[i], schedule.taken_kw[i]))


def _of_devices(run: Pictured, names: Sequence[str], periods: int) -> dict[str, FloatArray]:
    """What all devices of each prosumer take, and what they give, (prosumer, period)."""
    found = {key: np.zeros((len(names), periods)) for key in _DEVICES}
    if DEVICES not in run.tables:
        return found
    sums = run.table(DEVICES).groupby("prosumer", sort=False, observed=True)
    place = {name: i for i, name in enumerate(names)}
    for name, rows in sums:
        for key, column in _DEVICES.items():
            found[key][place[str(name)]] = rows[column].to_numpy().reshape(-1, periods).sum(axis=0)
    return found
