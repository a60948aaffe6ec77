"""Functions over rows of arrays: in Python for a handful, compiled and on all cores for many, to the same bits."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from types import FunctionType
from typing import Any, Literal

import numpy as np

from ..network.arrays import FloatArray, IntArray, frozen
from ..network.cores import cores, side_by_side

_WORTH_LOADING = 20_000
"""So many cells take as long to interpret as compiled code takes to load (some 0.7 s): after these it is worth it."""
_SOON_MANY = 1_500
"""So many cells in one call will be many more in a run of some ten calls: it is worth it at once."""
_CELLS_PER_THREAD = 5_000
_MANY = 50_000


def run_rows(
    rows: Callable[..., None],
    asked: IntArray,
    inputs: Sequence[Any],
    results: tuple[FloatArray, ...],
    *,
    cells: int,
    scratch: tuple[int, int] = (0, 0),
) -> None:
    """Run `rows(asked, *inputs, results, scratch)`.

    Args:
        rows: A function of numbers and of lists or arrays of them, which calls none but those of its module.
        asked: Which rows.
        inputs: Tuples of numbers and arrays.
        results: Arrays that it fills in.
        cells: How many numbers it finds, about.
        scratch: How much room it needs, (rows, numbers).
    """
    if not _tally.compiles(cells):
        lists = [_listed(value) for value in (asked, *inputs)]
        rows(*lists, results, [[0.0] * scratch[1] for _ in range(scratch[0])])
        return
    kernel, arrays = compiled(rows), [_given(value) for value in inputs]
    parts = np.array_split(asked, max(1, min(cores(), cells // _CELLS_PER_THREAD)))

    def part(some: IntArray) -> None:
        kernel(_given(some), *arrays, results, np.empty(scratch))

    side_by_side(part, parts)


def run_numbers(
    function: Callable[..., None], inputs: Sequence[Any], results: Sequence[FloatArray], *, cells: int
) -> None:
    """Run `function(*inputs, results)` once, as `run_rows` does for many."""
    if _tally.compiles(cells):
        compiled(function)(*map(_given, inputs), tuple(results))
    else:
        function(*map(_listed, inputs), results)


def are_many(values: FloatArray) -> bool:
    """Whether there are so many numbers that one compiled pass is worth more than NumPy's many."""
    return values.size >= _MANY


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
        if cells > _SOON_MANY:
            self._cells += _WORTH_LOADING
        return self._cells > _WORTH_LOADING


_tally = _Tally()


@cache
def compiled(function: Callable[..., Any], *, by_zero: Literal["python", "numpy"] = "python") -> Callable[..., Any]:
    """The function compiled by numba, and with it those of its module that it calls; kept on disk.

    Without fast math LLVM neither reorders nor fuses operations on floats: the bits are those of the interpreter.

    Args:
        function: It lets go of Python's lock while it runs.
        by_zero: What a division by 0 does: raise as in "python", or come to inf or nan as in "numpy", which is what
            vector units do.
    """
    import numba  # takes half a second

    names = {
        name: compiled(helper, by_zero=by_zero)
        for name in function.__code__.co_names
        if isinstance(helper := function.__globals__.get(name), FunctionType)
        and helper.__module__ == function.__module__
    }
    twin = FunctionType(function.__code__, function.__globals__ | names, function.__name__, function.__defaults__)
    twin.__module__, twin.__qualname__ = function.__module__, function.__qualname__
    kernel = numba.njit(nogil=True, cache=True, error_model=by_zero)(twin)
    if not any(Path(str(kernel.stats.cache_path)).glob(f"*.{function.__name__}-*.nbi")):
        _say_that_it_compiles()
    return kernel


@cache
def _say_that_it_compiles() -> None:
    """Once in a process, to who has been waiting: by the standard library's logging, which is stderr if not told."""
    logging.getLogger("gridbazaar").warning("compiling for this machine, some 10 s; it is kept for the next time")
