"""One falling line for many periods, each with a level of its own, and flat beyond two kinks: fitted to cells.

`taken = level - slope clip(worth, low, high)`, by nonlinear two-stage least squares (Amemiya, Journal of Econometrics
1974) within periods: what the line leaves must not follow what the terms alone foresee. How many kinks are worth it is
told by the criterion of Andrews (Econometrica 1999), which is Schwarz's for such fits.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from itertools import product

import numpy as np
from scipy.optimize import least_squares

from ...network.arrays import BoolArray, FloatArray, IntArray
from .readings import Readings

Kinks = tuple[float, float]
_STILL = 1e-9  # of its size: a number that moves less stands still
_GRID = np.linspace(0.1, 0.9, 9)  # quantiles of what is foreseen at which it may bend
_PLACES = np.linspace(0.1, 0.9, 5)  # quantiles of the worth from which kinks are looked for
_CLOSE = 1e-15  # relative: how closely kinks are found


@dataclass(frozen=True, eq=False)
class Cells:
    """Answers that can be read, (cell,) each.

    Attributes:
        worth, taken: Worth in $/kWh, and power in kW.
        told: What follows from the terms alone, (2, cell), see `Readings`.
        period: Index of the period.
        answers: How many there are of each period, (period,).
    """

    worth: FloatArray
    taken: FloatArray
    told: FloatArray
    period: IntArray
    answers: IntArray

    @classmethod
    def of(cls, readings: Readings, known: BoolArray) -> Cells:
        """Those of some readings that are known, (answer, period)."""
        period = np.nonzero(known)[1]
        answers = np.bincount(period, minlength=known.shape[1])
        return cls(
            readings.worth_usd_per_kwh[known], readings.taken_kw[known], readings.told[:, known], period, answers
        )

    @property
    def count(self) -> int:
        """How many there are."""
        return self.worth.size

    @property
    def periods_seen(self) -> int:
        """In how many periods."""
        return int((self.answers > 0).sum())

    @property
    def moves(self) -> bool:
        """Whether worth and what is taken have both moved within a period, beyond rounding."""
        pairs = (self.within(self.worth), self.worth), (self.moved, self.taken)
        return all(np.abs(moved).max() > _STILL * np.abs(values).max() for moved, values in pairs)

    @cached_property
    def moved(self) -> FloatArray:
        """What is taken, as `within` has it."""
        return self.within(self.taken)

    @cached_property
    def foreseen(self) -> FloatArray:
        """The worth as the terms alone foresee it, along a line in them, (cell,): the first stage."""
        moved, terms = self.within(self.worth), np.array([self.within(row) for row in self.told]).T
        sizes = np.maximum(np.abs(terms).max(axis=0), np.finfo(float).tiny)
        by, *_ = np.linalg.lstsq(terms / sizes, moved, rcond=_STILL)
        return np.asarray(self.worth - moved + terms / sizes @ by)

    @cached_property
    def bends(self) -> FloatArray:
        """What is foreseen, and what of it is beyond some places where a line may bend: orthonormal, (cell, column)."""
        beyond = [np.maximum(self.foreseen - at, 0.0) for at in np.quantile(self.foreseen, _GRID)]
        columns = np.column_stack([self.within(values) for values in (self.foreseen, *beyond)])
        found, strength, _ = np.linalg.svd(columns, full_matrices=False)
        return np.asarray(found[:, strength > _STILL * strength[0]])

    def slope(self, kinks: Kinks) -> float:
        """How fast what is taken falls with the worth between the kinks, kW per $/kWh: the second stage.

        Its one instrument is what is foreseen between the kinks; more would draw it towards plain least squares.
        """
        by, worth = self._stages(kinks)
        return -float(by @ self.moved) / float(by @ worth) if by @ worth else 0.0

    def standard_error(self, kinks: Kinks) -> float:
        """Of the slope, as if what is left were independent from cell to cell."""
        by, worth = self._stages(kinks)
        return float(np.sqrt(self.variance(kinks) * (by @ by))) / abs(float(by @ worth)) if by @ worth else np.inf

    def variance(self, kinks: Kinks) -> float:
        """Of what the line leaves of each cell, kW²."""
        free = self.count - self.periods_seen - 1 - int(np.isfinite(kinks).sum())
        return self.left(kinks) / free

    def unexplained(self, kinks: Kinks) -> FloatArray:
        """What the line leaves of what the terms foresee, (column,), kW."""
        return np.asarray(self.residual(kinks) @ self.bends)

    def levels(self, kinks: Kinks, slope: float) -> FloatArray:
        """Of each period, (period,); nan where nothing was read."""
        total = np.bincount(self.period, self.taken + slope * np.clip(self.worth, *kinks), self.answers.size)
        seen = self.answers > 0
        return np.where(seen, total / np.where(seen, self.answers, 1), np.nan)

    def left(self, kinks: Kinks) -> float:
        """What the line leaves: the sum of squares, kW²."""
        residual = self.residual(kinks)
        return float(residual @ residual)

    def residual(self, kinks: Kinks) -> FloatArray:
        """What the line leaves, (cell,), kW."""
        return np.asarray(self.moved + self.slope(kinks) * self.within(np.clip(self.worth, *kinks)))

    def within(self, values: FloatArray) -> FloatArray:
        """What moves within periods: values less the mean of their period, (cell,)."""
        mean = np.bincount(self.period, values, self.answers.size) / np.maximum(self.answers, 1)
        return np.asarray(values - mean[self.period])

    def misfit(self, kinks: Kinks) -> float:
        """RMS of what the line leaves of what the terms foresee, over that of what they foresee of what is taken."""
        all_of_it = _sum(self.moved @ self.bends)
        return float(np.sqrt(_sum(self.unexplained(kinks)) / all_of_it)) if all_of_it > 0 else 1.0

    def _stages(self, kinks: Kinks) -> tuple[FloatArray, FloatArray]:
        """The worth between the kinks as it was foreseen, and as it was, (cell,)."""
        by, worth = (self.within(np.clip(values, *kinks)) for values in (self.foreseen, self.worth))
        return by, worth


def best_kinks(cells: Cells) -> Kinks:
    """The kinks that are worth their number: none, one, or both."""
    places = np.unique(np.quantile(cells.worth, _PLACES)).tolist()
    one_sided = [[(at, np.inf) for at in places], [(-np.inf, at) for at in places]]
    both = [(low, high) for low, high in product(places, places) if low < high]
    aims = cells.unexplained, cells.residual  # the second one finds kinks exactly where there is no noise
    tried: list[Kinks] = [(-np.inf, np.inf)]
    for some, aim in product([some for some in (*one_sided, both) if some], aims):
        left = [_sum(aim(kinks)) for kinks in some]
        tried.append(_refined(cells, some[int(np.argmin(left))], aim))
    rounding = (_STILL * float(np.abs(cells.taken).max())) ** 2
    noise = max(min(cells.variance(kinks) for kinks in tried), rounding)
    each = np.log(cells.count)
    return min(tried, key=lambda kinks: _sum(cells.unexplained(kinks)) / noise + each * np.isfinite(kinks).sum())


def _refined(cells: Cells, kinks: Kinks, aim: Callable[[Kinks], FloatArray]) -> Kinks:
    """The kinks moved to where the squares of `aim` are least; one that is infinite stays."""
    best = np.array(kinks)
    finite = np.isfinite(best)
    room = float(np.ptp(cells.worth))
    limits = cells.worth.min() - room, cells.worth.max() + room

    def at(moved: FloatArray) -> FloatArray:
        whole = best.copy()
        whole[finite] = moved
        return aim((whole[0], whole[1]))

    found = least_squares(
        at, best[finite], bounds=limits, x_scale=room, xtol=_CLOSE, ftol=_CLOSE, gtol=_CLOSE, max_nfev=25
    )
    best[finite] = found.x
    return float(best[0]), float(best[1])


def _sum(values: FloatArray) -> float:
    return float(values @ values)
