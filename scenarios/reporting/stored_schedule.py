"""The schedule of a saved run as arrays, as its balances are drawn from."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ...agents.trade_graph import TradeGraph
from ...network.arrays import FloatArray
from ...network.periods import When
from .pictured import Pictured

_POWERS = ("bid_kw", "elastic_kw", "fixed_kw", "renewable_kw", "curtailed_kw")


@dataclass(frozen=True, slots=True, eq=False)
class StoredSchedule:
    """A schedule: arrays are (prosumer, period), trades and their prices (link, period)."""

    graph: TradeGraph
    dt_h: float
    when: When
    bid_kw: FloatArray
    elastic_kw: FloatArray
    fixed_kw: FloatArray
    renewable_kw: FloatArray
    curtailed_kw: FloatArray
    lmp_usd_per_kwh: FloatArray
    trade_kw: FloatArray
    price_usd_per_kwh: FloatArray

    @classmethod
    def of(cls, run: Pictured) -> StoredSchedule:
        """That of a run with the tables `prosumers` and `trades`, whose rows stand in the order of its graph."""
        prosumers, trades = run.table("prosumers"), run.table("trades")
        periods = int(prosumers["period"].max())
        arrays = {key: prosumers[key].to_numpy().reshape(-1, periods) for key in (*_POWERS, "lmp_usd_per_kwh")}
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
        sums = {key: getattr(self, key).sum(axis=0, keepdims=True) for key in _POWERS}
        none = np.zeros((0, self.bid_kw.shape[1]))
        lmp = self.lmp_usd_per_kwh.mean(axis=0, keepdims=True)
        graph = TradeGraph([name], [])
        return StoredSchedule(
            graph, self.dt_h, self.when, **sums, lmp_usd_per_kwh=lmp, trade_kw=none, price_usd_per_kwh=none
        )
