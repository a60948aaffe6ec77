"""The methods `newton` and `admm`."""

import numpy as np

from ...agents.arrays import BoolArray, FloatArray
from ...agents.operator import SystemOperator
from ...agents.price_curve import PriceCurve
from .damped import bend
from .fixed_point import Announcement
from .safeguarded import Safeguarded

_REFUSALS = 3  # of bids in a period, after which it goes on by exchange
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

    def __init__(self, operator: SystemOperator, *, exchange: bool = False) -> None:
        """Work with this DSO; with `admm` in all periods from the beginning."""
        super().__init__(operator)
        self._best, self._since = np.inf, 0
        self._refusals = np.full(operator.clearing.periods, _REFUSALS if exchange else 0)

    def announce(self, bid_kw: FloatArray, regret: float) -> Announcement:
        """Clear for the bids and announce; as `FixedPoint.announce`."""
        exchanged = np.flatnonzero(self._exchanging)
        along = super().announce(bid_kw, regret)
        dso_regret = self.operator.stand_by_sale(exchanged, bid_kw) if exchanged.size else 0.0
        if self._stalls(regret):
            self._refusals[:] = _REFUSALS
        on = self._exchanging
        if not on.any():
            return along
        lmp = self.operator.announce()
        curve = PriceCurve(
            np.where(on, lmp, along.curve.lmp_usd_per_kwh),
            np.where(on, bid_kw, along.curve.reference_kw),
            along.curve.own_usd_per_kw2h,
            np.where(on[:, None, None], 0.0, self._slope),
            on,
            self.operator.place,
        )
        return Announcement(curve, lmp, dso_regret)

    @property
    def _exchanging(self) -> BoolArray:
        return np.asarray(self._refusals >= _REFUSALS)

    def _stalls(self, regret: float) -> bool:
        """Whether the certificate has not halved for too long."""
        self._since = 0 if regret < self._best / 2 else self._since + 1
        self._best = float(np.fmin(self._best, regret))
        return self._since > _PATIENCE

    def begin(self) -> None:
        """The slopes of the LMPs."""
        self._slope = self.operator.slopes()

    def curvature(self, move: FloatArray) -> FloatArray:
        """The second derivative of the curve, as `Safeguarded.curvature`."""
        return bend(self._slope, self.operator.by_bus(move))

    def update(self, good: BoolArray, move: FloatArray, lmp_change: FloatArray) -> None:
        """The slopes of the LMPs where bids were accepted, steeper ones elsewhere; as `Safeguarded.update`."""
        self._refusals += ~good
        exact = self.operator.slopes() if good.any() else self._slope
        at_bus, changed = self.operator.by_bus(move), lmp_change[self.operator.first]
        for t, fine in enumerate(good):
            self._slope[t] = exact[t] if fine else _steeper(self._slope[t], at_bus[:, t], changed[:, t])

    def curve(self) -> PriceCurve:
        """LMPs that follow the bids of all buses."""
        assert self.reference_kw is not None
        own, inelastic = np.zeros_like(self.reference_kw), np.zeros(self._refusals.size, dtype=bool)
        place = self.operator.place
        return PriceCurve(self.lmp_usd_per_kwh, self.reference_kw, own, self._slope.copy(), inelastic, place)


def _steeper(slope: FloatArray, move: FloatArray, lmp_change: FloatArray) -> FloatArray:
    """A slope that gives the change of the LMPs along the move, (bus, bus); twice the old one where that is unsound."""
    missed = lmp_change - slope @ move
    along = float(missed @ move)
    if along <= 1e-6 * float(np.linalg.norm(missed) * np.linalg.norm(move)):
        return np.asarray(2 * slope)
    return np.asarray(slope + np.outer(missed, missed) / along)
