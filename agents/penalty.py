"""Penalties that find their own size: residual balancing for each pair and period by itself."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from ..network.arrays import BoolArray, FloatArray

RATIO = 2.0  # a penalty moves when one residual exceeds the other so many times
FIRST_STEP = float(np.log(2.0))
SHRINK = 0.7  # of its step whenever it turns round, so that in the end it rests, as convergence asks for
REST = 1e-7  # residuals below this say nothing


@dataclass(frozen=True, slots=True, eq=False)
class AdaptivePenalty:
    """Residual balancing (Boyd et al. 2011, section 3.4.1) with a step that shrinks when its direction turns.

    A value, never changed in place.

    Attributes:
        value: The penalties, (row, period) in $/kW²h.
        step: By how much the logarithm of each moves when it moves, (row, period).
        way: Where each moved last: 1 up, -1 down, 0 not yet, (row, period).
        least: What it must not fall below, (row, period), or 0.
    """

    value: FloatArray
    step: FloatArray
    way: FloatArray
    least: FloatArray | float = 0.0

    @classmethod
    def starting(cls, value: FloatArray) -> AdaptivePenalty:
        """Start from these penalties."""
        return cls(value, np.full(value.shape, FIRST_STEP), np.zeros(value.shape))

    def above(self, least: FloatArray) -> AdaptivePenalty:
        """The penalties, none below the least, (row, period), from now on."""
        least = np.maximum(self.least, least)
        return replace(self, value=np.maximum(self.value, least), least=least)

    def balanced(self, primal: FloatArray, dual: FloatArray, new: BoolArray) -> AdaptivePenalty:
        """The penalty raised where the primal residual leads, lowered where the dual does.

        Args:
            primal, dual: The residuals, relative, (row, period).
            new: Where they are other ones than the last time, (row,); elsewhere they say nothing.
        """
        lead = np.where(primal > RATIO * dual, 1.0, np.where(dual > RATIO * primal, -1.0, 0.0))
        lead = np.where((np.maximum(primal, dual) > REST) & new[:, None], lead, 0.0)
        step = np.where(lead * self.way < 0, SHRINK * self.step, self.step)
        value = np.maximum(self.value * np.exp(lead * step), self.least)
        return AdaptivePenalty(value, step, np.where(lead == 0, self.way, lead), self.least)
