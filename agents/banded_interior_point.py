"""A quadratic program over a long row of periods, solved in a time that grows with their number and no faster.

What ties a household's periods together are the levels of its stores, each to the one before. So with rows in the order
of their periods, those that have a column in common are next to each other, and an interior point has only a narrow
band to factor (`banded_steps`).
"""

from __future__ import annotations

from itertools import count
from typing import Any

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from ..network.arrays import FloatArray, IntArray
from .banded_steps import FAR, minimised
from .machine_code import through_numba

LONG = 48
"""From so many periods on compiled code is worth loading (half a second)."""
_WIDTHS = 8, 16  # of bands; for each the code is compiled once
_TOLERANCE = 1e-10
_TURNS = 60
_PINNED = 1e-9  # columns whose bounds are no further apart stay in the middle


class BandedInteriorPoint:
    """`min x'Px/2 + q'x` with `equations x = b`, `low <= ranges x <= high` and bounds of x, P diagonal.

    What it finds depends on what is asked and on nothing that was solved before.
    """

    def __init__(self, entries: sp.csc_array, order: IntArray, between: int, width: int) -> None:
        """Lay it out, see `banded`."""
        self._order, self._between = order, between
        self._rows = sp.csr_array(entries)
        column = np.repeat(np.arange(entries.shape[1]), np.diff(entries.indptr))
        layer = np.argsort(np.arange(column.size) - entries.indptr[column], kind="stable")  # no sum waits for its last
        self._entries = _places(entries.indices[layer]), _places(column[layer]), entries.data[layer]
        first, second = _pairs(entries)
        row, value = entries.indices, entries.data
        place = row[first] * width + row[second] - row[first]
        self._pairs = _places(place), _places(column[first]), value[first] * value[second]
        self._lanes = (0.0,) * width
        self._minimised = through_numba(minimised, by_zero="numpy")

    def solve(
        self, quadratic: FloatArray, linear: FloatArray, equal: FloatArray, low: FloatArray, high: FloatArray
    ) -> tuple[FloatArray, FloatArray] | None:
        """The minimum and the multipliers of the rows, equations first; None if it was not found to the tolerance.

        Args:
            quadratic, linear: Costs, (column,).
            equal: What equations come to, (equation,).
            low, high: Bounds of columns, then of ranges, (column + range,).
        """
        nothing = np.zeros(self._between)
        bend, price = np.concatenate([quadratic, nothing]), np.concatenate([linear, nothing])
        rhs = np.concatenate([equal, nothing])[self._order]
        low, high = np.maximum(low, -FAR), np.minimum(high, FAR)
        entries, pairs = self._entries, self._pairs
        pinned = high - low <= _PINNED
        held = np.where(pinned, (low + high) / 2, 0.0)
        if pinned.any():  # what stays where it is is put out of the equations, and may then be anything
            row, column, value = entries
            rhs -= self._rows @ held
            entries = row, column, np.where(pinned[column], 0.0, value)
            pairs = *pairs[:2], np.where(pinned[pairs[1]], 0.0, pairs[2])
            bend, price = np.where(pinned, 1.0, bend), np.where(pinned, 0.0, price)
            low, high = np.where(pinned, -1.0, low), np.where(pinned, 1.0, high)
        program = bend, price, rhs, low, high
        found, y, turns = self._minimised(program, entries, pairs, self._lanes, _TOLERANCE, _TURNS)
        if turns < 0:
            return None
        multipliers = np.empty_like(y)
        multipliers[self._order] = y
        return np.where(pinned, held, np.clip(found, low, high))[: quadratic.size], multipliers


def banded(
    equations: sp.csc_matrix, ranges: sp.csc_matrix, periods: IntArray, number: int
) -> BandedInteriorPoint | None:
    """A program with these rows, laid out; None where there are few periods, or rows are tied across many.

    Args:
        equations, ranges: (row, column) each; a range becomes an equation with a column of its own.
        periods: The period of each equation, then of each range, (row,).
        number: Of periods.
    """
    if number < LONG:
        return None
    own = sp.csc_array((equations.shape[0], ranges.shape[0]))
    ties = sp.vstack([sp.hstack([equations, own]), sp.hstack([ranges, -sp.eye_array(ranges.shape[0])])])
    entries = sp.csr_array(ties)
    for key in (periods, np.minimum(2 * periods, 2 * (number - periods) - 1)):  # in a row; or folded, which rings need
        order = np.argsort(key, kind="stable")
        sorted_ = sp.csc_array(entries[order])
        sorted_.sort_indices()
        first, second = _pairs(sorted_)
        reach = 1 + int((sorted_.indices[second] - sorted_.indices[first]).max(initial=0))
        width = next((width for width in _WIDTHS if reach <= width), None)
        if width is not None:
            return BandedInteriorPoint(sorted_, order, ranges.shape[0], width)
    return None


def _pairs(entries: sp.csc_array) -> tuple[IntArray, IntArray]:
    """All pairs of entries of a column, each with itself first, by index."""
    column = np.repeat(np.arange(entries.shape[1]), np.diff(entries.indptr))
    firsts: list[IntArray] = []
    seconds: list[IntArray] = []
    for apart in count():
        first = np.flatnonzero(column[: column.size - apart] == column[apart:])
        if not first.size:
            break
        firsts.append(first)
        seconds.append(first + apart)
    return np.concatenate(firsts), np.concatenate(seconds)


def _places(values: NDArray[np.integer[Any]]) -> NDArray[np.uint32]:
    """Indices that compiled code need not look at for being below 0."""
    return values.astype(np.uint32)
