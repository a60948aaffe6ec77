"""What a run found as tables, by column and as pandas frames, with the unit in every column's name.

Beside every `period` stands the `time` at which it begins, where the market has a calendar.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from ..agents.trade_graph import TradeGraph
from ..network.ac_flow import RadialFlow
from ..network.arrays import FloatArray
from ..network.calendars import Calendar
from ..network.dispatch import Dispatch
from ..network.feeder import Feeder
from ..network.flows import Breach, Flows, breaches, flows_when
from ..network.periods import When
from . import network_tables
from .columns import Columns, by_period, each_period, frame, with_times
from .device_schedules import DeviceSchedules
from .plotting import drawn
from .proof.settlement import Settlement
from .settings import NetworkUse

if TYPE_CHECKING:
    import pandas as pd

TABLES = ("prosumers", "trades", "prices", "generators", "buses", "lines", "bills")
"""The tables of a result."""
DEVICES = "devices"
"""One more, where prosumers have devices."""


class ResultTables:
    """The tables of a `Result`, which has the arrays that they are made of."""

    feeder: Feeder
    dispatch: Dispatch
    graph: TradeGraph
    prosumer_buses: tuple[str, ...]
    network_use: NetworkUse
    lmp_usd_per_kwh: FloatArray
    price_usd_per_kwh: FloatArray
    trade_kw: FloatArray
    bid_kw: FloatArray
    device_schedules: DeviceSchedules
    settlement: Settlement

    @property
    def calendar(self) -> Calendar | None:
        """When the periods are; None where nobody knows."""
        return self.dispatch.calendar

    @property
    def when(self) -> When:
        """When the periods are, for their names."""
        return self.dispatch.when

    @property
    def bought_kw(self) -> FloatArray:
        """What each prosumer buys from its partners, (prosumer, period)."""
        return self.graph.by_owner(np.maximum(_arcs_kw(self.graph, self.trade_kw), 0.0))

    @property
    def sold_kw(self) -> FloatArray:
        """What each prosumer sells to its partners, (prosumer, period)."""
        return self.graph.by_owner(np.maximum(-_arcs_kw(self.graph, self.trade_kw), 0.0))

    @property
    def net_trade_kw(self) -> FloatArray:
        """What each prosumer buys less what it sells, (prosumer, period)."""
        return self.graph.by_owner(_arcs_kw(self.graph, self.trade_kw))

    @property
    def withdrawal_kw(self) -> FloatArray:
        """What each takes from the network, bid and net trade, below 0 what it puts in, (prosumer, period)."""
        return self.bid_kw + self.net_trade_kw

    @property
    def network_charge_usd_per_kwh(self) -> FloatArray:
        """What the network charges for a kWh that the end a of a link buys, (link, period); 0 where bids load it."""
        charged = self.network_use is NetworkUse.WITHDRAWALS
        return charged * network_charge(self.graph, self.lmp_usd_per_kwh)

    def columns(self, table: str) -> Columns:
        """A table (`tables_of`) by column, as files have it; the property of that name is the same for pandas."""
        makers = {
            "prosumers": self._prosumers,
            "trades": self._trades,
            "prices": lambda: network_tables.prices(self.feeder, self.dispatch),
            "generators": lambda: network_tables.generators(self.feeder, self.dispatch),
            "buses": self._buses,
            "lines": lambda: network_tables.lines(self.feeder, self.dispatch, self.with_trades),
            "bills": self.settlement.columns,
            DEVICES: self.device_schedules.columns,
        }
        return with_times(makers[table](), self.calendar)

    def plot(self, what: str = "balance", **options: Any) -> Any:
        """A picture: "balance" (of one `prosumer`, or of all), "prices", "network" or "feeder"; see `plotting`."""
        return drawn(self, what, **options)

    @property
    def bills(self) -> pd.DataFrame:
        """Who pays whom: account, item, counterparty, amount_usd (> 0: the account receives)."""
        return frame(self.columns("bills"))

    @property
    def prosumers(self) -> pd.DataFrame:
        """The schedule: one row per prosumer and period."""
        return frame(self.columns("prosumers"))

    @property
    def trades(self) -> pd.DataFrame:
        """The trades: one row per link and period; trade_kw > 0 when `a` buys from `b`.

        A kWh costs its buyer the price, half of the network's charge and half of the fee; the seller gets the price
        less these.
        """
        return frame(self.columns("trades"))

    @property
    def prices(self) -> pd.DataFrame:
        """The LMPs with their four components and the reactive price: one row per bus and period, $/kWh."""
        return frame(self.columns("prices"))

    @property
    def generators(self) -> pd.DataFrame:
        """What generators do, what they could, and what a kWh more costs: one row per generator and period."""
        return frame(self.columns("generators"))

    @property
    def buses(self) -> pd.DataFrame:
        """Loads, injections, voltages and LMPs, with the trades and without: one row per bus and period."""
        return frame(self.columns("buses"))

    @property
    def lines(self) -> pd.DataFrame:
        """Flows, currents, loading and losses, with the trades and without: one row per line and period."""
        return frame(self.columns("lines"))

    @property
    def devices(self) -> pd.DataFrame:
        """What devices take, give and hold: one row per device and period; empty where there are none."""
        return frame(self.columns(DEVICES))

    def _prosumers(self) -> Columns:
        powers = ("bid_kw", "elastic_kw", "curtailed_kw", "fixed_kw", "renewable_kw", "net_trade_kw", "withdrawal_kw")
        cells = {key: getattr(self, key).ravel() for key in (*powers, "lmp_usd_per_kwh")}
        if self.device_schedules.names:
            cells["devices_kw"] = self.device_schedules.injection_kw.ravel()
        return {**by_period("prosumer", self.graph.names, self.bid_kw.shape[1]), **cells}

    def _trades(self) -> Columns:
        links, periods = self.graph.links, self.bid_kw.shape[1]
        trade, price, charge = self.trade_kw, self.price_usd_per_kwh, self.network_charge_usd_per_kwh
        fee = self.graph.fee_usd_per_kwh[:, None]
        beside = (np.sign(trade) * charge + fee) / 2
        return {
            **by_period("link", [link.name for link in links], periods),
            "a": each_period([link.a for link in links], periods),
            "b": each_period([link.b for link in links], periods),
            "trade_kw": trade.ravel(),
            "price_usd_per_kwh": price.ravel(),
            "buyer_pays_usd_per_kwh": (price + beside).ravel(),
            "seller_gets_usd_per_kwh": (price - beside).ravel(),
            "network_charge_usd": (self.dispatch.dt_h * charge * trade).ravel(),
            "fee_usd": (self.dispatch.dt_h * (fee * np.abs(trade))).ravel(),
        }

    def _buses(self) -> Columns:
        seen = self.network_use is NetworkUse.WITHDRAWALS
        cleared, more = self.by_bus(self.withdrawal_kw if seen else self.bid_kw), self.uncleared_kw
        return network_tables.buses(self.feeder, self.dispatch, cleared, self.with_trades, more)

    @property
    def uncleared_kw(self) -> FloatArray:
        """What prosumers draw beside what the DSO has cleared, (bus, period): their trades, if it does not see them."""
        seen = self.network_use is NetworkUse.WITHDRAWALS
        return self.by_bus(np.zeros_like(self.bid_kw) if seen else self.net_trade_kw)

    @cached_property
    def with_trades(self) -> Flows:
        """What the wires carry with the trades; nan in a period in which there is no such AC flow."""
        if not self.uncleared_kw.any():
            return Flows.of(self.feeder, self.dispatch)
        return flows_when(RadialFlow(self.feeder), self.feeder, self.dispatch, self.uncleared_kw)

    @property
    def breaches(self) -> list[Breach]:
        """The limits of the feeder that are broken once trades are counted, those of lines first, the worst first."""
        return breaches(self.feeder, self.with_trades)

    def by_bus(self, values: FloatArray) -> FloatArray:
        """Sums over the prosumers at each bus, (bus, period), of (prosumer, period)."""
        total = np.zeros((len(self.feeder.names), values.shape[1]))
        np.add.at(total, [self.feeder.index(bus) for bus in self.prosumer_buses], values)
        return total


def tables_of(result: ResultTables) -> tuple[str, ...]:
    """The tables that a result has."""
    return (*TABLES, DEVICES) if result.device_schedules.names else TABLES


def network_charge(graph: TradeGraph, lmp_usd_per_kwh: FloatArray) -> FloatArray:
    """LMP of a link's end a less that of its end b, (link, period), of (prosumer, period)."""
    a, b = (lmp_usd_per_kwh[graph.owner[end]] for end in (graph.forward, graph.backward))
    return np.asarray(a - b)


def _arcs_kw(graph: TradeGraph, trade_kw: FloatArray) -> FloatArray:
    """The trades by arc, > 0 where its owner buys, (arc, period)."""
    arcs = np.zeros((graph.owner.size, trade_kw.shape[1]))
    arcs[graph.forward], arcs[graph.backward] = trade_kw, -trade_kw
    return arcs
