"""The methods `newton` and `admm`."""

from __future__ import annotations

from dataclasses import replace
from typing import TypeVar

import numpy as np

from ...agents.bid_exchange import Closing
from ...agents.messages import Asks
from ...agents.operator import SystemOperator
from ...agents.price_curve import PriceCurve, curvature
from ...network.arrays import BoolArray, FloatArray, IntArray
from ...network.near_limits import NearLimits
from .memory import CurveState, NewtonSlopes
from .safeguarded import Safeguarded, Step

Values = TypeVar("Values", FloatArray, BoolArray)
_REFUSALS = 5  # of bids in a period, after which it goes on by `admm`
_PATIENCE = 3  # clearings in which the certificate must halve


class Newton(Safeguarded):
    """Newton's method on the joint problem, and `admm` in the periods where that does not get on.

    Where bids were accepted the slopes are those of the LMPs themselves, up to the limits of the feeder, which the
    curve keeps apart: LMPs jump where one starts to bind, and may be anything in between where it just does (a kink).
    There the LMPs of fixed bids say nothing. So the DSO is asked once more, for what it would rather sell than these
    bids at the LMPs that prosumers were told last; the LMPs of that are those in between, and the next curve begins
    there.

    Where V bends in other ways than the curve knew, bids are refused, and the slopes corrected by the difference
    between the LMPs that came out and those promised (symmetric rank one). A period whose bids are refused again and
    again goes on by exchange, and all do when the certificate stops to shrink: there the DSO answers every round of
    sharing itself.
    """

    def __init__(self, operator: SystemOperator, *, admm: bool = False) -> None:
        """Work with this DSO; with `admm` in all periods from the beginning."""
        super().__init__(operator)
        self._at_first = np.full(operator.clearing.periods, _REFUSALS if admm else 0)

    def judge(self, regret: float, closing: Closing) -> float:
        """As `FixedPoint.judge`; where the DSO has answered these bids or every round, LMPs are those of its answer."""
        self._regret = regret
        answered = np.flatnonzero(self._refusals >= _REFUSALS)
        super().judge(regret, closing)
        asks = closing.asks
        dso_regret = self.operator.stand_by_sale(asks.periods if asks else answered)
        self._at_sale = np.setdiff1d(asks.periods, answered) if asks else answered[:0]
        if asks and self._at_sale.size:
            self._go_on_from_sale(asks)
        return dso_regret

    def _go_on_from_sale(self, asks: Asks) -> None:
        """Where limits bind, the next curve begins at what the DSO would rather sell than the bids."""
        was, sale, on = self.state, self.operator.state.sale, self._at_sale
        assert was is not None
        assert sale is not None
        lmp, own = self.operator.announce(), np.isin(asks.periods, on)
        sold = asks.bid_kw + (asks.price_usd_per_kwh - lmp[:, asks.periods]) / asks.weight_usd_per_kw2h
        self.state = CurveState(
            _with(was.reference_kw, on, sold[:, own]),
            _with(was.lmp_usd_per_kwh, on, lmp[:, on]),
            _with(was.value_usd, on, sale.values_usd[own]),
            was.slopes,
        )
        self._step = replace(self._step, good=_with(self._step.good, on, np.ones(on.size, dtype=bool)))

    @property
    def _refusals(self) -> IntArray:
        """How often bids were refused, (period,)."""
        return self._at_first if self.state is None else np.asarray(self.state.slopes.refusals)

    def curve(self) -> PriceCurve:
        """The curve through the reference bids; none in the periods that go on by `admm`."""
        along = super().curve()
        assert self.state is not None
        slopes = _hurried(self.state.slopes, self._regret)
        on = slopes.refusals >= _REFUSALS
        limits = NearLimits.of([None if handed_over else slopes.limits.at(t) for t, handed_over in enumerate(on)])
        self.state = replace(self.state, slopes=replace(slopes, limits=limits))
        if not on.any():
            return along
        return PriceCurve(
            np.where(on, self.operator.announce(), along.lmp_usd_per_kwh),
            np.where(on, self.operator.bid_kw, along.reference_kw),
            along.own_usd_per_kw2h,
            np.where(on[:, None, None], 0.0, slopes.slope_root),
            on,
            self.operator.place,
            limits,
            along.dearest_usd_per_kwh,
        )

    def judged_alone(self) -> BoolArray:
        """As `Safeguarded.judged_alone`: where the DSO answers every round."""
        return np.asarray(self._refusals >= _REFUSALS)

    def first_slopes(self) -> NewtonSlopes:
        """The slopes of the LMPs."""
        root, limits = self.operator.slopes_and_limits(self._at_sale)
        return NewtonSlopes(root, limits, self._at_first)

    def curvature(self, was: CurveState, move: FloatArray, closing: Closing) -> FloatArray:
        """By how much the LMPs of the curve rise along moves: d'Dd, and what its limits add to them."""
        at_bus, limits = self.operator.by_bus(move), was.slopes.limits
        bent = curvature(was.slopes.slope_root, at_bus)
        bent[limits.periods] += limits.rise(closing.multiplier_usd_per_kwh, at_bus)
        return bent

    def updated(self, slopes: NewtonSlopes, step: Step) -> NewtonSlopes:
        """The slopes of the LMPs where bids were accepted, steeper ones elsewhere; as `Safeguarded.updated`."""
        old, rank, limits = slopes.slope_root, slopes.slope_root.shape[2], slopes.limits
        exact, near = self.operator.slopes_and_limits(self._at_sale)
        root = np.zeros((*old.shape[:2], max(rank + 1, exact.shape[2])))
        at_bus, changed = self.operator.by_bus(step.move), step.lmp_change[self.operator.first]
        for t, fine in enumerate(step.good):
            if fine:
                root[t, :, : exact.shape[2]] = exact[t]
            elif step.sound[t]:  # refused for what it is tied to
                root[t, :, :rank] = old[t]
            else:
                root[t, :, : rank + 1] = _steeper(old[t], at_bus[:, t], changed[:, t])
        near = NearLimits.of([(near if fine else limits).at(t) for t, fine in enumerate(step.good)])
        return replace(
            slopes, slope_root=_narrow(root), limits=near, refusals=slopes.refusals + ~(step.good | step.sound)
        )

    def drawn(self, state: CurveState) -> PriceCurve:
        """LMPs that follow the bids of all buses."""
        lmp, root = state.lmp_usd_per_kwh, state.slopes.slope_root
        own, inelastic = np.zeros_like(lmp), np.zeros(len(root), dtype=bool)
        dearest = self.operator.clearing.value_of_lost_load_usd_per_kwh
        place, limits = self.operator.place, state.slopes.limits
        return PriceCurve(lmp, state.reference_kw, own, root, inelastic, place, limits, dearest)


def _with(values: Values, periods: IntArray, others: Values) -> Values:
    """The values, (..., period), with others in some periods."""
    merged = values.copy()
    merged[..., periods] = others
    return merged


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
