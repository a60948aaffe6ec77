"""What a market knows at a round, for the page: numbers by prosumer, link and bus, with who may see them told apart."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ...agents.prosumer import Prosumer
from ...market.result import Result
from ...market.rounds import Phase
from ...network.arrays import FloatArray
from ..stepping.device_flows import DeviceFlow, committed, planned

if TYPE_CHECKING:
    from ...market.energy_market import EnergyMarket
    from ...network.dispatch import Dispatch


@dataclass(frozen=True, slots=True, eq=False)
class Snapshot:
    """Where a market stands after a round.

    While prosumers share, bids and trades are those under negotiation, of which partners still think differently; after
    that those that were delivered.

    Attributes:
        result: What has been found; it belongs to the schedule that was delivered last.
        dispatch: The last clearing; None before the first.
        sharing: Whether the last round was one of sharing.
        bid_kw: (prosumer, period).
        trade_kw: By link, > 0 when its end a buys from its end b, (link, period).
        power_kw: What each prosumer says that it trades, > 0 where it buys, (arc, period).
        price_usd_per_kwh: Sharing prices, (link, period).
        elastic_kw, curtailed_kw: What prosumers plan, (prosumer, period); private. None while they share in other
            processes, where the plans are.
        devices: What devices are to do; private, and None where the two above are.
    """

    result: Result
    dispatch: Dispatch | None
    sharing: bool
    bid_kw: FloatArray
    trade_kw: FloatArray
    power_kw: FloatArray
    price_usd_per_kwh: FloatArray
    elastic_kw: FloatArray | None
    curtailed_kw: FloatArray | None
    devices: Sequence[DeviceFlow] | None

    @property
    def bought_kw(self) -> FloatArray:
        """What each buys from its partners, (prosumer, period)."""
        return self.result.graph.by_owner(np.maximum(self.power_kw, 0.0))

    @property
    def sold_kw(self) -> FloatArray:
        """What each sells to its partners, (prosumer, period)."""
        return self.result.graph.by_owner(np.maximum(-self.power_kw, 0.0))


def snapshot_of(market: EnergyMarket) -> Snapshot:
    """Where a market stands; looking changes nothing."""
    result, last = market.result(), market.last
    dispatch = market.operator.cleared if market.iteration else None
    if last is None or last.phase is not Phase.SHARING:
        power = np.empty((result.graph.owner.size, result.bid_kw.shape[1]))
        power[result.graph.forward], power[result.graph.backward] = result.trade_kw, -result.trade_kw
        delivered = result.bid_kw, result.trade_kw, power, result.price_usd_per_kwh
        return Snapshot(result, dispatch, False, *delivered, result.elastic_kw, result.curtailed_kw, committed(result))
    here = [agent for agent in market.prosumers if isinstance(agent, Prosumer)]
    known = len(here) == len(market.prosumers)
    elastic = np.array([agent.plan.elastic_kw for agent in here]) if known else None
    curtailed = np.array([agent.plan.curtailed_kw for agent in here]) if known else None
    devices = [flow for agent in here for flow in planned(agent)] if known else None
    pairs = market.platform.pairs
    bid = last.bid_kw  # or what is withdrawn, with trades in it
    if market.settings.withdrawals:
        bid = bid - result.graph.by_owner(pairs.power_kw)
    offered = bid, pairs.trade_kw, pairs.power_kw, market.platform.whole_price_usd_per_kwh
    return Snapshot(result, dispatch, True, *offered, elastic, curtailed, devices)
