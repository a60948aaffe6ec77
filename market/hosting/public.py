"""What the market knows of prosumers that live elsewhere."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ...agents.arrays import FloatArray

if TYPE_CHECKING:
    from ..energy_market import EnergyMarket


@dataclass(frozen=True, slots=True)
class PublicProsumer:
    """The public side of a prosumer.

    Attributes:
        name, bus: Its name, and the bus of the feeder it is connected to.
        power_kw: The sharing powers that it offered last, (link, period).
        bid_kw: What it bid last, (period,).
    """

    name: str
    bus: str
    power_kw: FloatArray
    bid_kw: FloatArray


def public_prosumers(market: EnergyMarket) -> list[PublicProsumer]:
    """The public side of every prosumer, as it is now."""
    platform = market.platform
    return [
        PublicProsumer(name, bus, platform.power_kw[platform.graph.arcs(i)].copy(), platform.bids.bid_kw[i].copy())
        for i, (name, bus) in enumerate(zip(platform.graph.names, market.buses, strict=True))
    ]
