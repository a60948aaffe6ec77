"""The least that a prosumer with devices could spend at given prices: a bound that is never too high."""

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
    """The Lagrange dual of a prosumer's problem without penalty terms, in the multipliers of (13) and of device rows.

    Once both are given, what is left falls apart into single columns within their bounds, each of which has a minimum
    in closed form. By weak duality the sum is no more than any plan costs, whatever the multipliers are. What can be
    bought, sold, curtailed or traded are items with limits and a price each; one that has a fee is two items: what is
    bought costs the fee on top, what is sold brings that much less. Columns of devices are items, too.
    """

    def __init__(self, household: Household, cap_kw: FloatArray, fee_usd_per_kwh: FloatArray) -> None:
        """Lay out the items.

        Args:
            household: The private data.
            cap_kw: Cap of each of its links, (link,).
            fee_usd_per_kwh: Its own part of the fee of each of these, (link,).
        """
        self._household, self._fleet = household, household.fleet
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
        self._source, self._plain_sign, self._fee = np.array(source), np.array(sign)[:, None], np.array(fee_of)[:, None]
        fleet = self._fleet
        self._low, self._high = np.vstack([*low, fleet.low]), np.vstack([*high, fleet.high])
        self._sign = np.vstack([np.broadcast_to(self._plain_sign, (len(items), household.periods)), fleet.injection])
        bent = fleet.quadratic_usd_per_h
        self._bend = np.vstack([np.zeros((len(items), household.periods)), bent]) if bent.any() else None

    def usd(self, delivery: Delivery, shadow: FloatArray, tied: FloatArray) -> float:
        """The bound at these prices, in $.

        For the multipliers of device rows that are given, the dual is concave in that of (13) by period, bends where
        an item jumps from limit to limit, and is stationary between two bends where the elastic load takes up what the
        jumped ones leave; its maximum is at one of these points, or where it is given as `shadow` if devices have
        quadratic costs.

        Args:
            delivery: The prices.
            shadow: What a kWh is worth, about, (period,) in $.
            tied: The multipliers of the rows of devices, by how much the cost rises with their bounds, (row,).
        """
        h, fleet = self._household, self._fleet
        low, high = fleet.row_low, fleet.row_high
        tied = np.where((tied > 0) & np.isinf(low) | (tied < 0) & np.isinf(high), 0.0, tied)
        held = float((tied * np.where(tied > 0, low, np.where(tied < 0, high, 0.0))).sum())
        paid = np.vstack([delivery.lmp_usd_per_kwh, np.zeros(h.periods), delivery.price_usd_per_kwh])[self._source]
        worth = fleet.linear_usd_per_h - (fleet.rows.T @ tied).reshape(fleet.low.shape)
        price = np.vstack([self._plain_sign * paid + self._fee, worth])
        return h.dt_h * (held + float(self._most_by_period(price, shadow).sum()))

    def _most_by_period(self, price: FloatArray, shadow: FloatArray) -> FloatArray:
        """The dual with the best multiplier of (13) in each period, (period,) in $/h."""
        h, low, high, sign = self._household, self._low, self._high, self._sign
        moving = sign != 0
        bends = np.sort(np.divide(price, sign, out=np.tile(shadow, (len(sign), 1)), where=moving), axis=0)
        between = (bends[1:] + bends[:-1]) / 2
        outside = bends[:1] - 1.0, bends[-1:] + 1.0
        most = np.full(h.periods, -np.inf)
        for at in (*outside[0], *between, *outside[1]):
            left = (sign * np.where(price - sign * at < 0, high, low)).sum(axis=0) - self._net
            most = np.maximum(most, self._dual(price, h.beta_usd_per_kwh - 2 * h.alpha_usd_per_kw2h * left))
        for at in (shadow, *bends):
            most = np.maximum(most, self._dual(price, at))
        return most

    def _dual(self, price: FloatArray, shadow: FloatArray) -> FloatArray:
        """The dual where a kWh is worth this, (period,) each, in $/h."""
        h, low, high = self._household, self._low, self._high
        cost = price - self._sign * shadow
        least = np.minimum(cost * low, cost * high)
        if self._bend is not None:
            bent = self._bend > 0
            at = np.clip(np.divide(-cost, 2 * self._bend, out=np.zeros_like(cost), where=bent), low, high)
            least = np.where(bent, (cost + self._bend * at) * at, least)
        worth = h.beta_usd_per_kwh - shadow
        elastic = np.clip(worth / (2 * h.alpha_usd_per_kw2h), h.elastic_min_kw, h.elastic_max_kw)
        return np.asarray(least.sum(axis=0) + shadow * self._net + (h.alpha_usd_per_kw2h * elastic - worth) * elastic)


def _items(source: int, low: FloatArray, high: FloatArray, fees: tuple[float, float]) -> list[_Item]:
    """An item whose kWh have one price; with fees, two: one to buy and one to sell."""
    if not any(fees):
        return [_Item(source, 1.0, 0.0, low, high)]
    nothing = np.zeros_like(low)
    return [_Item(source, 1.0, fees[0], nothing, high), _Item(source, -1.0, fees[1], nothing, nothing - low)]
