"""A plan of one prosumer, or of many: what is bid, curtailed, consumed and traded, and what that costs."""

from __future__ import annotations

from dataclasses import dataclass, field, fields, replace

import numpy as np

from ..network.arrays import FloatArray
from .household import Valuation

BID, CURTAILED, ELASTIC, TRADES = 0, 1, 2, slice(3, None)
"""Rows of the powers of a plan without devices, (3 + links, period)."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What a prosumer intends to do; private. Powers in kW.

    The plan of many prosumers has an axis more in front; what it costs is then one number for each.

    Attributes:
        bid_kw, curtailed_kw, elastic_kw: (period,); of many (prosumer, period).
        trade_kw: (link, period), > 0 buys; of many (arc, period).
        device: What the devices of one prosumer do, (column, period), as its `Household.fleet` has them; of many none.
    """

    bid_kw: FloatArray
    curtailed_kw: FloatArray
    elastic_kw: FloatArray
    trade_kw: FloatArray
    device: FloatArray = field(default_factory=lambda: np.zeros((0, 0)))

    @classmethod
    def of(cls, powers: FloatArray, columns: int = 0) -> Plan:
        """The plan with these `powers`, the last so many of which are columns of devices."""
        trades, device = np.split(powers[TRADES], [len(powers[TRADES]) - columns])
        plain = cls(powers[BID], powers[CURTAILED], powers[ELASTIC], trades)
        return replace(plain, device=device) if columns else plain

    @property
    def powers(self) -> FloatArray:
        """All of one prosumer in one array: bid, curtailment, elastic load, trades, devices, (row, period)."""
        device = self.device.reshape(-1, self.bid_kw.size)
        return np.vstack([self.bid_kw, self.curtailed_kw, self.elastic_kw, self.trade_kw, device])

    @property
    def withdrawal_kw(self) -> FloatArray:
        """What one takes from the network, bid and trades together, (period,); below 0 what it puts in."""
        return np.asarray(self.bid_kw + self.trade_kw.sum(axis=0))

    def only(self, prosumer: int, arcs: slice) -> Plan:
        """The plan of one of many, who owns these arcs."""
        return Plan(self.bid_kw[prosumer], self.curtailed_kw[prosumer], self.elastic_kw[prosumer], self.trade_kw[arcs])

    def towards(self, other: Plan, step: float) -> Plan:
        """The plan a step of the way, 0 to 1, to another one; between two plans that keep (13)-(17) all do."""
        kinds = [cell.name for cell in fields(self)]
        return Plan(*((1 - step) * getattr(self, kind) + step * getattr(other, kind) for kind in kinds))

    def cost_usd(self, home: Valuation, lmp: FloatArray) -> FloatArray:
        """F_i of (11): what the bids cost at the LMP, as `bid_kw`, in fees and on devices, less the utility, in $.

        Trades are left out.
        """
        bought = home.dt_h * (lmp * self.bid_kw).sum(axis=-1) + sum(home.fees_usd(self.bid_kw))
        return np.asarray(bought + home.devices_usd(self.device) - home.utility_usd(self.elastic_kw))

    def kept_cost_usd(self, home: Valuation, lmp: FloatArray) -> FloatArray:
        """`cost_usd` of the plan with its elastic load held within the limits (14), never less than `cost_usd`'s worth.

        What the plan consumes above them is worth nothing; what it lacks below them costs the dearer of the first
        kWh's utility and the LMP with the grid fee.
        """
        elastic = np.clip(self.elastic_kw, home.elastic_min_kw, home.elastic_max_kw)
        missing = np.maximum(elastic - self.elastic_kw, 0.0)
        dearest = np.maximum(home.beta_usd_per_kwh, lmp + home.grid_fee_usd_per_kwh)
        wasted = home.utility_usd(self.elastic_kw) - home.utility_usd(elastic)
        beyond = home.dt_h * (dearest * missing).sum(axis=-1) + wasted
        return np.asarray(self.cost_usd(home, lmp) + np.maximum(beyond, 0.0))

    def payment_usd(self, home: Valuation, price: FloatArray) -> float:
        """What the trades of one prosumer cost at the sharing prices (link, period), in $; negative for a seller."""
        return float(home.dt_h * (price * self.trade_kw).sum())

    def excess_kw(self, home: Valuation) -> FloatArray:
        """What the elastic load has above its limits (14), as `bid_kw`; below 0 what it lacks.

        It is not 0 only where given trades leave no other way.
        """
        return np.asarray(self.elastic_kw - np.clip(self.elastic_kw, home.elastic_min_kw, home.elastic_max_kw))

    def violation_kw(self, home: Valuation) -> FloatArray:
        """By how much the elastic load leaves its limits (14) at most."""
        return np.asarray(np.abs(self.excess_kw(home)).max(axis=-1))
