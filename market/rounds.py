"""What one agent round is, and the plain record of what it produced."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from ..network.arrays import FloatArray


class Phase(StrEnum):
    """What the next step does."""

    CLEARING = "clearing"
    SHARING = "sharing"
    DELIVERY = "delivery"
    ENDED = "ended"


@dataclass(frozen=True, slots=True, repr=False)
class Round:
    """What one agent round produced: plain numbers, no solvers.

    Attributes:
        number: Rounds so far, this one included.
        iteration: Outer step of Algorithm 2, from 1.
        phase: What the round did.
        seconds: How long it took.
        primal_kw, dual_usd_per_kwh: Residuals of Algorithm 1 after the last round of sharing; inf before the first.
        dso_cost_usd: Cost (1) of the last clearing.
        outer_error: |bids - previous bids| / |bids| of the last delivery; nan before.
        regret_usd: Sum of the regrets of the schedule last certified, the DSO's included; nan before.
        regret_by_prosumer_usd: The prosumers' part of it, (prosumer,).
        clearings, elastic_clearings: Clearings of bids so far, and those with elastic bids (`admm`).
        slowest: Which pair disagrees most, and when.
        verdict: How Algorithm 1 goes, in words.
        bid_kw, lmp_usd_per_kwh: Bids and LMPs as they stand after the round, (prosumer, period).
        power_kw: Sharing powers, (arc, period).
        price_usd_per_kwh, penalty_usd_per_kw2h: Sharing prices and penalties, (link, period); where trades load the
            wires prices are mark-ups on LMPs (`SharingPlatform.whole_price_usd_per_kwh` has both in them).
        incidents: What happened to those who serve communities in it, and what behaviours failed in; empty if
            nothing did.
        sentence: What happened, in words.
    """

    number: int
    iteration: int
    phase: Phase
    seconds: float
    primal_kw: float
    dual_usd_per_kwh: float
    dso_cost_usd: float
    outer_error: float
    regret_usd: float
    regret_by_prosumer_usd: FloatArray
    clearings: int
    elastic_clearings: int
    slowest: str
    verdict: str
    bid_kw: FloatArray
    lmp_usd_per_kwh: FloatArray
    power_kw: FloatArray
    price_usd_per_kwh: FloatArray
    penalty_usd_per_kw2h: FloatArray
    incidents: str
    sentence: str

    def __repr__(self) -> str:
        return f"<Round {self.number}: {self.sentence}>"
