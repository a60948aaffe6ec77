"""A quadratic program with rows in two bounds on Clarabel: set up once, solved again for other costs and bounds."""

from __future__ import annotations

from dataclasses import dataclass

import clarabel
import numpy as np
import scipy.sparse as sp

from ..network.arrays import FloatArray
from ..network.errors import SolverError

_TOLERANCE = 1e-11
_REDUCED = 1e-7
_USABLE = {"Solved", "AlmostSolved", "InsufficientProgress", "MaxIterations"}
"""Outcomes that come with a point. A poor one does no harm unseen: plans made of it are mended, bounds made of its
multipliers are bounds whatever these are, so that a poor answer shows as regret."""


@dataclass(frozen=True, slots=True, eq=False)
class Point:
    """What was found.

    Attributes:
        columns: Where the minimum is, (column,).
        multipliers: By how much it would rise with each row's bounds, (row,).
    """

    columns: FloatArray
    multipliers: FloatArray


class InteriorPoint:
    """`min x'Px/2 + q'x` with `low <= rows x <= high`, P diagonal; which bounds are equal or infinite never changes."""

    def __init__(self, rows: sp.csr_array, low: FloatArray, high: FloatArray) -> None:
        """Compile it.

        Args:
            rows: (row, column).
            low, high: Their bounds, (row,).
        """
        self._equal = np.flatnonzero(low == high)
        unequal = low != high
        self._below = np.flatnonzero(unequal & np.isfinite(low))
        self._above = np.flatnonzero(unequal & np.isfinite(high))
        size = rows.shape[1]
        matrix = sp.csc_array(sp.vstack([rows[self._equal], -rows[self._below], rows[self._above]]))
        cones = [clarabel.ZeroConeT(self._equal.size), clarabel.NonnegativeConeT(self._below.size + self._above.size)]
        self._rows = rows.shape[0]
        # every solve begins from here: Clarabel's equilibration is that of the data it is set up with
        self._solver = clarabel.DefaultSolver(
            _diagonal(np.ones(size)), np.ones(size), matrix, self._bounds(low, high), cones, _settings()
        )

    def solve(self, quadratic: FloatArray, linear: FloatArray, low: FloatArray, high: FloatArray) -> Point:
        """The minimum for these costs, (column,), and bounds, (row,).

        Raises:
            SolverError: There is no point that could be used.
        """
        self._solver.update(P=_diagonal(quadratic), q=linear, b=self._bounds(low, high))
        found = self._solver.solve()
        x, z = np.array(found.x), np.array(found.z)
        if str(found.status) not in _USABLE or not (np.isfinite(x).all() and np.isfinite(z).all()):
            raise SolverError(f"Clarabel ended with '{found.status}'")
        equal, below, above = np.split(z, np.cumsum([self._equal.size, self._below.size]))
        multipliers = np.zeros(self._rows)
        multipliers[self._equal] = -equal
        multipliers[self._below] += below
        multipliers[self._above] -= above
        return Point(x, multipliers)

    def _bounds(self, low: FloatArray, high: FloatArray) -> FloatArray:
        return np.concatenate([low[self._equal], -low[self._below], high[self._above]])


def _diagonal(values: FloatArray) -> sp.csc_array:
    """A diagonal matrix, zeros included, so that its pattern stays."""
    size = values.size
    return sp.csc_array((values, np.arange(size), np.arange(size + 1)), shape=(size, size))


def _settings() -> clarabel.DefaultSettings:
    settings = clarabel.DefaultSettings()
    settings.verbose = False
    settings.presolve_enable = False  # `update` needs the rows as they were given
    settings.max_threads = 1
    settings.tol_gap_abs = settings.tol_gap_rel = settings.tol_feas = _TOLERANCE
    settings.reduced_tol_gap_abs = settings.reduced_tol_gap_rel = settings.reduced_tol_feas = _REDUCED
    return settings
