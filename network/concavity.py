"""How concave the DSO's cost is in the demand, where power is worth less than nothing and losses are wanted."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import scipy.sparse as sp
from scipy.sparse.linalg import splu

from .arrays import FloatArray, IntArray
from .cleared_period import ClearedPeriod
from .feeder import Feeder

_CLOSE = 1e-3
_MOST_STEPS = 100


class Concavity:
    """A bound on the largest eigenvalue of P'BP: P says through which lines power for each bus runs, B what bends.

    B is what the losses whose gamma is below 0 add to the Hessian of the cost in the flows. P'BP has no entry below 0,
    so it is bounded by max_n (P'BP x)_n / x_n for every x > 0 (Collatz, Wielandt), the closer the longer x has been
    multiplied by it. P itself is never laid out: its products are sums along the tree.
    """

    def __init__(self, feeder: Feeder) -> None:
        """Lay out the tree of a feeder."""
        count = len(feeder.buses)
        line = np.arange(1, count)
        above = sp.csc_array((np.ones(count - 1), (feeder.parent[1:], line)), shape=(count, count))
        tree = sp.csc_array(sp.eye_array(count) - above)
        self._collect, self._hand_down = splu(tree), splu(sp.csc_array(tree.T))  # triangular: nothing fills in
        self._count, self._base_kw = count, feeder.base_kw

    def of(self, cleared: Sequence[ClearedPeriod], buses: IntArray) -> FloatArray:
        """By how much LMPs fall with demand at `buses` at most, (period,) in $/kWh per kW; 0 where cost is convex."""
        bend = np.zeros((self._count, len(cleared)))
        for t, period in enumerate(cleared):
            if period.tangent is not None:
                bend[1 + period.program.curved, t] = np.maximum(-period.tangent.bend, 0.0)
        if not bend.any():
            return np.zeros(len(cleared))
        x, bound = np.ones((buses.size, len(cleared))), np.full(len(cleared), np.inf)
        for _ in range(_MOST_STEPS):
            product = self._product(bend, buses, x)
            before, bound = bound, np.minimum(bound, (product / x).max(axis=0))
            if (bound >= (1 - _CLOSE) * before).all():
                break
            x = np.maximum(product / np.maximum(product.max(axis=0), np.finfo(float).tiny), _CLOSE**2)
        return np.asarray(bound / self._base_kw)

    def _product(self, bend: FloatArray, buses: IntArray, x: FloatArray) -> FloatArray:
        """P'BP x, (bus, period)."""
        at_bus = np.zeros_like(bend)
        at_bus[buses] = x
        through = self._collect.solve(at_bus)
        return np.asarray(self._hand_down.solve(bend * through)[buses])
