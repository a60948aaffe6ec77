"""The method `plain`: the paper's fixed point."""

from __future__ import annotations

from typing import Any

from ...agents.bid_exchange import Closing
from ...agents.operator import SystemOperator
from ...agents.price_curve import PriceCurve
from ...network.arrays import FloatArray, IntArray


class FixedPoint:
    """The paper's fixed point: whatever is bid, the LMPs are those of the last clearing.

    Attributes:
        operator: The DSO.
        state: All that the method remembers: a value, never changed in place; None where there is nothing.
        tied: A number for each period, the same for those that prosumers' devices tie together, (period,); None where
            there are no devices. All that is told of these.
    """

    state: Any = None
    tied: IntArray | None = None

    def __init__(self, operator: SystemOperator) -> None:
        """Work with this DSO."""
        self.operator = operator

    def judge(self, regret: float, closing: Closing) -> float:
        """Look at what the DSO has just cleared, before anybody is asked what it regrets of it.

        Args:
            regret: What all together regretted of the schedule before, as a fraction of the turnover; inf at first.
            closing: What the curve before said of these bids where limits bind; the DSO has answered what it asks.

        Returns:
            V(bids) - LMP bids - min_w [V(w) - LMP w], in $: what the DSO would gain by selling otherwise at the LMPs
            that it announces (`SystemOperator.announce`); zero where they are V's gradient.
        """
        del regret, closing  # for those that look at them
        return 0.0

    def curve(self) -> PriceCurve:
        """What the DSO announces, if the market goes on: the LMPs, and how they follow bids while prosumers share."""
        return PriceCurve.flat(self.operator.announce())

    def step(self, bid_kw: FloatArray, regret_usd: float) -> float:
        """How far to go from the bids last cleared to those delivered, 0 to 1.

        Args:
            bid_kw: The bids delivered, (prosumer, period).
            regret_usd: What all together regret of the bids last cleared; nan if that is not known.
        """
        del bid_kw, regret_usd  # for those that look at them
        return 1.0
