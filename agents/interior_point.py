"""A quadratic program with rows and columns in two bounds, laid out once and solved for other costs.

PIQP is the proximal interior point method of Schwan, Jiang, Kuhn, Jones, arXiv 2304.00290.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import piqp
import scipy.sparse as sp

from ..network.arrays import FloatArray, IntArray
from ..network.errors import SolverError
from .banded_interior_point import banded

Pair = tuple[FloatArray, FloatArray]
_TOLERANCE = 1e-10
_USABLE = {"PIQP_SOLVED", "PIQP_MAX_ITER_REACHED", "PIQP_NUMERICS"}
"""Outcomes that come with a point. A poor one does no harm unseen: plans made of it are mended, bounds made of its
multipliers are bounds whatever these are, so that a poor answer shows as regret."""
_MOST_ITERATIONS = 60


@dataclass(frozen=True, slots=True, eq=False)
class Point:
    """What was found.

    Attributes:
        columns: Where the minimum is, (column,).
        multipliers: By how much it would rise with each row's bounds, (row,); 0 of those that bound one
            column alone.
    """

    columns: FloatArray
    multipliers: FloatArray


class InteriorPoint:
    """`min x'Px/2 + q'x` with `low <= rows x <= high`, P diagonal.

    What rows are equations never changes, nor what fixes a column, which is left out. Long programs whose rows are tied
    to the next ones alone are solved by `BandedInteriorPoint`; others, and what that does not find, by PIQP.

    A solve depends on what is asked and on nothing that was solved before.
    """

    def __init__(self, rows: sp.csr_array, low: FloatArray, high: FloatArray, periods: int) -> None:
        """Lay it out.

        Args:
            rows: (row, column); the first row that is one column alone is a bound of it.
            low, high: Their bounds, (row,).
            periods: How many there are; column j is of period `j % periods`.
        """
        start = np.minimum(rows.indptr[:-1], rows.data.size - 1)  # the last rows may be empty
        column = rows.indices[start]  # of those that are alone
        single = np.flatnonzero((np.diff(rows.indptr) == 1) & (rows.data[start] == 1.0))
        alone = np.zeros(low.size, dtype=bool)
        alone[single[np.unique(column[single], return_index=True)[1]]] = True
        fixed = alone & (low == high)
        self._fixed = np.zeros(rows.shape[1])
        self._fixed[column[fixed]] = low[fixed]
        self._free = np.setdiff1d(np.arange(rows.shape[1]), column[fixed])
        place = np.full(rows.shape[1], -1)
        place[self._free] = np.arange(self._free.size)
        self._boxes = np.flatnonzero(alone & ~fixed)
        self._boxed = place[column[self._boxes]]
        self._equal = np.flatnonzero(~alone & (low == high))
        self._between = np.flatnonzero(~alone & (low != high))
        self._taken = np.asarray(rows @ self._fixed)
        free = sp.csc_matrix(rows)[:, self._free]
        self._equations, self._ranges = (sp.csc_matrix(free[part]) for part in (self._equal, self._between))
        own = np.concatenate([self._equal, self._between])
        self._banded = banded(self._equations, self._ranges, _periods_of(rows, periods)[own], periods)

    def solve(self, quadratic: FloatArray, linear: FloatArray, low: FloatArray, high: FloatArray) -> Point:
        """The minimum for these costs, (column,), and bounds, (row,).

        Raises:
            SolverError: There is no point that could be used.
        """
        costs = quadratic[self._free], linear[self._free]
        equal = (low - self._taken)[self._equal]
        ranges = (low - self._taken)[self._between], (high - self._taken)[self._between]
        boxes = self._box(low, -np.inf), self._box(high, np.inf)
        found = None
        if self._banded:
            sides = (np.concatenate(side) for side in zip(boxes, ranges, strict=True))
            found = self._banded.solve(*costs, equal, *sides)
        x, multipliers = found or self._by_piqp(costs, equal, ranges, boxes)
        columns, of_rows = self._fixed.copy(), np.zeros(low.size)
        columns[self._free] = x
        of_rows[self._equal], of_rows[self._between] = np.split(multipliers, [self._equal.size])
        return Point(columns, of_rows)

    def _by_piqp(self, costs: Pair, equal: FloatArray, ranges: Pair, boxes: Pair) -> Pair:
        """The minimum and the multipliers of equations and ranges.

        Each solve has a solver of its own: one that is used again remembers in its last bits what it solved before.
        """
        solver = _solver()
        solver.setup(_diagonal(costs[0]), costs[1], self._equations, equal, self._ranges, *ranges, *boxes)
        status, found = solver.solve().name, solver.result
        multipliers = np.concatenate([-found.y, found.z_l - found.z_u])
        if status not in _USABLE or not (np.isfinite(found.x).all() and np.isfinite(multipliers).all()):
            raise SolverError(f"PIQP ended with '{status}'")
        return found.x, multipliers

    def _box(self, bounds: FloatArray, none: float) -> FloatArray:
        box = np.full(self._free.size, none)
        box[self._boxed] = bounds[self._boxes]
        return box


def _periods_of(rows: sp.csr_array, periods: int) -> IntArray:
    """The period that most columns of a row are of, about: the lower median, (row,); 0 of a row without any."""
    row = np.repeat(np.arange(rows.shape[0]), np.diff(rows.indptr))
    period = (rows.indices % periods)[np.lexsort((rows.indices % periods, row))]
    middle = (rows.indptr[:-1] + np.maximum(rows.indptr[1:] - 1, rows.indptr[:-1])) // 2
    return np.where(np.diff(rows.indptr) > 0, np.append(period, 0)[middle], 0)


def _solver() -> piqp.SparseSolver:
    solver = piqp.SparseSolver()
    settings = solver.settings
    settings.eps_abs = settings.eps_rel = _TOLERANCE
    settings.eps_duality_gap_abs = settings.eps_duality_gap_rel = _TOLERANCE
    settings.max_iter = _MOST_ITERATIONS
    settings.eps_primal_inf = settings.eps_dual_inf = 1e-16  # narrow limits are no proof of infeasibility
    return solver


def _diagonal(values: FloatArray) -> sp.csc_matrix:
    """A diagonal matrix."""
    size = values.size
    return sp.csc_matrix((values, np.arange(size), np.arange(size + 1)), shape=(size, size))
