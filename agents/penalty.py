"""Penalties that find their own size: residual balancing for each pair and period by itself."""

import numpy as np

from .arrays import FloatArray

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

    def balance(self, primal: FloatArray, dual: FloatArray) -> None:
        """Raise the penalty where the primal residual leads, lower it where the dual does; both relative."""
        lead = np.where(primal > RATIO * dual, 1.0, np.where(dual > RATIO * primal, -1.0, 0.0))
        lead = np.where(np.maximum(primal, dual) > REST, lead, 0.0)
        self._step = np.where(lead * self._way < 0, SHRINK * self._step, self._step)
        self._way = np.where(lead == 0, self._way, lead)
        self.value = self.value * np.exp(lead * self._step)
