"""A plan of one prosumer: what it bids, curtails, consumes and trades, and what that costs it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..network.arrays import FloatArray
from .household import Household

BID, CURTAILED, ELASTIC, TRADES = 0, 1, 2, slice(3, None)
"""Rows of a plan's powers, (3 + links, period)."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What a prosumer intends to do; private. Powers in kW.

    Attributes:
        bid_kw, curtailed_kw, elastic_kw: (period,).
        trade_kw: (link, period), > 0 buys.
    """

    bid_kw: FloatArray
    curtailed_kw: FloatArray
    elastic_kw: FloatArray
    trade_kw: FloatArray

    @classmethod
    def of(cls, powers: FloatArray) -> Plan:
        """The plan with these `powers`."""
        return cls(powers[BID], powers[CURTAILED], powers[ELASTIC], powers[TRADES])

    @property
    def powers(self) -> FloatArray:
        """All of it in one array: bid, curtailment, elastic load and trades, (3 + links, period)."""
        return np.vstack([self.bid_kw, self.curtailed_kw, self.elastic_kw, self.trade_kw])

    @property
    def withdrawal_kw(self) -> FloatArray:
        """What it takes from the network, bid and trades together, (period,); below 0 what it puts in."""
        return np.asarray(self.bid_kw + self.trade_kw.sum(axis=0))

    def towards(self, other: Plan, step: float) -> Plan:
        """The plan a step of the way, 0 to 1, to another one; between two plans that keep (13)-(17) all do."""
        kinds = ("bid_kw", "curtailed_kw", "elastic_kw", "trade_kw")
        return Plan(*((1 - step) * getattr(self, kind) + step * getattr(other, kind) for kind in kinds))

    def cost_usd(self, household: Household, lmp: FloatArray) -> float:
        """F_i of (11): what the bids cost at the LMP (period,) and in fees, less the utility, in $; trades left out."""
        bought = float(household.dt_h * (lmp * self.bid_kw).sum()) + sum(household.fees_usd(self.bid_kw))
        return bought - household.utility_usd(self.elastic_kw)

    def kept_cost_usd(self, household: Household, lmp: FloatArray) -> float:
        """`cost_usd` of the plan with its elastic load held within the limits (14), never less than `cost_usd`'s worth.

        What the plan consumes above them is worth nothing; what it lacks below them costs the dearer of the first
        kWh's utility and the LMP (period,) with the grid fee.
        """
        elastic = np.clip(self.elastic_kw, household.elastic_min_kw, household.elastic_max_kw)
        missing = np.maximum(elastic - self.elastic_kw, 0.0)
        dearest = np.maximum(household.beta_usd_per_kwh, lmp + household.grid_fee_usd_per_kwh)
        bought = float(household.dt_h * (lmp * self.bid_kw + dearest * missing).sum())
        bought += sum(household.fees_usd(self.bid_kw))
        return max(bought - household.utility_usd(elastic), self.cost_usd(household, lmp))

    def payment_usd(self, household: Household, price: FloatArray) -> float:
        """What the trades cost at the sharing prices (link, period), in $; negative for a seller."""
        return float(household.dt_h * (price * self.trade_kw).sum())

    def violation_kw(self, household: Household) -> float:
        """By how much the elastic load leaves its limits (14); above 0 only where given trades leave no other way."""
        below = household.elastic_min_kw - self.elastic_kw
        above = self.elastic_kw - household.elastic_max_kw
        return float(max(0.0, below.max(), above.max()))
