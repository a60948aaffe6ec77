"""Functions over rows of arrays: in Python for a handful, compiled and on all cores for many, to the same bits."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..network.arrays import FloatArray, IntArray
from ..network.cores import cores, side_by_side
from . import machine_code
from .machine_code import Kernel

_WORTH_LOADING = 5_000
"""So many cells take 0.1 s to interpret: after these machine code that is kept is worth 0.03 s and 100 MiB of LLVM."""
_WORTH_COMPILING = 20_000
"""So many cells take 0.7 s to interpret: after these machine code is worth some seconds, once for all."""
_SOON_MANY = 1_500
"""So many cells in one call will be many more in a run of some ten calls: it is worth it at once."""
_CELLS_PER_THREAD = 2_500
"""So many cells take a quarter of a millisecond: fewer are not worth a thread more."""
_MANY = 30_000
"""So many numbers are quicker in one compiled pass, also counting that it must be loaded once for a run."""


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
        rows: A function of numbers and of lists or arrays of them, which calls none but those of its module,
            and knows nothing else that changes.
        asked: Which rows.
        inputs: Tuples of numbers and arrays.
        results: Arrays that it fills in.
        cells: How much work it is, in answers of a prosumer in a period (`knapsack.share`): those take 20 times as long
            as copying a number.
        scratch: How much room it needs, (rows, numbers).
    """
    _tally.add(cells)
    kernel, arrays = None, ()
    if _tally.is_worth_loading:
        arrays = machine_code.laid_out(tuple(inputs))
        kernel = _tally.kernel(rows, arrays, results)
    if kernel is None:
        lists = [machine_code.listed(value) for value in (asked, *inputs)]
        rows(*lists, results, [[0.0] * scratch[1] for _ in range(scratch[0])])
        return
    run = kernel(arrays, results)
    parts = np.array_split(machine_code.laid_out(asked), max(1, min(cores(), cells // _CELLS_PER_THREAD)))
    side_by_side(lambda part: run(part, np.empty(scratch)), parts)


def are_many(values: FloatArray) -> bool:
    """Whether there are so many numbers that one compiled pass is worth more than NumPy's many."""
    return values.size >= _MANY


class _Tally:
    """How much has been interpreted in this process."""

    def __init__(self) -> None:
        self._cells = 0

    def add(self, cells: int) -> None:
        """So many cells more are asked for in one call."""
        self._cells += cells
        if cells > _SOON_MANY:
            self._cells += _WORTH_COMPILING

    @property
    def is_worth_loading(self) -> bool:
        """Whether compiled code is worth having, if it is kept."""
        return self._cells > _WORTH_LOADING

    def kernel(
        self, rows: Callable[..., None], inputs: tuple[Any, ...], results: tuple[FloatArray, ...]
    ) -> Kernel | None:
        """Compiled code for the rows with values of these kinds; None where it is not kept and not worth making yet."""
        have = machine_code.compiled if self._cells > _WORTH_COMPILING else machine_code.kept
        return have(rows, inputs, results)


_tally = _Tally()
