"""The method `damped`: the fixed point with shorter steps."""

import numpy as np

from ...agents.price_curve import curvature
from ...network.arrays import FloatArray
from .fixed_point import FixedPoint


class Damped(FixedPoint):
    """The plain fixed point, but along d = new - old bids only as far as min(1, regret / d'Dd).

    The regret is how steeply the joint cost falls along d, and D how V bends at the old bids: the step minimises the
    quadratic model of the cost (short-step conditional gradient). Where V bends more on the way, at a kink, it is too
    long.
    """

    def step(self, bid_kw: FloatArray, regret_usd: float) -> float:
        """How far to go from the bids last cleared to those delivered, 0 to 1; as `FixedPoint.step`."""
        if not np.isfinite(regret_usd):
            return 1.0
        move = self.operator.by_bus(bid_kw - self.operator.bid_kw)
        bent = self.operator.clearing.dt_h * float(curvature(self.operator.slope_roots(), move).sum())
        return min(1.0, regret_usd / bent) if bent > 0 else 1.0
