"""Functions over rows of prosumers: in Python for a handful, compiled and on all cores for many, to the same bits."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from types import FunctionType
from typing import Any

import numpy as np

from ..network.arrays import FloatArray, IntArray, frozen
from ..network.cores import cores, threads

_WORTH_LOADING = 5_000
"""After so many cells that were interpreted, it is worth the time that compiled code takes to load (half a second)."""
_CELLS_PER_THREAD = 5_000


def run_rows(
    rows: Callable[..., None],
    asked: IntArray,
    cells: FloatArray,
    inputs: Sequence[Any],
    scratch: tuple[int, int],
    results: tuple[FloatArray, ...],
) -> None:
    """Run `rows(asked, cells, *inputs, scratch, results)`.

    Args:
        rows: A function of numbers and of lists or arrays of them, which calls none but those of its module.
        asked: Which rows.
        cells: Numbers for each row and period, (row, period, number).
        inputs: Tuples of numbers and arrays.
        scratch: How much room it needs, (rows, numbers).
        results: Arrays that it fills in.
    """
    work = asked.size * cells.shape[1]
    if not _tally.compiles(work):
        lists = [_listed(value) for value in (asked, cells, *inputs)]
        rows(*lists, [[0.0] * scratch[1] for _ in range(scratch[0])], results)
        return
    kernel, arrays = _compiled(rows), [_given(value) for value in (cells, *inputs)]
    parts = np.array_split(asked, max(1, min(cores(), work // _CELLS_PER_THREAD)))

    def part(some: IntArray) -> None:
        kernel(_given(some), *arrays, np.empty(scratch), results)

    if len(parts) == 1:
        part(parts[0])
    else:
        list(threads().map(part, parts))


def _listed(value: Any) -> Any:
    """An input as interpreted code is quickest with: lists for arrays."""
    if isinstance(value, tuple):
        return tuple(map(_listed, value))
    return value.tolist() if isinstance(value, np.ndarray) else value


def _given(value: Any) -> Any:
    """An input as compiled code takes it: one kind of array, so that it is compiled once."""
    if isinstance(value, tuple):
        return tuple(map(_given, value))
    return frozen(np.ascontiguousarray(value)) if isinstance(value, np.ndarray) else value


class _Tally:
    """How much has been interpreted in this process."""

    def __init__(self) -> None:
        self._cells = 0

    def compiles(self, cells: int) -> bool:
        """Whether so many cells more are for compiled code."""
        self._cells += cells
        return self._cells > _WORTH_LOADING


_tally = _Tally()


@cache
def _compiled(function: Callable[..., Any]) -> Callable[..., Any]:
    """The function compiled by numba, and with it those of its module that it calls; kept on disk.

    Without fast math LLVM neither reorders nor fuses operations on floats: the bits are those of the interpreter.
    """
    import numba  # takes half a second

    names = {
        name: _compiled(helper)
        for name in function.__code__.co_names
        if isinstance(helper := function.__globals__.get(name), FunctionType)
        and helper.__module__ == function.__module__
    }
    twin = FunctionType(function.__code__, function.__globals__ | names, function.__name__, function.__defaults__)
    twin.__module__, twin.__qualname__ = function.__module__, function.__qualname__
    return numba.njit(nogil=True, cache=True)(twin)
