"""What agents tell each other: nothing else crosses between a prosumer, the platform and the system operator.

Every message is a frozen record of arrays. `Quote`, `Delivery` and `Offer` concern one prosumer; `Quotes`, `Deliveries`
and `Offers` hold those of all prosumers of a community in one array each, and `.of(...)` cuts out one prosumer's view.
Powers in kW, prices in $/kWh, penalties in $/kW²h.
"""

from dataclasses import dataclass

from .arrays import FloatArray
from .trade_graph import TradeGraph


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
    """

    lmp_usd_per_kwh: FloatArray
    price_usd_per_kwh: FloatArray
    trade_kw: FloatArray


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
        members: Who is to answer, as prosumer indices.
        lmp_usd_per_kwh, held_bid_kw, bid_weight_usd_per_kw2h: (prosumer, period).
        price_usd_per_kwh, own_kw, partner_kw, penalty_usd_per_kw2h, proximal_usd_per_kw2h: (arc, period).
    """

    members: tuple[int, ...]
    lmp_usd_per_kwh: FloatArray
    held_bid_kw: FloatArray
    bid_weight_usd_per_kw2h: FloatArray
    price_usd_per_kwh: FloatArray
    own_kw: FloatArray
    partner_kw: FloatArray
    penalty_usd_per_kw2h: FloatArray
    proximal_usd_per_kw2h: FloatArray

    def of(self, prosumer: int, graph: TradeGraph) -> Quote:
        """One prosumer's view."""
        arcs = graph.arcs(prosumer)
        return Quote(
            self.lmp_usd_per_kwh[prosumer],
            self.held_bid_kw[prosumer],
            self.bid_weight_usd_per_kw2h[prosumer],
            self.price_usd_per_kwh[arcs],
            self.own_kw[arcs],
            self.partner_kw[arcs],
            self.penalty_usd_per_kw2h[arcs],
            self.proximal_usd_per_kw2h[arcs],
        )


@dataclass(frozen=True, slots=True)
class Offers:
    """The offers of many prosumers in one message; rows of prosumers that were not asked are zero.

    Attributes:
        members: Who answered, as prosumer indices.
        power_kw, price_usd_per_kwh: (arc, period).
        bid_kw: (prosumer, period), for the DSO.
    """

    members: tuple[int, ...]
    power_kw: FloatArray
    price_usd_per_kwh: FloatArray
    bid_kw: FloatArray


@dataclass(frozen=True, slots=True)
class Deliveries:
    """The deliveries of all prosumers in one message.

    Attributes:
        lmp_usd_per_kwh: (prosumer, period).
        price_usd_per_kwh, trade_kw: (arc, period).
    """

    lmp_usd_per_kwh: FloatArray
    price_usd_per_kwh: FloatArray
    trade_kw: FloatArray

    def of(self, prosumer: int, graph: TradeGraph) -> Delivery:
        """One prosumer's view."""
        arcs = graph.arcs(prosumer)
        return Delivery(self.lmp_usd_per_kwh[prosumer], self.price_usd_per_kwh[arcs], self.trade_kw[arcs])
