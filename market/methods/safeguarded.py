"""What methods with a curve have in common: in each period, the last bids that were worth going to."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ...agents.bid_exchange import Closing
from ...agents.price_curve import PriceCurve
from ...network.arrays import BoolArray, FloatArray, IntArray
from .fixed_point import FixedPoint
from .memory import CurveState

_SLACK = 0.9
_NOISE = 1e-8  # of V, which two solutions leave


@dataclass(frozen=True, slots=True, eq=False)
class Step:
    """What has come of the bids that answered a curve.

    Attributes:
        good: In which periods they are accepted, (period,).
        sound: In which they would be if no device tied them to others, (period,).
        move: New less reference bids, (prosumer, period).
        lmp_change: New less reference LMPs, (prosumer, period).
    """

    good: BoolArray
    sound: BoolArray
    move: FloatArray
    lmp_change: FloatArray


class Safeguarded(FixedPoint):
    """A curve through reference bids, period by period (V has no memory, so periods can be judged by themselves).

    With d the way from the reference to new bids, these are accepted in a period if V there lies above its tangent by
    at most 0.9 d'Dd, where D is what the curve said: then the step has lowered the joint cost, because prosumers
    answered the curve. Elsewhere the old bids stay the reference and the curve becomes steeper.

    Prosumers with devices answer the curve by all periods that a device ties together, and it is the sum over these
    that their step has lowered: they are accepted or refused together.
    """

    state: CurveState | None = None

    def judge(self, regret: float, closing: Closing) -> float:
        """Accept the bids that were cleared or refuse them, period by period; as `FixedPoint.judge`."""
        del regret
        bid, lmp, value = self.operator.bid_kw, self.operator.announce(), self.operator.values_usd
        was = self.state
        if was is None:
            self.state = CurveState(bid, lmp, value, None)
            return 0.0
        move, lmp_change = bid - was.reference_kw, lmp - was.lmp_usd_per_kwh
        dt_h = self.operator.clearing.dt_h
        above = (value - was.value_usd) / dt_h - (was.lmp_usd_per_kwh * move).sum(axis=0)
        beyond = above - _SLACK * self.curvature(was, move, closing) - _NOISE * np.abs(value) / dt_h
        sound = beyond <= 0
        good = sound if self.tied is None else self._summed(beyond, self.tied) <= 0
        self._step = Step(good, sound, move, lmp_change)
        self.state = CurveState(
            np.where(good, bid, was.reference_kw),
            np.where(good, lmp, was.lmp_usd_per_kwh),
            np.where(good, value, was.value_usd),
            was.slopes,
        )
        return 0.0

    def _summed(self, beyond: FloatArray, tied: IntArray) -> FloatArray:
        """The sum over all periods that are tied to each, (period,); those that no curve holds for stand alone."""
        alone = self.judged_alone()
        sums = np.bincount(tied, weights=np.where(alone, 0.0, beyond))
        return np.where(alone, beyond, sums[tied])

    def judged_alone(self) -> BoolArray:
        """In which periods prosumers did not answer a curve, (period,)."""
        return np.zeros(self.operator.clearing.periods, dtype=bool)

    def curve(self) -> PriceCurve:
        """The curve through the reference bids, with the slopes that follow from the judgement."""
        assert self.state is not None, "judge first"
        slopes = self.state.slopes
        slopes = self.first_slopes() if slopes is None else self.updated(slopes, self._step)
        self.state = replace(self.state, slopes=slopes)
        return self.drawn(self.state)

    @abstractmethod
    def first_slopes(self) -> Any:
        """The slopes at the first bids."""

    @abstractmethod
    def curvature(self, was: CurveState, move: FloatArray, closing: Closing) -> FloatArray:
        """The second derivative d'Dd of the curve along moves (prosumer, period), (period,)."""

    @abstractmethod
    def updated(self, slopes: Any, step: Step) -> Any:
        """The slopes after a step."""

    @abstractmethod
    def drawn(self, state: CurveState) -> PriceCurve:
        """The curve of what is remembered."""
