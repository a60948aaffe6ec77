"""What agents tell each other: nothing else crosses between a prosumer, the platform and the system operator.

Every message is a frozen record of arrays. `Quote`, `Delivery`, `Offer`, `Bid` and `Regret` concern one prosumer;
`Quotes`, `Deliveries`, `Offers`, `Bids`, `Regrets` and `Pledges` hold those of many in one array each, and `.of(...)`
cuts out one prosumer's view. The axes of each array are part of its field, so that whoever carries messages can lay
them out (`axes_of`). Powers in kW, prices in $/kWh, penalties in $/kW²h.

A "bid" here is what a prosumer orders from the DSO: p_b of (17) where the DSO clears for bids (the paper), and what it
withdraws, p_b + sum_j p_ij, where trades load the wires. A sharing price pi is the whole price of a trade there, and
here a mark-up on the LMPs of its two ends.
"""

from dataclasses import dataclass, field, fields
from typing import Any, Protocol

import numpy as np

from ..network.arrays import FloatArray, IntArray


class Layout(Protocol):
    """Where the arcs of a prosumer are in an `(arc, period)` array: a `TradeGraph`, or a part of one."""

    def arcs(self, prosumer: int) -> slice:
        """The arcs that a prosumer owns."""


def axes(*names: str) -> Any:
    """A field of a message with these axes: "prosumer", "arc" and "period"; none for a single number."""
    return field(metadata={"axes": names})


def axes_of(kind: Any) -> dict[str, tuple[str, ...]]:
    """The axes of every array of a message type, by field, in their order; `members` has none and is left out."""
    return {f.name: f.metadata["axes"] for f in fields(kind) if "axes" in f.metadata}


@dataclass(frozen=True, slots=True)
class Quote:
    """What one prosumer is told before a round of Algorithm 1.

    Attributes:
        lmp_usd_per_kwh: Price of the distribution market at its bus, (period,).
        held_bid_kw: The bid that the DSO would rather see, (period,).
        bid_weight_usd_per_kw2h: Weight of the cost |bid - held bid|²/2 of leaving it, (period,); 0 at fixed LMPs.
        price_usd_per_kwh: Sharing price pi on each of its links, (link, period).
        own_kw: Its own sharing power as the platform has it, (link, period).
        partner_kw: The partners' sharing power p_ji, (link, period).
        penalty_usd_per_kw2h: rho in (20), (link, period).
        proximal_usd_per_kw2h: Weight of the proximal term |p - own|²/2, (link, period); 0 where the order has none.
    """

    lmp_usd_per_kwh: FloatArray
    held_bid_kw: FloatArray
    bid_weight_usd_per_kw2h: FloatArray
    price_usd_per_kwh: FloatArray
    own_kw: FloatArray
    partner_kw: FloatArray
    penalty_usd_per_kw2h: FloatArray
    proximal_usd_per_kw2h: FloatArray


@dataclass(frozen=True, slots=True)
class Offer:
    """What one prosumer answers: its sharing power and its price on each of its links, both (link, period)."""

    power_kw: FloatArray
    price_usd_per_kwh: FloatArray


@dataclass(frozen=True, slots=True)
class Delivery:
    """What one prosumer is told when sharing has ended.

    Attributes:
        lmp_usd_per_kwh: Price of the distribution market at its bus, (period,).
        price_usd_per_kwh: Price of each of its trades, (link, period).
        trade_kw: What it buys on each of its links, reciprocal to the last bit, (link, period).
        held_bid_kw: The bid that the DSO would rather see, (period,).
        bid_weight_usd_per_kw2h: Weight of the cost of leaving it, (period,); 0 at fixed LMPs. What is delivered is
            judged without that cost; it decides where the LMP leaves open what to bid.
    """

    lmp_usd_per_kwh: FloatArray
    price_usd_per_kwh: FloatArray
    trade_kw: FloatArray
    held_bid_kw: FloatArray = field(default_factory=lambda: np.zeros(1))
    bid_weight_usd_per_kw2h: FloatArray = field(default_factory=lambda: np.zeros(1))


@dataclass(frozen=True, slots=True)
class Bid:
    """What one prosumer asks of the distribution market: power per period, (period,)."""

    power_kw: FloatArray


@dataclass(frozen=True, slots=True)
class Regret:
    """What one prosumer could still gain by leaving its schedule, at the prices it was told."""

    usd: float


@dataclass(frozen=True, slots=True)
class Quotes:
    """The quotes of many prosumers in one message.

    Attributes:
        members: Who is to answer, as prosumer indices, in ascending order.
        lmp_usd_per_kwh, held_bid_kw, bid_weight_usd_per_kw2h: (prosumer, period).
        price_usd_per_kwh, own_kw, partner_kw, penalty_usd_per_kw2h: (arc, period).
        proximal: Weight of the proximal term, as a multiple of the penalty.
    """

    members: IntArray
    lmp_usd_per_kwh: FloatArray = axes("prosumer", "period")
    held_bid_kw: FloatArray = axes("prosumer", "period")
    bid_weight_usd_per_kw2h: FloatArray = axes("prosumer", "period")
    price_usd_per_kwh: FloatArray = axes("arc", "period")
    own_kw: FloatArray = axes("arc", "period")
    partner_kw: FloatArray = axes("arc", "period")
    penalty_usd_per_kw2h: FloatArray = axes("arc", "period")
    proximal: float = axes()

    def of(self, prosumer: int, layout: Layout) -> Quote:
        """One prosumer's view."""
        arcs = layout.arcs(prosumer)
        return Quote(
            self.lmp_usd_per_kwh[prosumer],
            self.held_bid_kw[prosumer],
            self.bid_weight_usd_per_kw2h[prosumer],
            self.price_usd_per_kwh[arcs],
            self.own_kw[arcs],
            self.partner_kw[arcs],
            self.penalty_usd_per_kw2h[arcs],
            self.proximal * self.penalty_usd_per_kw2h[arcs],
        )


@dataclass(frozen=True, slots=True)
class Offers:
    """The offers of many prosumers in one message; rows of prosumers that were not asked are zero.

    Attributes:
        members: Who answered, as prosumer indices, in ascending order.
        power_kw, price_usd_per_kwh: (arc, period).
        bid_kw: (prosumer, period), for the DSO.
    """

    members: IntArray
    power_kw: FloatArray = axes("arc", "period")
    price_usd_per_kwh: FloatArray = axes("arc", "period")
    bid_kw: FloatArray = axes("prosumer", "period")


@dataclass(frozen=True, slots=True)
class Deliveries:
    """The deliveries of all prosumers in one message.

    Attributes:
        lmp_usd_per_kwh, held_bid_kw, bid_weight_usd_per_kw2h: (prosumer, period).
        price_usd_per_kwh, trade_kw: (arc, period).
    """

    lmp_usd_per_kwh: FloatArray = axes("prosumer", "period")
    price_usd_per_kwh: FloatArray = axes("arc", "period")
    trade_kw: FloatArray = axes("arc", "period")
    held_bid_kw: FloatArray = axes("prosumer", "period")
    bid_weight_usd_per_kw2h: FloatArray = axes("prosumer", "period")

    def of(self, prosumer: int, layout: Layout) -> Delivery:
        """One prosumer's view."""
        arcs = layout.arcs(prosumer)
        return Delivery(
            self.lmp_usd_per_kwh[prosumer],
            self.price_usd_per_kwh[arcs],
            self.trade_kw[arcs],
            self.held_bid_kw[prosumer],
            self.bid_weight_usd_per_kw2h[prosumer],
        )


@dataclass(frozen=True, slots=True)
class Pledges:
    """What all prosumers answer to their deliveries.

    Attributes:
        bid_kw: The bids that those need, (prosumer, period), for the DSO.
        regret_usd: What is regretted of what was agreed, (prosumer,).
        excess_kw: How much less would have to be bought, (prosumer, period): what trades leave no way to keep, see
            `Plan.excess_kw`; 0 for nearly everybody.
    """

    bid_kw: FloatArray = axes("prosumer", "period")
    regret_usd: FloatArray = axes("prosumer")
    excess_kw: FloatArray = axes("prosumer", "period")


@dataclass(frozen=True, slots=True, eq=False)
class Asks:
    """What the platform asks the DSO after a round: what it would rather sell than these bids, where it has no curve.

    Attributes:
        periods: In which periods, (period,).
        price_usd_per_kwh: What prosumers were told that a bid costs, (prosumer, period) for these, as all that follows.
        weight_usd_per_kw2h: What leaving the bids costs, above 0.
        bid_kw: The bids.
    """

    periods: IntArray
    price_usd_per_kwh: FloatArray
    weight_usd_per_kw2h: FloatArray
    bid_kw: FloatArray


@dataclass(frozen=True, slots=True, eq=False)
class Sale:
    """What the DSO answers to `Asks`.

    Attributes:
        lmp_usd_per_kwh: The LMPs of what it would rather sell, (prosumer, period) for those periods.
        concave_usd_per_kw2h: By how much LMPs fall with bids there at most, (period,); 0 if power is worth anything.
    """

    lmp_usd_per_kwh: FloatArray
    concave_usd_per_kw2h: FloatArray


@dataclass(frozen=True, slots=True)
class Commitment:
    """All prosumers are to commit to what was delivered, or to a step of the way there, 0 to 1."""

    step: float = axes()


@dataclass(frozen=True, slots=True)
class Bids:
    """The bids of all prosumers in one message, (prosumer, period)."""

    power_kw: FloatArray = axes("prosumer", "period")


@dataclass(frozen=True, slots=True)
class Regrets:
    """The regrets of all prosumers in one message, (prosumer,)."""

    usd: FloatArray = axes("prosumer")
