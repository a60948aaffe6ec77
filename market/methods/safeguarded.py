"""What methods with a curve have in common: in each period, the last bids that were worth going to."""

from abc import abstractmethod

import numpy as np

from ...agents.arrays import BoolArray, FloatArray
from ...agents.operator import SystemOperator
from ...agents.price_curve import PriceCurve
from .fixed_point import Announcement, FixedPoint

_SLACK = 0.9
_NOISE = 1e-9  # of V, which the solver leaves


class Safeguarded(FixedPoint):
    """A curve through reference bids, period by period (V has no memory, so periods can be judged by themselves).

    With d the way from the reference to new bids, these are accepted in a period if V there lies above its tangent by
    at most 0.9 d'Dd, where D is what the curve said: then the step has lowered the joint cost, because prosumers
    answered the curve. Elsewhere the old bids stay the reference and the curve becomes steeper.
    """

    def __init__(self, operator: SystemOperator) -> None:
        """Work with this DSO."""
        super().__init__(operator)
        self.reference_kw: FloatArray | None = None

    def announce(self, bid_kw: FloatArray, regret: float) -> Announcement:
        """Clear for the bids and announce; as `FixedPoint.announce`."""
        del regret
        self.operator.clear(bid_kw)
        lmp, value = self.operator.announce(), self.operator.values_usd
        if self.reference_kw is None:
            self.reference_kw, self.lmp_usd_per_kwh, self._value = bid_kw.copy(), lmp.copy(), value
            self.begin()
            return Announcement(self.curve(), lmp)
        move, lmp_change = bid_kw - self.reference_kw, lmp - self.lmp_usd_per_kwh
        dt_h = self.operator.clearing.dt_h
        above = (value - self._value) / dt_h - (self.lmp_usd_per_kwh * move).sum(axis=0)
        good = above <= _SLACK * self.curvature(move) + _NOISE * np.abs(value) / dt_h
        self.update(good, move, lmp_change)
        self.reference_kw = np.where(good, bid_kw, self.reference_kw)
        self.lmp_usd_per_kwh = np.where(good, lmp, self.lmp_usd_per_kwh)
        self._value = np.where(good, value, self._value)
        return Announcement(self.curve(), lmp)

    @abstractmethod
    def begin(self) -> None:
        """Choose the first slopes, at the first bids."""

    @abstractmethod
    def curvature(self, move: FloatArray) -> FloatArray:
        """The second derivative d'Dd of the curve along moves (prosumer, period), (period,)."""

    @abstractmethod
    def update(self, good: BoolArray, move: FloatArray, lmp_change: FloatArray) -> None:
        """Choose the next slopes.

        Args:
            good: In which periods the new bids are accepted, (period,).
            move: New less reference bids, (prosumer, period).
            lmp_change: New less reference LMPs, (prosumer, period).
        """

    @abstractmethod
    def curve(self) -> PriceCurve:
        """What is announced."""
