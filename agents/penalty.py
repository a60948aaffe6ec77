"""Penalties that find their own size: residual balancing for each pair and period by itself."""

import numpy as np

from .arrays import BoolArray, FloatArray

RATIO = 2.0  # a penalty moves when one residual exceeds the other so many times
FIRST_STEP = float(np.log(2.0))
SHRINK = 0.7  # of its step whenever it turns round, so that in the end it rests, as convergence asks for
REST = 1e-7  # residuals below this say nothing


class AdaptivePenalty:
    """Residual balancing (Boyd et al. 2011, section 3.4.1) with a step that shrinks when its direction turns.

    Attributes:
        value: The penalties, in $/kW²h.
    """

    def __init__(self, start: FloatArray) -> None:
        """Start from these penalties."""
        self.value = start
        self._step = np.full(start.shape, FIRST_STEP)
        self._way = np.zeros(start.shape)

    def balance(self, primal: FloatArray, dual: FloatArray, new: BoolArray) -> None:
        """Raise the penalty where the primal residual leads, lower it where the dual does.

        Args:
            primal, dual: The residuals, relative.
            new: Where they are other ones than the last time, (row,); elsewhere they say nothing.
        """
        lead = np.where(primal > RATIO * dual, 1.0, np.where(dual > RATIO * primal, -1.0, 0.0))
        lead = np.where((np.maximum(primal, dual) > REST) & new[:, None], lead, 0.0)
        self._step = np.where(lead * self._way < 0, SHRINK * self._step, self._step)
        self._way = np.where(lead == 0, self._way, lead)
        self.value = self.value * np.exp(lead * self._step)
