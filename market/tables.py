"""What a run found as tables: pandas frames with the unit in every column's name."""

from __future__ import annotations

from functools import cached_property

import numpy as np
import pandas as pd

from ..agents.trade_graph import TradeGraph
from ..network.ac_flow import RadialFlow
from ..network.arrays import FloatArray
from ..network.dispatch import Dispatch
from ..network.feeder import Feeder
from ..network.flows import Breach, Flows, breaches, flows_when
from . import network_tables
from .proof.settlement import Settlement
from .settings import NetworkUse


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
    withdrawal_kw: FloatArray
    settlement: Settlement

    @property
    def bought_kw(self) -> FloatArray:
        """What each prosumer buys from its partners, (prosumer, period)."""
        return by_owner(self.graph, np.maximum(self._arc_kw(), 0.0))

    @property
    def sold_kw(self) -> FloatArray:
        """What each prosumer sells to its partners, (prosumer, period)."""
        return by_owner(self.graph, np.maximum(-self._arc_kw(), 0.0))

    @property
    def net_trade_kw(self) -> FloatArray:
        """What each prosumer buys less what it sells, (prosumer, period)."""
        return by_owner(self.graph, self._arc_kw())

    @property
    def network_charge_usd_per_kwh(self) -> FloatArray:
        """What the network charges for a kWh that the end a of a link buys, (link, period); 0 where bids load it."""
        charged = self.network_use is NetworkUse.WITHDRAWALS
        return charged * network_charge(self.graph, self.lmp_usd_per_kwh)

    @property
    def bills(self) -> pd.DataFrame:
        """Who pays whom: account, item, counterparty, amount_usd (> 0: the account receives)."""
        return self.settlement.frame()

    @property
    def prosumers(self) -> pd.DataFrame:
        """The schedule: one row per prosumer and period."""
        frame = self._long("prosumer", self.graph.names, self.bid_kw.shape[1])
        for column in ("bid_kw", "elastic_kw", "curtailed_kw", "fixed_kw", "renewable_kw"):
            frame[column] = getattr(self, column).ravel()
        frame["net_trade_kw"] = self.net_trade_kw.ravel()
        frame["withdrawal_kw"] = self.withdrawal_kw.ravel()
        frame["lmp_usd_per_kwh"] = self.lmp_usd_per_kwh.ravel()
        return frame

    @property
    def trades(self) -> pd.DataFrame:
        """The trades: one row per link and period; trade_kw > 0 when `a` buys from `b`.

        A kWh costs its buyer the price, half of the network's charge and half of the fee; the seller gets the price
        less these.
        """
        frame = self._long("link", [link.name for link in self.graph.links], self.bid_kw.shape[1])
        periods = self.bid_kw.shape[1]
        frame["a"] = np.repeat([link.a for link in self.graph.links], periods)
        frame["b"] = np.repeat([link.b for link in self.graph.links], periods)
        frame["trade_kw"] = self.trade_kw.ravel()
        frame["price_usd_per_kwh"] = self.price_usd_per_kwh.ravel()
        way = np.sign(self.trade_kw)
        beside = (way * self.network_charge_usd_per_kwh + self.graph.fee_usd_per_kwh[:, None]) / 2
        frame["buyer_pays_usd_per_kwh"] = (self.price_usd_per_kwh + beside).ravel()
        frame["seller_gets_usd_per_kwh"] = (self.price_usd_per_kwh - beside).ravel()
        frame["network_charge_usd"] = (self.dispatch.dt_h * self.network_charge_usd_per_kwh * self.trade_kw).ravel()
        fee = self.graph.fee_usd_per_kwh[:, None] * np.abs(self.trade_kw)
        frame["fee_usd"] = (self.dispatch.dt_h * fee).ravel()
        return frame

    @property
    def prices(self) -> pd.DataFrame:
        """The LMPs with their four components and the reactive price: one row per bus and period, $/kWh."""
        dispatch = self.dispatch
        frame = self._long("bus", self.feeder.names, self.bid_kw.shape[1])
        frame["lmp_usd_per_kwh"] = dispatch.lmp_usd_per_kwh.ravel()
        for part in ("energy", "loss", "voltage", "congestion"):
            frame[f"{part}_usd_per_kwh"] = getattr(dispatch.components, part).ravel()
        frame["reactive_usd_per_kvarh"] = dispatch.q_price_usd_per_kvarh.ravel()
        return frame

    @property
    def generators(self) -> pd.DataFrame:
        """What generators do, what they could, and what a kWh more costs: one row per generator and period."""
        return network_tables.generators(self.feeder, self.dispatch)

    @property
    def buses(self) -> pd.DataFrame:
        """Loads, injections, voltages and LMPs, with the trades and without: one row per bus and period."""
        seen = self.network_use is NetworkUse.WITHDRAWALS
        cleared, more = self.by_bus(self.withdrawal_kw if seen else self.bid_kw), self.uncleared_kw
        return network_tables.buses(self.feeder, self.dispatch, cleared, self.with_trades, more)

    @property
    def lines(self) -> pd.DataFrame:
        """Flows, currents, loading and losses, with the trades and without: one row per line and period."""
        return network_tables.lines(self.feeder, self.dispatch, self.with_trades)

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

    def _arc_kw(self) -> FloatArray:
        """The trades by arc, > 0 where its owner buys, (arc, period)."""
        arcs = np.zeros((self.graph.owner.size, self.bid_kw.shape[1]))
        arcs[self.graph.forward], arcs[self.graph.backward] = self.trade_kw, -self.trade_kw
        return arcs

    @staticmethod
    def _long(what: str, names: list[str] | tuple[str, ...], periods: int) -> pd.DataFrame:
        return pd.DataFrame(
            {
                what: np.repeat(np.array(names, dtype=object), periods),
                "period": np.tile(np.arange(1, periods + 1), len(names)),
            }
        )


def by_owner(graph: TradeGraph, arcs: FloatArray) -> FloatArray:
    """Sums over the arcs of each prosumer, (prosumer, period), of (arc, period)."""
    total = np.zeros((len(graph.names), arcs.shape[1]))
    np.add.at(total, graph.owner, arcs)
    return total


def network_charge(graph: TradeGraph, lmp_usd_per_kwh: FloatArray) -> FloatArray:
    """LMP of a link's end a less that of its end b, (link, period), of (prosumer, period)."""
    a, b = (lmp_usd_per_kwh[graph.owner[end]] for end in (graph.forward, graph.backward))
    return np.asarray(a - b)
