"""Algorithm 2 by name: what the DSO announces after a clearing, and how far prosumers then go.

All methods are one loop: the DSO announces a `PriceCurve`, the prosumers share while their LMPs move along it, deliver,
and the DSO clears for their bids. Let V be the DSO's optimal cost, a convex function of the bids with gradient LMP.

- `plain`: the paper's. The curve is flat; a conditional gradient method with unit step, which may cycle.
- `damped`: the same, but only part of the way: the step that minimises the welfare's quadratic model.
- `proximal`: the price of a bid follows that bid alone, with a slope gamma above V's curvature (backtracking).
- `price_curve`: the slopes are V's Hessian, so the curve is the LMP map to second order: Newton's method on the joint
  problem, safeguarded; where it does not get on, `exchange` takes over.
- `exchange`: the DSO as one more trading partner, two-block ADMM on the joint problem, which converges whatever bends.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import numpy as np

from ..agents.arrays import FloatArray
from ..agents.operator import SystemOperator
from ..agents.penalty import AdaptivePenalty
from ..agents.price_curve import PriceCurve
from .settings import Method


@dataclass(frozen=True, slots=True)
class Announcement:
    """What the DSO tells after a clearing.

    Attributes:
        curve: The LMPs, and how they follow bids while prosumers share.
        lmp_usd_per_kwh: The LMPs that go with the bids that were cleared, (prosumer, period).
        dso_regret_usd: V(bids) - LMP bids - min_w [V(w) - LMP w]: what the DSO would gain by selling otherwise at
            these LMPs; zero where they are V's gradient.
    """

    curve: PriceCurve
    lmp_usd_per_kwh: FloatArray
    dso_regret_usd: float = 0.0


class Plain:
    """The paper's fixed point: whatever is bid, the LMPs are those of the last clearing."""

    def __init__(self, operator: SystemOperator) -> None:
        self.operator = operator

    def announce(self, bid_kw: FloatArray, regret: float) -> Announcement:
        """Clear for the bids, (prosumer, period), and announce."""
        self.operator.clear(bid_kw)
        lmp = self.operator.announce()
        return Announcement(PriceCurve.flat(lmp), lmp)

    def step(self, bid_kw: FloatArray, regret_usd: float) -> float:
        """How far to go from the bids last cleared to those delivered, 0 to 1.

        Args:
            bid_kw: The bids delivered, (prosumer, period).
            regret_usd: What all regret of the bids last cleared; nan if nobody knows.
        """
        del bid_kw, regret_usd  # for those that look at them
        return 1.0

    def watch(self, regret: float) -> Plain:
        """The method to go on with, told the regret of the bids last cleared as a fraction of the turnover."""
        del regret
        return self


class Damped(Plain):
    """The plain fixed point, but along d = new - old bids only as far as min(1, regret / d'Dd).

    The regret is how steeply the joint cost falls along d, d'Dd how V bends: the step minimises the cost's quadratic
    upper model.
    """

    def announce(self, bid_kw: FloatArray, regret: float) -> Announcement:
        """Clear for the bids, (prosumer, period), and announce."""
        self._bid_kw = bid_kw
        return super().announce(bid_kw, regret)

    def step(self, bid_kw: FloatArray, regret_usd: float) -> float:
        """How far to go from the bids last cleared to those delivered, 0 to 1."""
        if not np.isfinite(regret_usd):
            return 1.0
        move = bid_kw - self._bid_kw
        bent = self.operator.clearing.dt_h * (_bend(self.operator.slopes(), self.operator.by_bus(move))).sum()
        return float(min(1.0, regret_usd / bent)) if bent > 0 else 1.0


class _Curved(Plain):
    """A curve through the last bids that were worth going to, hour by hour.

    New bids are accepted in a period if V there lies at most SLACK above its tangent, counted in what the curve says:
    then the step has lowered the joint cost. Elsewhere the old bids stay the reference and the curve becomes steeper.
    """

    SLACK = 0.9

    def __init__(self, operator: SystemOperator) -> None:
        super().__init__(operator)
        self._reference: FloatArray | None = None

    def announce(self, bid_kw: FloatArray, regret: float) -> Announcement:
        """Clear for the bids, (prosumer, period), and announce."""
        self.operator.clear(bid_kw)
        lmp, value = self.operator.announce(), self.operator.values_usd
        if self._reference is None:
            self._reference, self._lmp, self._value = bid_kw.copy(), lmp.copy(), value
            self._begin()
        else:
            move, turn = bid_kw - self._reference, lmp - self._lmp
            dt_h = self.operator.clearing.dt_h
            excess = (value - self._value) / dt_h - (self._lmp * move).sum(axis=0)
            noise = 1e-9 * np.abs(value) / dt_h
            good = excess <= self.SLACK * self._bent(move) + noise
            self._accept(good, move, turn, excess)
            self._reference = np.where(good, bid_kw, self._reference)
            self._lmp = np.where(good, lmp, self._lmp)
            self._value = np.where(good, value, self._value)
            self.rejected=int((~good).sum())
        return Announcement(self._curve(), lmp)

    def _begin(self) -> None:
        raise NotImplementedError

    def _bent(self, move: FloatArray) -> FloatArray:
        raise NotImplementedError

    def _accept(self, good, move: FloatArray, turn: FloatArray, excess: FloatArray) -> None:
        raise NotImplementedError

    def _curve(self) -> PriceCurve:
        raise NotImplementedError


class Proximal(_Curved):
    """A slope gamma of every bid by itself: a proximal gradient step in the bids.

    gamma is the curvature of V along the last step (Barzilai, Borwein 1988), doubled until V stays below what it says.
    """

    def _begin(self) -> None:
        self._gamma = np.zeros(self._lmp.shape[1])

    def _bent(self, move: FloatArray) -> FloatArray:
        return self._gamma * (move**2).sum(axis=0)

    def _accept(self, good, move, turn, excess) -> None:
        length = (move**2).sum(axis=0)
        seen = (move * turn).sum(axis=0)
        found = np.divide(seen, length, out=self._gamma.copy(), where=length > 1e-9)
        self._gamma = np.where(good, np.maximum(found, self._gamma / 4), np.maximum(2 * self._gamma, found))

    def _curve(self) -> PriceCurve:
        own = np.broadcast_to(self._gamma, self._lmp.shape)
        return PriceCurve.own(self._lmp, self._reference, own)


class PriceCurves(_Curved):
    """Newton's method on the joint problem, and `exchange` in the periods where that does not get on.

    The slopes are those of the LMPs themselves where bids were accepted. What they cannot know is a limit that is about
    to bind: there V turns out to bend more, and the curve is corrected by the difference between the LMPs that came out
    and those it had promised (symmetric rank one), which is a chord across the kink. An equilibrium that lies on a kink
    is never reached so: a period with PATIENCE refusals, or all if the certificate does not halve in PATIENCE
    clearings, goes on by `exchange`.
    """

    PATIENCE = 3
    REFUSALS = 3

    def __init__(self, operator: SystemOperator, *, exchange: bool = False) -> None:
        super().__init__(operator)
        self._best, self._since = np.inf, 0
        self._refusals = np.full(operator.clearing.periods, self.REFUSALS if exchange else 0)

    def announce(self, bid_kw: FloatArray, regret: float) -> Announcement:
        """Clear for the bids, (prosumer, period), and announce."""
        plain = super().announce(bid_kw, regret)
        exchanging = np.flatnonzero(self._refusals >= self.REFUSALS)
        dso_regret = self.operator.stand_by_sale(exchanging, bid_kw)
        if self._stalls(regret):
            self._refusals[:] = self.REFUSALS
        on = self._refusals >= self.REFUSALS
        if not on.any():
            return plain
        lmp = self.operator.announce()
        curve = PriceCurve(
            np.where(on, lmp, self._lmp),
            np.where(on, bid_kw, self._reference),
            np.zeros_like(lmp),
            np.where(on[:, None, None], 0.0, self._slope),
            on,
            self.operator.place,
        )
        return Announcement(curve, lmp, dso_regret)

    def _stalls(self, regret: float) -> bool:
        self._since = 0 if regret < 0.5 * self._best else self._since + 1
        self._best = np.fmin(self._best, regret)
        return self._since > self.PATIENCE

    def _begin(self) -> None:
        self._slope = self.operator.slopes()

    def _bent(self, move: FloatArray) -> FloatArray:
        return _bend(self._slope, self.operator.by_bus(move))

    def _accept(self, good, move, turn, excess) -> None:
        if good.any():
            exact = self.operator.slopes()
        at_bus = self.operator.by_bus(move)
        first = self.operator.first
        self._refusals += ~good
        for t, fine in enumerate(good):
            self._slope[t] = exact[t] if fine else _steeper(self._slope[t], at_bus[:, t], turn[first, t])

    def _curve(self) -> PriceCurve:
        own = np.zeros_like(self._lmp)
        return PriceCurve(self._lmp, self._reference, own, self._slope, np.zeros(own.shape[1], dtype=bool), self.operator.place)


def _steeper(slope: FloatArray, move: FloatArray, turn: FloatArray) -> FloatArray:
    missed = turn - slope @ move
    along = float(missed @ move)
    if along <= 1e-6 * float(np.linalg.norm(missed) * np.linalg.norm(move)):
        return 2 * slope
    return slope + np.outer(missed, missed) / along


def _bend(slope: FloatArray, move: FloatArray) -> FloatArray:
    """d'Dd by period, from slopes (period, bus, bus) and moves (bus, period)."""
    return np.einsum("bt,tbc,ct->t", move, slope, move)


METHODS = {
    Method.PLAIN: Plain,
    Method.DAMPED: Damped,
    Method.PROXIMAL: Proximal,
    Method.EXCHANGE: partial(PriceCurves, exchange=True),
    Method.PRICE_CURVE: PriceCurves,
}
