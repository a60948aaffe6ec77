"""Tables that grow on disk: each row is there as soon as it is written, and all whole rows survive any crash."""

import os
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa


class Stream:
    """An Arrow stream that is written row by row.

    Attributes:
        path: Its file.
    """

    def __init__(self, path: Path, schema: pa.Schema, before: pa.Table | None = None) -> None:
        """Begin a stream; what was there before is in it from the first moment on."""
        self.path, self._schema = path, schema
        partial = path.with_name(f"{path.name}.partial")
        self._sink = partial.open("wb")
        self._stream = pa.ipc.new_stream(self._sink, schema)
        if before is not None:
            self._stream.write_table(before)
        self._sink.flush()
        os.replace(partial, path)

    def write(self, cells: Sequence[Any]) -> None:
        """Put a row on disk."""
        self.write_columns([[cell.ravel() if isinstance(cell, np.ndarray) else cell] for cell in cells])

    def write_columns(self, columns: Sequence[Any]) -> None:
        """Put some rows on disk, given by column."""
        arrays = [pa.array(column, kind) for column, kind in zip(columns, self._schema.types, strict=True)]
        self._stream.write_batch(pa.RecordBatch.from_arrays(arrays, schema=self._schema))
        self._sink.flush()

    def close(self) -> None:
        """End the stream."""
        self._stream.close()
        self._sink.close()


def read_stream(path: Path, schema: pa.Schema) -> pa.Table:
    """All whole rows of a stream, also of one that was cut off."""
    batches: list[pa.RecordBatch] = []
    with pa.OSFile(str(path)) as source, suppress(pa.ArrowInvalid, OSError):
        batches.extend(pa.ipc.open_stream(source))
    return pa.Table.from_batches(batches, schema=schema)
