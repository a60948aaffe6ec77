"""What a run comes to in money: costs, charges, fees and the welfare."""

from __future__ import annotations

from ..agents.trade_graph import TradeGraph
from ..network.arrays import FloatArray
from ..network.dispatch import Dispatch
from .device_schedules import DeviceSchedules


class ResultMoney:
    """The sums of a `Result`, which has what they are made of."""

    graph: TradeGraph
    dispatch: Dispatch
    prosumer_cost_usd: FloatArray
    grid_fee_usd: FloatArray
    feed_in_fee_usd: FloatArray
    network_charge_usd: FloatArray
    sharing_fee_usd: FloatArray
    utility_usd: FloatArray
    device_schedules: DeviceSchedules

    @property
    def dso_cost_usd(self) -> float:
        """Cost (1) of the dispatch in $."""
        return self.dispatch.cost_usd

    @property
    def own_cost_usd(self) -> FloatArray:
        """F_i of (11) with what its trades are charged; what partners pay each other is not in it, (prosumer,) in $."""
        return self.prosumer_cost_usd + self.charges_usd

    @property
    def charges_usd(self) -> FloatArray:
        """What each prosumer is charged for its trades: half of the network's charge and of the fee, (prosumer,)."""
        return self.graph.by_owner((self.network_charge_usd + self.sharing_fee_usd)[self.graph.link] / 2)

    @property
    def fees_usd(self) -> float:
        """All fees, on bids, feed-in and trades, in $: a transfer from prosumers to the DSO and the platform."""
        return float(self.grid_fee_usd.sum() + self.feed_in_fee_usd.sum() + self.sharing_fee_usd.sum())

    @property
    def welfare_usd(self) -> float:
        """Total utility less what devices cost and the DSO's cost, in $; fees are transfers and no part of it."""
        return float(self.utility_usd.sum() - self.device_schedules.cost_usd.sum()) - self.dso_cost_usd

    @property
    def welfare_less_fees_usd(self) -> float:
        """What price takers together make the most of, and certificates bound, in $: the welfare, less fees if any."""
        return self.welfare_usd - self.fees_usd
