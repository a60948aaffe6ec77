"""A table of profiles with a column of times: its rows as they are written, from CSV or Parquet."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import refuse
from .csv_file import TableRow, read_rows
from .text import as_name, shown

if TYPE_CHECKING:
    import pyarrow as pa

PERIOD_COLUMNS, TIME_COLUMNS = ("hour", "period"), ("time", "timestamp")
"""What the first column of a table of profiles may be called: it counts periods from 1, or says when they begin."""

TIME_KEYS = ("start", "timezone", "window", "fill")
"""What a scenario says of time beside its step."""
FILLS = ("interpolate", "previous")
"""How values that are missing may be filled."""


@dataclass(frozen=True, slots=True, eq=False)
class TimedTable:
    """Profiles by time.

    Attributes:
        file: The file, as messages name it.
        column: What it calls its column of times.
        rows: Its rows, in the order of the file.
    """

    file: str
    column: str
    rows: Sequence[TableRow]


@dataclass(frozen=True, slots=True, eq=False)
class TimedColumn:
    """A profile that is a column of a table with times: what stands in a tree until times are made periods."""

    table: TimedTable
    name: str


def tells_time(values: Mapping[str, Any]) -> bool:
    """Whether a scenario, as nested mappings, says when its periods are."""
    profiles = values.get("profiles")
    by_time = isinstance(profiles, dict) and any(isinstance(profile, TimedColumn) for profile in profiles.values())
    return by_time or any(values.get(key) is not None for key in TIME_KEYS)


def rows_of(file: Path) -> list[TableRow]:
    """The rows of a table of profiles, a CSV or a Parquet file.

    Raises:
        ScenarioError: The file cannot be read, or has neither a column of periods nor one of times.
    """
    needed = "|".join((*PERIOD_COLUMNS, *TIME_COLUMNS))
    if file.suffix.lower() != ".parquet":
        return list(read_rows(file, (needed,)))
    return list(_parquet_rows(file, needed))


def timed_columns(file: Path, rows: Sequence[TableRow]) -> Mapping[str, TimedColumn]:
    """The profiles of a table by their names; none where it counts periods.

    Raises:
        ScenarioError: It has times and nothing else.
    """
    columns = list(rows[0].cells)
    time = next((column for column in TIME_COLUMNS if column in columns), "")
    if not time or any(column in columns for column in PERIOD_COLUMNS):
        return {}
    if len(columns) == 1:
        raise refuse(shown(file), time, "no profile stands beside the times; add a column for each")
    table = TimedTable(shown(file), time, rows)
    return {name: TimedColumn(table, name) for name in columns if name != time}


def _parquet_rows(file: Path, needed: str) -> Iterator[TableRow]:
    import pyarrow.parquet as pq

    try:
        table = pq.read_table(file)
    except (OSError, ValueError) as error:  # pyarrow's errors are one or the other
        raise refuse(shown(file), "", f"this is no Parquet file that can be read ({error}); save it anew") from None
    names = [as_name(name) for name in table.column_names]
    if not set(needed.split("|")) & set(names):
        sentence = f"this column is missing; add it; the columns are {', '.join(names)}"
        raise refuse(shown(file), needed.replace("|", " or "), sentence)
    columns = [
        _texts(column, f"{shown(file)} column {name}") for name, column in zip(names, table.columns, strict=True)
    ]
    name = shown(file)
    for number, cells in enumerate(zip(*columns, strict=True), start=1):
        yield TableRow(f"{name}:{number}", dict(zip(names, cells, strict=True)))


def _texts(column: pa.ChunkedArray, place: str) -> list[str]:
    """The cells as a CSV file has them: "" for null, times in ISO 8601, those of a zone in UTC."""
    import pyarrow as pa

    if not pa.types.is_timestamp(column.type):
        return ["" if cell is None else as_name(str(cell)) for cell in column.to_pylist()]
    try:
        seconds = column.cast(pa.timestamp("s", tz=column.type.tz)).cast(pa.int64()).to_pylist()
    except pa.ArrowInvalid:
        raise refuse(place, "", "a time has parts of a second; write whole minutes") from None
    stamps = [None if instant is None else datetime.fromtimestamp(instant, UTC) for instant in seconds]
    if not column.type.tz:
        stamps = [stamp and stamp.replace(tzinfo=None) for stamp in stamps]
    return ["" if stamp is None else stamp.isoformat() for stamp in stamps]
