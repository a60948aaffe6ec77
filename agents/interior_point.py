"""A quadratic program with rows and columns in two bounds on PIQP, laid out once and solved for other costs.

PIQP is the proximal interior point method of Schwan, Jiang, Kuhn, Jones, arXiv 2304.00290.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import piqp
import scipy.sparse as sp

from ..network.arrays import FloatArray
from ..network.errors import SolverError

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
        multipliers: By how much it would rise with each row's bounds, (row,); 0 of those that fix a column.
    """

    columns: FloatArray
    multipliers: FloatArray


class InteriorPoint:
    """`min x'Px/2 + q'x` with `low <= rows x <= high`, P diagonal.

    What rows are equations never changes, nor what fixes a column, which is left out.

    A solve depends on what is asked and on nothing that was solved before.
    """

    def __init__(self, rows: sp.csr_array, low: FloatArray, high: FloatArray) -> None:
        """Lay it out.

        Args:
            rows: (row, column); the first row that is one column alone is a bound of it.
            low, high: Their bounds, (row,).
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

    def solve(self, quadratic: FloatArray, linear: FloatArray, low: FloatArray, high: FloatArray) -> Point:
        """The minimum for these costs, (column,), and bounds, (row,).

        Each solve has a solver of its own: one that is used again remembers in its last bits what it solved before.

        Raises:
            SolverError: There is no point that could be used.
        """
        solver = _solver()
        solver.setup(
            _diagonal(quadratic[self._free]),
            linear[self._free],
            self._equations,
            (low - self._taken)[self._equal],
            self._ranges,
            (low - self._taken)[self._between],
            (high - self._taken)[self._between],
            self._box(low, -np.inf),
            self._box(high, np.inf),
        )
        status, found = solver.solve().name, solver.result
        multipliers = np.zeros(low.size)
        multipliers[self._equal] = -found.y
        multipliers[self._between] = found.z_l - found.z_u
        multipliers[self._boxes] = (found.z_bl - found.z_bu)[self._boxed]
        columns = self._fixed.copy()
        columns[self._free] = found.x
        if status not in _USABLE or not (np.isfinite(columns).all() and np.isfinite(multipliers).all()):
            raise SolverError(f"PIQP ended with '{status}'")
        return Point(columns, multipliers)

    def _box(self, bounds: FloatArray, none: float) -> FloatArray:
        box = np.full(self._free.size, none)
        box[self._boxed] = bounds[self._boxes]
        return box


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
