"""The methods `newton` and `admm`."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ...agents.operator import SystemOperator
from ...agents.price_curve import PriceCurve, curvature
from ...network.arrays import FloatArray, IntArray
from .memory import CurveState, NewtonSlopes
from .safeguarded import Safeguarded, Step

_REFUSALS = 3  # of bids in a period, after which it goes on by `admm`
_PATIENCE = 3  # clearings in which the certificate must halve


class Newton(Safeguarded):
    """Newton's method on the joint problem, and `admm` in the periods where that does not get on.

    Where bids were accepted the slopes are those of the LMPs themselves. What they cannot know is a limit that is about
    to bind: there V turns out to bend more, and the curve is corrected by the difference between the LMPs that came out
    and those it had promised (symmetric rank one), which is a chord across the kink. An equilibrium on a kink cannot be
    reached so: LMPs at fixed bids jump there from one end of an interval to the other. A period whose bids are refused
    again and again goes on by exchange, and all do when the certificate stops to shrink. There the DSO answers every
    round of sharing itself, and its last answer has the LMPs in between.
    """

    def __init__(self, operator: SystemOperator, *, admm: bool = False) -> None:
        """Work with this DSO; with `admm` in all periods from the beginning."""
        super().__init__(operator)
        self._at_first = np.full(operator.clearing.periods, _REFUSALS if admm else 0)

    def judge(self, regret: float) -> float:
        """As `FixedPoint.judge`; where the DSO has answered every round, its last answer is what LMPs are."""
        self._regret = regret
        answered = np.flatnonzero(self._refusals >= _REFUSALS)
        super().judge(regret)
        return self.operator.stand_by_sale(answered) if answered.size else 0.0

    @property
    def _refusals(self) -> IntArray:
        """How often bids were refused, (period,)."""
        return self._at_first if self.state is None else np.asarray(self.state.slopes.refusals)

    def curve(self) -> PriceCurve:
        """The curve through the reference bids; none in the periods that go on by `admm`."""
        along = super().curve()
        assert self.state is not None
        slopes = _hurried(self.state.slopes, self._regret)
        self.state = replace(self.state, slopes=slopes)
        on = slopes.refusals >= _REFUSALS
        if not on.any():
            return along
        return PriceCurve(
            np.where(on, self.operator.announce(), along.lmp_usd_per_kwh),
            np.where(on, self.operator.bid_kw, along.reference_kw),
            along.own_usd_per_kw2h,
            np.where(on[:, None, None], 0.0, slopes.slope_root),
            on,
            self.operator.place,
        )

    def first_slopes(self) -> NewtonSlopes:
        """The slopes of the LMPs."""
        return NewtonSlopes(self.operator.slope_roots(), self._at_first)

    def curvature(self, slopes: NewtonSlopes, move: FloatArray) -> FloatArray:
        """The second derivative of the curve, as `Safeguarded.curvature`."""
        return curvature(slopes.slope_root, self.operator.by_bus(move))

    def updated(self, slopes: NewtonSlopes, step: Step) -> NewtonSlopes:
        """The slopes of the LMPs where bids were accepted, steeper ones elsewhere; as `Safeguarded.updated`."""
        old, rank = slopes.slope_root, slopes.slope_root.shape[2]
        exact = self.operator.slope_roots() if step.good.any() else old[:, :, :0]
        root = np.zeros((*old.shape[:2], max(rank + 1, exact.shape[2])))
        at_bus, changed = self.operator.by_bus(step.move), step.lmp_change[self.operator.first]
        for t, fine in enumerate(step.good):
            if fine:
                root[t, :, : exact.shape[2]] = exact[t]
            else:
                root[t, :, : rank + 1] = _steeper(old[t], at_bus[:, t], changed[:, t])
        return replace(slopes, slope_root=_narrow(root), refusals=slopes.refusals + ~step.good)

    def drawn(self, state: CurveState) -> PriceCurve:
        """LMPs that follow the bids of all buses."""
        lmp, root = state.lmp_usd_per_kwh, state.slopes.slope_root
        own, inelastic = np.zeros_like(lmp), np.zeros(len(root), dtype=bool)
        return PriceCurve(lmp, state.reference_kw, own, root, inelastic, self.operator.place)


def _hurried(slopes: NewtonSlopes, regret: float) -> NewtonSlopes:
    """With all periods handed over to `admm` if the certificate has not halved for too long."""
    since = 0 if regret < slopes.best / 2 else slopes.since + 1
    best = float(np.fmin(slopes.best, regret))
    refusals = np.full_like(slopes.refusals, _REFUSALS) if since > _PATIENCE else slopes.refusals
    return replace(slopes, refusals=refusals, best=best, since=since)


def _narrow(root: FloatArray) -> FloatArray:
    """Factors without the columns behind that are zero in all periods."""
    used = np.flatnonzero(root.any(axis=(0, 1)))
    return root[:, :, : int(used[-1]) + 1] if used.size else root[:, :, :1]


def _steeper(root: FloatArray, move: FloatArray, lmp_change: FloatArray) -> FloatArray:
    """A factor of slopes that give the change of the LMPs along the move, (bus, rank + 1).

    Those of twice the old slopes, where that would be unsound.
    """
    missed = lmp_change - root @ (root.T @ move)
    along = float(missed @ move)
    if along <= 1e-6 * float(np.linalg.norm(missed) * np.linalg.norm(move)):
        return np.hstack([np.sqrt(2.0) * root, np.zeros((len(root), 1))])
    return np.hstack([root, missed[:, None] / np.sqrt(along)])
