"""Tables that grow on disk: each row is there as soon as it is written, and all whole rows survive any crash."""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pyarrow as pa

from ..errors import ResultsError
from .arrow import column


@contextmanager
def access(file: Path) -> Iterator[None]:
    """What is done here with a file of the results folder either works or is one sentence.

    Raises:
        ResultsError: The system does not let the file be read or written.
    """
    try:
        yield
    except OSError as error:
        raise ResultsError(file, error) from error


class Stream:
    """An Arrow stream that is written row by row.

    Attributes:
        path: Its file.
    """

    def __init__(self, path: Path, schema: pa.Schema, before: pa.Table | None = None) -> None:
        """Begin a stream; what was there before is in it from the first moment on.

        Raises:
            ResultsError: It cannot be written; what was there before is left as it was.
        """
        self.path, self._schema = path, schema
        partial = path.with_name(f"{path.name}.partial")
        with access(path):
            self._sink = partial.open("wb")
            self._stream = pa.ipc.new_stream(self._sink, schema)
            if before is not None:
                self._stream.write_table(before)
            self._sink.flush()
            os.replace(partial, path)

    def write(self, cells: Sequence[Any]) -> None:
        """Put a row on disk."""
        self.write_columns([[cell] for cell in cells])

    def write_columns(self, columns: Sequence[Any]) -> None:
        """Put some rows on disk, given by column.

        Raises:
            ResultsError: They cannot be written; the rows before them can be read.
        """
        arrays = [column(cells, kind) for cells, kind in zip(columns, self._schema.types, strict=True)]
        with access(self.path):
            self._stream.write_batch(pa.RecordBatch.from_arrays(arrays, schema=self._schema))
            self._sink.flush()

    def close(self) -> None:
        """End the stream; nothing to do for one that is closed, or that could not be written to its end."""
        if self._sink.closed:
            return
        with suppress(OSError):
            self._stream.close()
        with suppress(OSError):
            self._sink.close()


def read_stream(path: Path, schema: pa.Schema) -> pa.Table:
    """All whole rows of a stream, also of one that was cut off; with this schema where not even that was written.

    Raises:
        ResultsError: The file is gone, or cannot be read.
    """
    batches: list[pa.RecordBatch] = []
    with access(path):
        source = pa.OSFile(str(path))
    with source, suppress(pa.ArrowInvalid, OSError):
        stream = pa.ipc.open_stream(source)
        schema = stream.schema
        batches.extend(stream)
    return pa.Table.from_batches(batches, schema=schema)
