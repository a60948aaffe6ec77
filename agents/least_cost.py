"""The least that a prosumer could spend at given prices: the bound that regrets are measured against, exact."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ..network.arrays import FloatArray
from .household import Household
from .messages import Delivery

_BID, _CURTAILED, _TRADES = 0, 1, 2  # rows of prices: the LMP, nothing, and the price of each link


class _Item(NamedTuple):
    """What can be had or given.

    Attributes:
        source: Whose price it has.
        sign: Of a kW in (13).
        fee_usd_per_kwh: What a kWh costs beside `sign` times that price.
        low_kw, high_kw: Its limits, (period,).
    """

    source: int
    sign: float
    fee_usd_per_kwh: float
    low_kw: FloatArray
    high_kw: FloatArray


class LeastCost:
    """The maximum of the Lagrange dual of a prosumer's problem in the multiplier s of (13), without penalty terms.

    What can be bought, sold, curtailed or traded are items with limits and a price each. One that has a fee is two
    items: what is bought costs the fee on top, what is sold brings that much less.
    """

    def __init__(self, household: Household, cap_kw: FloatArray, fee_usd_per_kwh: FloatArray) -> None:
        """Lay out the items.

        Args:
            household: The private data.
            cap_kw: Cap of each of its links, (link,).
            fee_usd_per_kwh: Its own part of the fee of each of these, (link,).
        """
        self._household = household
        self._net = household.fixed_kw - household.renewable_kw
        nothing = np.zeros(household.periods)
        fees = household.grid_fee_usd_per_kwh, household.feed_in_fee_usd_per_kwh
        items = [
            *_items(_BID, household.bid_min_kw, household.bid_max_kw, fees),
            _Item(_CURTAILED, -1.0, 0.0, nothing, household.renewable_kw),
        ]
        for link, (cap, fee) in enumerate(zip(cap_kw.tolist(), fee_usd_per_kwh.tolist(), strict=True), start=_TRADES):
            items += _items(link, nothing - cap, nothing + cap, (fee, fee))
        source, sign, fee_of, low, high = zip(*items, strict=True)
        self._source, self._sign, self._fee = np.array(source), np.array(sign)[:, None], np.array(fee_of)[:, None]
        self._low, self._high = np.array(low), np.array(high)

    def usd(self, delivery: Delivery) -> float:
        """The least cost at these prices, in $: no multiplier lifts the dual above it, so that it is never too high.

        In each period the dual is concave in s, bends where an item jumps from limit to limit, and is stationary
        between two bends where the elastic load takes up what the jumped ones leave; its maximum is at one of these
        points.
        """
        h, low, high, sign = self._household, self._low, self._high, self._sign
        paid = np.vstack([delivery.lmp_usd_per_kwh, np.zeros(h.periods), delivery.price_usd_per_kwh])[self._source]
        price = sign * paid + self._fee
        bends = np.sort(-sign * price, axis=0)
        between = np.vstack([bends[:1] - 1.0, (bends[1:] + bends[:-1]) / 2, bends[-1:] + 1.0])
        cheap = price + sign * between[:, None] < 0
        left = (sign * np.where(cheap, high, low)).sum(axis=1) - self._net
        shadow = np.vstack([bends, 2 * h.alpha_usd_per_kw2h * left - h.beta_usd_per_kwh])
        cost = price + sign * shadow[:, None]
        linear = np.minimum(cost * low, cost * high).sum(axis=1) - shadow * self._net
        worth = h.beta_usd_per_kwh + shadow
        elastic = np.clip(worth / (2 * h.alpha_usd_per_kw2h), h.elastic_min_kw, h.elastic_max_kw)
        dual = linear + h.alpha_usd_per_kw2h * elastic**2 - worth * elastic
        return float(h.dt_h * dual.max(axis=0).sum())


def _items(source: int, low: FloatArray, high: FloatArray, fees: tuple[float, float]) -> list[_Item]:
    """An item whose kWh have one price; with fees, two: one to buy and one to sell."""
    if not any(fees):
        return [_Item(source, 1.0, 0.0, low, high)]
    nothing = np.zeros_like(low)
    return [_Item(source, 1.0, fees[0], nothing, high), _Item(source, -1.0, fees[1], nothing, nothing - low)]
