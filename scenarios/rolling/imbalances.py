"""What differs between plan and fact, prosumer by prosumer, and what that costs.

What is planned stands: bids, trades, elastic loads and devices. What a prosumer then lacks for its actual load and
renewables it buys from the DSO at one price; what it has over it sells to the DSO at another. It curtails as planned,
less where it lacks power, more where it would pay for what it has over, and no more than there is.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from ...market.columns import Columns, by_period
from ...market.proof.settlement import OPERATOR, Postings, Settlement
from ...network.arrays import FloatArray
from ..files.horizon import ImbalancePriceRow
from ..runs.amounts import dollars, energy

ITEM = "imbalances"
"""What bills call them."""


def imbalances_said(lacking_kwh: float, over_kwh: float, paid_usd: float) -> str:
    """What all prosumers lacked and had over, and what they pay for that, in words; they get what is below 0."""
    verb = "get" if paid_usd < 0 else "pay"
    return (
        f"prosumers lacked {energy(lacking_kwh)} kWh against their plans and had {energy(over_kwh)} kWh over, "
        f"for which they {verb} {dollars(abs(paid_usd))}, in their cost"
    )


@dataclass(frozen=True, slots=True, eq=False)
class Imbalances:
    """What differs; all arrays (prosumer, period).

    Attributes:
        names: The prosumers.
        dt_h: Length of a period in hours.
        fixed_planned_kw, renewable_planned_kw: Loads and renewables that were expected.
        fixed_actual_kw, renewable_actual_kw: Those that came.
        imbalance_kw: What each lacks against its plan; below 0 what it has over.
        price_usd_per_kwh: What a kWh of that costs, or earns.
    """

    names: tuple[str, ...]
    dt_h: float
    fixed_planned_kw: FloatArray
    renewable_planned_kw: FloatArray
    fixed_actual_kw: FloatArray
    renewable_actual_kw: FloatArray
    imbalance_kw: FloatArray
    price_usd_per_kwh: FloatArray

    @classmethod
    def of(
        cls,
        names: tuple[str, ...],
        planned: tuple[FloatArray, FloatArray, FloatArray],
        actual: tuple[FloatArray, FloatArray],
        prices: ImbalancePriceRow,
        dt_h: float,
    ) -> Imbalances:
        """What differs.

        Args:
            names: The prosumers.
            planned: Fixed load, renewables, and what is curtailed of these, (prosumer, period) each, kW.
            actual: Fixed load and renewables, likewise.
            prices: What a kWh costs that is lacking, and earns that is over.
            dt_h: Length of a period in hours.
        """
        (fixed_planned, renewable_planned, curtailed), (fixed, renewable) = planned, actual
        lacking = fixed - fixed_planned - (renewable - renewable_planned)
        less = lacking if prices.sell < 0 else np.maximum(lacking, 0.0)  # curtailing costs nothing, in (13)
        still_curtailed = np.clip(curtailed - less, 0.0, renewable)
        imbalance = lacking + still_curtailed - curtailed
        price = np.where(imbalance > 0, prices.buy, prices.sell)
        return cls(names, dt_h, fixed_planned, renewable_planned, fixed, renewable, imbalance, price)

    @property
    def usd(self) -> FloatArray:
        """What each pays for its imbalances, (prosumer,) in $; below 0 what it receives."""
        return np.asarray(self.dt_h * (self.price_usd_per_kwh * self.imbalance_kw).sum(axis=1))

    @property
    def lacking_kwh(self) -> float:
        """What prosumers lacked against their plans, summed up, kWh."""
        return self.dt_h * float(np.maximum(self.imbalance_kw, 0.0).sum())

    @property
    def over_kwh(self) -> float:
        """What they had over, kWh."""
        return self.dt_h * float(np.maximum(-self.imbalance_kw, 0.0).sum())

    def billed(self, settlement: Settlement) -> Settlement:
        """The bills with what is paid for imbalances, in whole cents, between each prosumer and the DSO."""
        people = len(self.names)
        cents = np.rint(100 * self.usd).astype(np.int64)
        operator = np.full(people, settlement.accounts.index(OPERATOR, people))
        mine = Postings(np.arange(people), operator, [ITEM] * people, cents)
        return replace(settlement, postings=(*settlement.postings, mine))

    def columns(self) -> Columns:
        """One row per prosumer and period, from 1; above 0 is lacking and paid."""
        powers = (
            *("fixed_planned_kw", "fixed_actual_kw", "renewable_planned_kw", "renewable_actual_kw"),
            *("imbalance_kw", "price_usd_per_kwh"),
        )
        cells = {key: getattr(self, key).ravel() for key in powers}
        paid = self.dt_h * cells["price_usd_per_kwh"] * cells["imbalance_kw"]
        return {**by_period("prosumer", self.names, self.imbalance_kw.shape[1]), **cells, "amount_usd": paid}
