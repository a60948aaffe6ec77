"""Arrow arrays straight from numpy and text.

`pyarrow.array` would do, but it imports pandas to see whether it is given any, which takes longer than a small run.
"""

from collections.abc import Sequence
from itertools import accumulate
from typing import Any

import numpy as np
import pyarrow as pa

from ...market.columns import Columns, Names, Times

_KINDS = {"f": (pa.float64(), np.float64), "i": (pa.int64(), np.int64)}


def table(columns: Columns) -> pa.Table:
    """A table of a result."""
    return pa.Table.from_arrays([_array(cells) for cells in columns.values()], names=list(columns))


def _array(cells: Names | Times | np.ndarray) -> pa.Array:
    if isinstance(cells, Names):
        return _repeated(cells)
    return _times(cells) if isinstance(cells, Times) else numbers(cells)


def column(cells: Sequence[Any], kind: pa.DataType) -> pa.Array:
    """A column of one of the kinds that tables which grow are made of: whole numbers, numbers, text, lists of numbers.

    Args:
        cells: One cell a row; a list of numbers may be an array of any shape, which is raveled.
        kind: The type of the column.
    """
    if pa.types.is_string(kind):
        return texts(cells)
    if pa.types.is_list(kind):
        parts = [np.asarray(cell, dtype=np.float64).ravel() for cell in cells]
        ends = np.array([0, *accumulate(part.size for part in parts)], dtype=np.int32)
        return pa.ListArray.from_arrays(_plain(pa.int32(), ends), numbers(np.concatenate(parts or [np.zeros(0)])))
    return numbers(np.asarray(cells, dtype=np.int64 if pa.types.is_integer(kind) else np.float64))


def numbers(values: np.ndarray) -> pa.Array:
    """Whole numbers as int64, others as float64, (row,); nan stays nan."""
    kind, dtype = _KINDS["f" if values.dtype.kind == "f" else "i"]
    return _plain(kind, np.ascontiguousarray(values, dtype=dtype))


def _times(cells: Times) -> pa.Array:
    """Times in their zone; milliseconds, as Parquet has no seconds."""
    return _plain(pa.timestamp("ms", tz=cells.zone), np.ascontiguousarray(1000 * cells.instant_s, dtype=np.int64))


def texts(cells: Sequence[str]) -> pa.Array:
    """Texts, one a row."""
    encoded = [cell.encode() for cell in cells]
    return _joined(b"".join(encoded), np.array([0, *accumulate(map(len, encoded))]))


def _repeated(cells: Names) -> pa.Array:
    """Names that come again and again: the bytes of each are looked up by their place among those of all."""
    encoded = [name.encode() for name in cells.names]
    lengths = np.array([len(name) for name in encoded], dtype=np.int32)
    starts, sizes = (np.cumsum(lengths, dtype=np.int32) - lengths)[cells.index], lengths[cells.index]
    ends = np.concatenate([np.zeros(1, dtype=np.int32), np.cumsum(sizes, dtype=np.int32)])
    places = np.repeat(starts - ends[:-1], sizes) + np.arange(ends[-1], dtype=np.int32)
    return _joined(np.frombuffer(b"".join(encoded), dtype=np.uint8)[places], ends)


def _joined(letters: bytes | np.ndarray, ends: np.ndarray) -> pa.Array:
    """Texts from the bytes of all, and where each begins and ends, (row + 1,)."""
    buffers = [None, pa.py_buffer(ends.astype(np.int32)), pa.py_buffer(letters)]
    return pa.Array.from_buffers(pa.string(), ends.size - 1, buffers)


def _plain(kind: pa.DataType, values: np.ndarray) -> pa.Array:
    return pa.Array.from_buffers(kind, values.size, [None, pa.py_buffer(values)])
