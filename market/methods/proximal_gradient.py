"""The method `proximal_gradient`: a cost of changing bids, with backtracking."""

import numpy as np

from ...agents.bid_exchange import Closing
from ...agents.price_curve import PriceCurve
from ...network.arrays import FloatArray
from .memory import CurveState
from .safeguarded import Safeguarded, Step


class ProximalGradient(Safeguarded):
    """A slope gamma of every bid by itself, per period: a proximal gradient step in the bids.

    gamma, (period,), is the curvature of V along the last step (Barzilai, Borwein 1988), and at least doubled after
    each step that V turned out to bend more along than gamma said.
    """

    def first_slopes(self) -> FloatArray:
        """Start without any: the first step is the plain one."""
        return np.zeros(self.operator.clearing.periods)

    def curvature(self, was: CurveState, move: FloatArray, closing: Closing) -> FloatArray:
        """The second derivative of the curve, as `Safeguarded.curvature`."""
        del closing
        return np.asarray(was.slopes * (move**2).sum(axis=0))

    def updated(self, slopes: FloatArray, step: Step) -> FloatArray:
        """The curvature that was seen, as `Safeguarded.updated`."""
        length, seen = (step.move**2).sum(axis=0), (step.move * step.lmp_change).sum(axis=0)
        found = np.divide(seen, length, out=slopes.copy(), where=length > 1e-9)
        kept = np.where(step.good, slopes / 4, np.where(step.sound, slopes, 2 * slopes))
        return np.asarray(np.maximum(found, kept))

    def drawn(self, state: CurveState) -> PriceCurve:
        """Prices that follow their own bids."""
        own = np.broadcast_to(state.slopes, state.lmp_usd_per_kwh.shape)
        return PriceCurve.own(state.lmp_usd_per_kwh, state.reference_kw, own)
