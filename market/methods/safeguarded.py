"""What methods with a curve have in common: in each period, the last bids that were worth going to."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any

import numpy as np

from ...agents.price_curve import PriceCurve
from ...network.arrays import BoolArray, FloatArray
from .fixed_point import Announcement, FixedPoint
from .memory import CurveState

_SLACK = 0.9
_NOISE = 1e-9  # of V, which the solver leaves


class Safeguarded(FixedPoint):
    """A curve through reference bids, period by period (V has no memory, so periods can be judged by themselves).

    With d the way from the reference to new bids, these are accepted in a period if V there lies above its tangent by
    at most 0.9 d'Dd, where D is what the curve said: then the step has lowered the joint cost, because prosumers
    answered the curve. Elsewhere the old bids stay the reference and the curve becomes steeper.
    """

    state: CurveState | None = None

    def announce(self, regret: float) -> Announcement:
        """Judge the bids that were cleared, and announce a curve; as `FixedPoint.announce`."""
        del regret
        bid, lmp, value = self.operator.bid_kw, self.operator.announce(), self.operator.values_usd
        was = self.state
        if was is None:
            self.state = CurveState(bid, lmp, value, self.first_slopes())
            return Announcement(self.curve(self.state))
        move, lmp_change = bid - was.reference_kw, lmp - was.lmp_usd_per_kwh
        dt_h = self.operator.clearing.dt_h
        above = (value - was.value_usd) / dt_h - (was.lmp_usd_per_kwh * move).sum(axis=0)
        good = above <= _SLACK * self.curvature(was.slopes, move) + _NOISE * np.abs(value) / dt_h
        self.state = CurveState(
            np.where(good, bid, was.reference_kw),
            np.where(good, lmp, was.lmp_usd_per_kwh),
            np.where(good, value, was.value_usd),
            self.updated(was.slopes, good, move, lmp_change),
        )
        return Announcement(self.curve(self.state))

    @abstractmethod
    def first_slopes(self) -> Any:
        """The slopes at the first bids."""

    @abstractmethod
    def curvature(self, slopes: Any, move: FloatArray) -> FloatArray:
        """The second derivative d'Dd of the curve along moves (prosumer, period), (period,)."""

    @abstractmethod
    def updated(self, slopes: Any, good: BoolArray, move: FloatArray, lmp_change: FloatArray) -> Any:
        """The next slopes.

        Args:
            slopes: Those that the curve had.
            good: In which periods the new bids are accepted, (period,).
            move: New less reference bids, (prosumer, period).
            lmp_change: New less reference LMPs, (prosumer, period).
        """

    @abstractmethod
    def curve(self, state: CurveState) -> PriceCurve:
        """What is announced."""
