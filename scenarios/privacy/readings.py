"""What a listener reads from the answers of one prosumer: what a kWh was worth to it, and what it took in total.

A prosumer answers each line (a link, or its order to the DSO) with the power at which
`price + weight (power - held)`, with the fee of the link, is the worth m of a kWh to it, unless a cap is in the way.
Price, held and weight are what it was told, so that whoever hears power and terms reads m. Where orders are bids, m is
s, the multiplier of the balance (13), and what it takes in total is its bid and its trades. Where orders are what it
withdraws, it takes the order, and s is m and what the order is worth, LMP and weight included.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from ...network.arrays import BoolArray, FloatArray
from .overheard import NUMBERS

_AT_A_LIMIT = 1e-9  # of the cap, or of the largest order: nearer to it is at it


@dataclass(frozen=True, slots=True, eq=False)
class Readings:
    """What is read of one prosumer.

    Attributes:
        worth_usd_per_kwh: s, the multiplier of (13), (answer, period); nan where every line was at a limit.
        taken_kw: What it took in total by what the listener hears, (answer, period).
        told: What follows from the terms alone, (2, answer, period): what s would be if it answered every line with
            nothing, and what it would take if s were nothing.
        orders_alone: Whether s is read from orders to the DSO alone, as no link was ever inside its cap.
    """

    worth_usd_per_kwh: FloatArray
    taken_kw: FloatArray
    told: FloatArray
    orders_alone: bool = False


def platform_reads(heard: pd.DataFrame, *, withdrawals: bool) -> Readings:
    """What the platform reads, who hears all offers and orders of a prosumer.

    Args:
        heard: The rows of one prosumer, see `overheard`.
        withdrawals: Whether orders to the DSO are withdrawals, or bids.
    """
    links, orders = (_Lines.of(heard[heard["cap_kw"].isna() == which]) for which in (False, True))
    marginal, order, first = orders.marginal[:, 0], orders.power[:, 0], orders.first[:, 0]
    worth, foreseen = links.worth, links.mean(links.first)
    alone = bool(np.isnan(worth).all())
    if alone:  # no link, or none that is ever inside its cap: the order alone
        worth, foreseen = np.where(_inside(order), 0.0 if withdrawals else marginal, np.nan), np.zeros_like(order)
    told = np.array([foreseen + first if withdrawals else foreseen, links.drawn + orders.drawn])
    if withdrawals:
        return Readings(worth + marginal, order, told, alone)
    return Readings(worth, order + links.power.sum(axis=1), told, alone)


def partner_reads(heard: pd.DataFrame, partner: str) -> Readings:
    """What a partner reads, who hears of a prosumer only what it trades with itself.

    The platform quotes each end the powers of both, over-relaxed by a known factor from those that it quoted before, so
    that the partner works out what was offered. It takes what it hears for all that the prosumer takes: it hears
    neither the order to the DSO nor the trades with others, and has nothing better.
    """
    own = _Lines.of(heard[(heard["partner"] == partner) & heard["cap_kw"].notna()])
    return Readings(own.worth, own.power.sum(axis=1), np.array([own.mean(own.first), own.drawn]))


@dataclass(frozen=True, slots=True, eq=False)
class _Lines:
    """Lines of one prosumer; arrays are (answer, line, period).

    Attributes:
        power: What it answered.
        first: What the first kWh on each line would have cost it.
        fee: What each cost it beside that, below 0 for what it sold.
        weight: Of the terms.
        inside: Where no cap was in the way.
    """

    power: FloatArray
    first: FloatArray
    fee: FloatArray
    weight: FloatArray
    inside: BoolArray

    @classmethod
    def of(cls, heard: pd.DataFrame) -> _Lines:
        answers = heard["answer"].nunique() or 1
        shape = answers, heard["partner"].nunique(), max(heard["period"].nunique(), 1)
        cells = heard.sort_values(["answer", "partner", "period"], kind="stable")
        price, held, weight, cap, fee, power = (cells[name].to_numpy(dtype=float).reshape(shape) for name in NUMBERS)
        inside = (np.abs(power) < (1 - _AT_A_LIMIT) * cap) & ((power != 0) | ~(fee > 0))
        return cls(power, price - weight * held, np.nan_to_num(fee) * np.sign(power), weight, inside)

    @property
    def marginal(self) -> FloatArray:
        """What a kWh more on each line would have cost it."""
        return np.asarray(self.first + self.fee + self.weight * self.power)

    @property
    def worth(self) -> FloatArray:
        """The worth of a kWh, (answer, period): the mean of what lines say, nan where all of them are at a limit."""
        return np.where(self.inside.any(axis=1), self.mean(self.marginal, self.inside), np.nan)

    @property
    def drawn(self) -> FloatArray:
        """What all lines together would bring if a kWh were worth nothing, (answer, period)."""
        per_kw = np.divide(self.first, self.weight, out=np.zeros_like(self.first), where=self.weight > 0)
        return np.asarray(-per_kw.sum(axis=1))

    def mean(self, values: FloatArray, which: BoolArray | bool = True) -> FloatArray:
        """The mean over those lines, (answer, period); 0 where there is none.

        A power that is off by a kW makes a line wrong by its weight; so each counts with the square of the inverse.
        """
        sure = np.where(which, self.weight, np.inf) ** -2.0
        total = sure.sum(axis=1)
        return np.asarray(np.divide((sure * values).sum(axis=1), total, out=np.zeros(total.shape), where=total > 0))


def _inside(order_kw: FloatArray) -> BoolArray:
    """Where an order is at no limit, as far as can be told: not 0, and neither the largest nor the smallest of all."""
    room = _AT_A_LIMIT * np.abs(order_kw).max(initial=0.0)
    low, high = order_kw.min(initial=np.inf), order_kw.max(initial=-np.inf)
    return np.asarray((np.abs(order_kw) > room) & (order_kw < high - room) & (order_kw > low + room))
