"""The method `proximal`: a cost of changing bids, with backtracking."""

import numpy as np

from ...agents.arrays import BoolArray, FloatArray
from ...agents.price_curve import PriceCurve
from .safeguarded import Safeguarded


class ProximalGradient(Safeguarded):
    """A slope gamma of every bid by itself, per period: a proximal gradient step in the bids.

    gamma is the curvature of V along the last step (Barzilai, Borwein 1988), and at least doubled after each step that
    V changed out to bend more along than gamma said.
    """

    def begin(self) -> None:
        """Start without any: the first step is the plain one."""
        self._gamma = np.zeros(self.lmp_usd_per_kwh.shape[1])

    def curvature(self, move: FloatArray) -> FloatArray:
        """The second derivative of the curve, as `Safeguarded.curvature`."""
        return np.asarray(self._gamma * (move**2).sum(axis=0))

    def update(self, good: BoolArray, move: FloatArray, lmp_change: FloatArray) -> None:
        """The curvature that was seen, as `Safeguarded.update`."""
        length, seen = (move**2).sum(axis=0), (move * lmp_change).sum(axis=0)
        found = np.divide(seen, length, out=self._gamma.copy(), where=length > 1e-9)
        self._gamma = np.maximum(found, np.where(good, self._gamma / 4, 2 * self._gamma))

    def curve(self) -> PriceCurve:
        """Prices that follow their own bids."""
        assert self.reference_kw is not None
        own = np.broadcast_to(self._gamma, self.lmp_usd_per_kwh.shape)
        return PriceCurve.own(self.lmp_usd_per_kwh, self.reference_kw, own)
