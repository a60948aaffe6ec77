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

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np

from ..network.arrays import BoolArray, FloatArray, IntArray
from .messages import Asks, Offers
from .penalty import AdaptivePenalty
from .price_curve import PriceCurve
from .rows import are_many, run_rows
from .sharing_rules import SharingRules
from .update_gate import UpdateGate

_SMALLEST = 1e-9  # $/kW²h, where the curve is flat
_SHARE = 0.1  # of mean LMP over size: the first weight where the DSO answers for itself, or power is free
_LOOSE = 0.01
"""Of the weights of the rounds, where the DSO is asked once more: what counts is that prices stay as agreed."""
FREE = 1e-2  # of the least that a kWh is worth: below that LMPs are next to nothing, and slopes say nothing


class BidTerms(NamedTuple):
    """At which terms bids may change: `LMP bid + weight (bid - held)²/2`, (prosumer, period) each."""

    lmp_usd_per_kwh: FloatArray
    held_kw: FloatArray
    weight_usd_per_kw2h: FloatArray


class Closing(NamedTuple):
    """What the curve says of the limits for bids that have been cleared, and what the DSO is asked once more.

    The LMPs of bids at which a limit just binds may be anything from one side of the kink to the other; those of what
    the DSO would rather sell, at the prices that prosumers were told, say which.

    Attributes:
        multiplier_usd_per_kwh: The multipliers of the curve's limits, (limited period, row).
        asks: What it is asked; None where no limit binds.
    """

    multiplier_usd_per_kwh: FloatArray
    asks: Asks | None


@dataclass(frozen=True, slots=True, eq=False)
class BidExchange:
    """The ledger of bids and LMPs; a value, never changed in place.

    Attributes:
        curve: What the DSO announced.
        bid_kw: The bids as last published, (prosumer, period).
        asked_kw: The bids that the DSO answers: over-relaxed, and only of who has answered, (prosumer, period).
        wanted_kw: What the DSO would rather sell, (prosumer, period).
        lmp_usd_per_kwh: Its prices for that, (prosumer, period).
        mismatch_kw: bid - wanted after the last round, (prosumer, period).
        moved_usd_per_kwh: rho |wanted^{k+1} - wanted^k|, (prosumer, period).
        penalty: The weights, (prosumer, period).
        gate: Whose LMP may change.

    The LMP that a prosumer is told changes only when it has answered the one before. With messages that get lost or
    come late this is asynchronous ADMM (Wei, Ozdaglar 2013; Chang, Hong, Liao, Wang 2016), in which nothing is added up
    twice; when all answer in every round, everybody at a bus is told the same LMP.
    """

    curve: PriceCurve
    bid_kw: FloatArray
    asked_kw: FloatArray
    wanted_kw: FloatArray
    lmp_usd_per_kwh: FloatArray
    mismatch_kw: FloatArray
    moved_usd_per_kwh: FloatArray
    penalty: AdaptivePenalty
    gate: UpdateGate

    @classmethod
    def empty(cls, curve: PriceCurve) -> BidExchange:
        """No bids, at the LMPs of a curve."""
        nothing = np.zeros_like(curve.lmp_usd_per_kwh)
        penalty = AdaptivePenalty.starting(np.full_like(nothing, _SMALLEST))
        gate = UpdateGate.closed(len(nothing))
        return cls(curve, nothing, nothing, nothing, curve.lmp_usd_per_kwh, nothing, nothing, penalty, gate)

    def opened(self, curve: PriceCurve, bid_kw: FloatArray, size_kw: FloatArray, rules: SharingRules) -> BidExchange:
        """The ledger at what the DSO announces, with these bids, (prosumer, period).

        Where the DSO went on answering for itself, everything stays as it was.

        Args:
            curve: What it announces.
            bid_kw: The bids, (prosumer, period).
            size_kw: What prosumers bid and trade at most, (prosumer,).
            rules: What a kWh is worth at the least where that is next to nothing; and the weight where the DSO answers
                for itself and nobody has bid or traded a kW yet.
        """
        stay = curve.elastic & self.curve.elastic
        steep = curve.steepness_usd_per_kw2h[curve.place]
        least, worth = rules.least_worth_usd_per_kwh, np.abs(curve.lmp_usd_per_kwh).mean(axis=0)
        by_size = _SHARE * np.maximum(worth, least) / size_kw[:, None]
        by_size = by_size if size_kw.max() > 1.0 else np.full_like(by_size, rules.penalty_usd_per_kw2h)
        steep = np.where(curve.elastic, by_size, np.where(worth < FREE * least, np.maximum(steep, by_size), steep))
        bound = curve.limits.binding(curve.limits.multiplier_usd_per_kwh)  # where slopes are not what holds LMPs
        steep[:, bound] = np.maximum(steep, by_size)[:, bound]
        weight = np.where(stay, self.penalty.value, np.maximum(steep, _SMALLEST))
        nothing, lmp = np.zeros_like(bid_kw), curve.at(bid_kw)
        if curve.limits.periods.size:
            limited = curve.limits.periods
            lmp[:, limited] = curve.best_sale(bid_kw, lmp, weight).lmp_usd_per_kwh[:, limited]
        return BidExchange(
            curve,
            bid_kw,
            bid_kw,
            np.where(stay, self.wanted_kw, bid_kw),
            np.where(stay, self.lmp_usd_per_kwh, lmp),
            nothing,
            nothing,
            AdaptivePenalty.starting(weight),
            UpdateGate.closed(len(bid_kw)),
        )

    def received(self, offers: Offers, told: BoolArray) -> BidExchange:
        """The ledger with the bids of those who told theirs, (prosumer,), written down."""
        bids = offers.bid_kw if told.all() else np.where(told[:, None], offers.bid_kw, self.bid_kw)
        return replace(self, bid_kw=bids)

    @property
    def _answered(self) -> BoolArray:
        return self.curve.sloped | self.curve.elastic

    @property
    def quoted(self) -> BidTerms:
        """What prosumers are told: along their own curve the whole of it, else the DSO's last answer."""
        curve, answered = self.curve, self._answered
        if answered.all():
            return BidTerms(self.lmp_usd_per_kwh, self.wanted_kw, self.penalty.value)
        return BidTerms(
            np.where(answered, self.lmp_usd_per_kwh, curve.lmp_usd_per_kwh),
            np.where(answered, self.wanted_kw, curve.reference_kw),
            np.where(answered, self.penalty.value, curve.own_usd_per_kw2h),
        )

    @property
    def delivered(self) -> BidTerms:
        """What prosumers are told when sharing has ended: its LMPs, and the bids at which those hold."""
        curve, answered = self.curve, self._answered
        held = np.where(answered, self.wanted_kw, self.bid_kw)
        return BidTerms(self.lmp_usd_per_kwh, held, np.where(answered, self.penalty.value, curve.own_usd_per_kw2h))

    def closed(self, answered: IntArray, now: int, relaxation: float) -> BidExchange:
        """The ledger when the bids of a round are in: what the DSO is to answer.

        Args:
            answered: In which round each prosumer was quoted what it answered last, (prosumer,).
            now: The round that is about to end.
            relaxation: Over-relaxation of the bids, 1 for none.
        """
        fresh, gate = self.gate.take(answered, now)
        relaxed = relaxation * self.bid_kw + (1 - relaxation) * self.wanted_kw
        return replace(
            self, asked_kw=relaxed if fresh.all() else np.where(fresh[:, None], relaxed, self.asked_kw), gate=gate
        )

    @property
    def asks(self) -> Asks | None:
        """What the DSO is asked where it follows no curve; None where it follows one in all periods."""
        periods = np.flatnonzero(self.curve.elastic)
        on = np.s_[:, periods]
        if not periods.size:
            return None
        return Asks(periods, self.lmp_usd_per_kwh[on], self.penalty.value[on], self.asked_kw[on])

    def closing(self, bid_kw: FloatArray, short: IntArray) -> Closing:
        """What is to be known of bids, (prosumer, period), that have been cleared, where limits may bind.

        Args:
            bid_kw: The bids.
            short: In which periods there was not enough for them.
        """
        curve, rho = self.curve, self.penalty.value
        if not curve.limits.periods.size:
            return Closing(curve.limits.multiplier_usd_per_kwh, None)
        multiplier = curve.best_sale(bid_kw, self.lmp_usd_per_kwh, rho).multiplier_usd_per_kwh
        periods = np.union1d(curve.limits.binding(multiplier), np.intersect1d(short, curve.limits.periods))
        if not periods.size:
            return Closing(multiplier, None)
        on = np.union1d(periods, np.flatnonzero(curve.elastic))
        weight = np.where(curve.elastic, rho, _LOOSE * rho)
        return Closing(multiplier, Asks(on, self.lmp_usd_per_kwh[:, on], weight[:, on], bid_kw[:, on]))

    def answered(self, sold_at: FloatArray | None, now: int) -> BidExchange:
        """The ledger with the DSO's answer to what it was asked.

        Args:
            sold_at: Its LMPs in the periods of `asks`, (prosumer, period); None where nothing was asked.
            now: The round that is about to end.
        """
        rho, lmp = self.penalty.value, self._lmp_along_curve()
        if sold_at is not None:
            lmp[:, self.curve.elastic] = sold_at
        if are_many(rho):
            return self._sold_in_one_pass(lmp, now)
        wanted = _where(self._answered, self.asked_kw + (self.lmp_usd_per_kwh - lmp) / rho, self.bid_kw)
        return replace(
            self,
            wanted_kw=wanted,
            lmp_usd_per_kwh=_where(self.gate.took(now)[:, None], lmp, self.lmp_usd_per_kwh),
            mismatch_kw=self.bid_kw - wanted,
            moved_usd_per_kwh=rho * np.abs(wanted - self.wanted_kw),
        )

    def _sold_in_one_pass(self, lmp: FloatArray, now: int) -> BidExchange:
        wanted, told, mismatch, moved = found = tuple(np.empty_like(lmp) for _ in range(4))
        which = self.gate.took(now), self._answered
        before = self.bid_kw, self.asked_kw, self.wanted_kw, self.lmp_usd_per_kwh, self.penalty.value
        run_rows(sale_rows, np.arange(len(lmp)), (which, before, lmp), found, cells=lmp.size // 10)
        return replace(self, wanted_kw=wanted, lmp_usd_per_kwh=told, mismatch_kw=mismatch, moved_usd_per_kwh=moved)

    def _lmp_along_curve(self) -> FloatArray:
        """The LMPs of what is asked where they follow the bids of buses, else those of each bid, (prosumer, period)."""
        curve = self.curve
        if not curve.sloped.any():
            return curve.own_lmp(self.bid_kw)
        best = curve.best_sale(self.asked_kw, self.lmp_usd_per_kwh, self.penalty.value).lmp_usd_per_kwh
        return best if curve.sloped.all() else np.where(curve.sloped, best, curve.own_lmp(self.bid_kw))


def sale_rows(
    asked: Any,
    which: tuple[Any, Any],
    before: tuple[Any, Any, Any, Any, Any],
    lmp: Any,
    results: tuple[Any, Any, Any, Any],
    _: Any,
) -> None:
    """What follows from LMPs, (prosumer, period), as in `BidExchange.answered`, for the prosumers asked."""
    took, answered = which
    bid, asked_kw, old_wanted, old_lmp, rho = before
    wanted, told, mismatch, moved = results
    for k in asked:
        for t in range(len(answered)):
            power = asked_kw[k][t] + (old_lmp[k][t] - lmp[k][t]) / rho[k][t] if answered[t] else bid[k][t]
            wanted[k, t], told[k, t] = power, lmp[k][t] if took[k] else old_lmp[k][t]
            mismatch[k, t], moved[k, t] = bid[k][t] - power, rho[k][t] * abs(power - old_wanted[k][t])


def _where(which: BoolArray, one: FloatArray, other: FloatArray) -> FloatArray:
    """The one where it holds, the other elsewhere; the one itself where it holds of all."""
    return one if which.all() else np.where(which, one, other)
