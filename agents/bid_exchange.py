"""How bids and LMPs find each other while prosumers share: the DSO answers every round along the curve it announced.

The DSO is one more partner of everybody. Told the bids p at prices lambda, it answers with what it would rather sell,
w, and the prices of that on its curve: the minimum of curve(w) - lambda w + sum_i rho_i (w_i - p_i)²/2. Then

    lambda+ = lmp + D (W - reference by bus)
    W = P + G (lambda - lambda+)
    w_i = p_i + (lambda - lambda+) / rho_i

with P, W the bids by bus and G = sum of 1/rho_i at a bus: one small linear system per period, by bus however many live
there. Prosumers hold their bids towards w with weight rho. That is the rule of the pairs (20) (21), with the DSO's
curve in the place of a partner's problem: two-block ADMM, which converges for every rho > 0.

In periods where the curve is `elastic` the DSO answers with V itself instead, by clearing with elastic bids.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from .arrays import BoolArray, FloatArray, IntArray
from .penalty import AdaptivePenalty
from .price_curve import PriceCurve

_SMALLEST = 1e-9  # $/kW²h, where the curve is flat
_SHARE = 0.1  # of mean LMP over size: the first weight where the DSO answers for itself


Sell = Callable[[IntArray, FloatArray, FloatArray, FloatArray], FloatArray]
"""How the DSO answers for itself: `SystemOperator.sell`."""


class BidTerms(NamedTuple):
    """At which terms bids may change: `LMP bid + weight (bid - held)²/2`, (prosumer, period) each."""

    lmp_usd_per_kwh: FloatArray
    held_kw: FloatArray
    weight_usd_per_kw2h: FloatArray


class BidExchange:
    """The ledger of bids and LMPs.

    Attributes:
        curve: What the DSO announced.
        bid_kw: The bids as last published, (prosumer, period).
        wanted_kw: What the DSO would rather sell, (prosumer, period).
        lmp_usd_per_kwh: Its prices for that, (prosumer, period).
        mismatch_kw: bid - wanted after the last round, (prosumer, period).
        moved_usd_per_kwh: rho |wanted^{k+1} - wanted^k|, (prosumer, period).

    The LMP that a prosumer is told changes only when it has answered the one before: `fresh` says who has. With
    messages that get lost or come late this is asynchronous ADMM (Wei, Ozdaglar 2013; Chang, Hong, Liao, Wang 2016), in
    which nothing is added up twice; when all answer in every round, everybody at a bus is told the same LMP.
    """

    def __init__(self, curve: PriceCurve) -> None:
        """Begin with no bids, at the LMPs of a curve."""
        self.curve = curve
        self.bid_kw, self.wanted_kw = (np.zeros_like(curve.lmp_usd_per_kwh) for _ in range(2))
        self.lmp_usd_per_kwh = curve.lmp_usd_per_kwh
        self._asked_kw = self.bid_kw
        self.mismatch_kw = self.moved_usd_per_kwh = np.zeros_like(self.bid_kw)
        self.penalty = AdaptivePenalty(np.full_like(self.bid_kw, _SMALLEST))

    def open(self, curve: PriceCurve, bid_kw: FloatArray, size_kw: FloatArray, first: float = 1e-4) -> None:
        """Begin at what the DSO announces, with these bids, (prosumer, period).

        Where the DSO went on answering for itself, everything stays as it was.

        Args:
            curve: What it announces.
            bid_kw: The bids, (prosumer, period).
            size_kw: What prosumers bid and trade at most, (prosumer,).
            first: Weight where the DSO answers for itself and nobody has bid or traded a kW yet, in $/kW²h.
        """
        stay = curve.elastic & self.curve.elastic
        steep = np.diagonal(curve.slope_usd_per_kw2h, axis1=1, axis2=2).T[curve.place]
        by_size = _SHARE * np.abs(curve.lmp_usd_per_kwh).mean(axis=0) / size_kw[:, None]
        steep = np.where(curve.elastic, by_size if size_kw.max() > 1.0 else first, steep)
        self.penalty = AdaptivePenalty(np.where(stay, self.penalty.value, np.maximum(steep, _SMALLEST)))
        self.curve, self.bid_kw = curve, bid_kw.copy()
        self.wanted_kw = np.where(stay, self.wanted_kw, bid_kw)
        self._asked_kw = bid_kw.copy()
        self.lmp_usd_per_kwh = np.where(stay, self.lmp_usd_per_kwh, curve.at(bid_kw))
        self.mismatch_kw = self.moved_usd_per_kwh = np.zeros_like(bid_kw)

    @property
    def _answered(self) -> BoolArray:
        return self.curve.sloped | self.curve.elastic

    @property
    def quoted(self) -> BidTerms:
        """What prosumers are told: along their own curve the whole of it, else the DSO's last answer."""
        curve, answered = self.curve, self._answered
        return BidTerms(
            np.where(answered, self.lmp_usd_per_kwh, curve.lmp_usd_per_kwh),
            np.where(answered, self.wanted_kw, curve.reference_kw),
            np.where(answered, self.penalty.value, curve.own_usd_per_kw2h),
        )

    def answer(self, sell: Sell, relaxation: float, fresh: BoolArray) -> None:
        """The DSO's answer to the bids of a round.

        Args:
            sell: How it answers in elastic periods.
            relaxation: Over-relaxation of the bids, 1 for none.
            fresh: Whose bid answers the LMP that it was told last, (prosumer,).
        """
        rho, new = self.penalty.value, fresh[:, None]
        asked = np.where(new, relaxation * self.bid_kw + (1 - relaxation) * self.wanted_kw, self._asked_kw)
        lmp = self.curve.at(self.bid_kw)
        for periods, respond in ((self.curve.sloped, self._along_the_curve), (self.curve.elastic, sell)):
            on = np.s_[:, np.flatnonzero(periods)]
            if periods.any():
                lmp[on] = respond(on[1], self.lmp_usd_per_kwh[on], rho[on], asked[on])
        wanted = np.where(self._answered, asked + (self.lmp_usd_per_kwh - lmp) / rho, self.bid_kw)
        self.mismatch_kw = self.bid_kw - wanted
        self.moved_usd_per_kwh = rho * np.abs(wanted - self.wanted_kw)
        self.lmp_usd_per_kwh = np.where(new, lmp, self.lmp_usd_per_kwh)
        self.wanted_kw, self._asked_kw = wanted, asked

    def _along_the_curve(self, on: IntArray, lmp: FloatArray, rho: FloatArray, asked: FloatArray) -> FloatArray:
        """The LMPs of what it would rather sell in some periods, (prosumer, period), by its curve."""
        curve = self.curve
        slope, free = curve.slope_usd_per_kw2h[on], curve.by_bus(1 / rho)
        pull = curve.by_bus(asked + lmp / rho - curve.reference_kw[:, on])
        system = np.eye(slope.shape[1]) + slope * free.T[:, None, :]
        priced = curve.lmp_by_bus[:, on].T + np.einsum("tbc,ct->tb", slope, pull)
        return np.asarray(np.linalg.solve(system, priced[..., None])[..., 0].T[curve.place])
