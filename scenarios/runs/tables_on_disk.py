"""The tables of a results folder that grow while a run goes on: its rounds, and its messages if they are kept."""

from collections.abc import Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from ...market.rounds import Round
from ...network.errors import InputError
from .streams import read_stream

ROUNDS, MESSAGES = "rounds", "messages"


def read_rounds(folder: Path | str) -> pa.Table:
    """The rounds of a results folder; of a run that was killed, all rounds that it had finished.

    They have the columns that the run has kept: all of them, or those that are one number or sentence a round.

    Raises:
        InputError: The folder holds no rounds.
    """
    if not any((Path(folder) / f"{ROUNDS}.{kind}").is_file() for kind in ("arrows", "parquet")):
        raise InputError(f"{folder} holds no rounds; name a results folder, of a run without --record none")
    return read_table(Path(folder), ROUNDS)


def read_table(folder: Path, name: str) -> pa.Table:
    """The rows of a table that grows while a run goes on; none if it has not begun."""
    stream = folder / f"{name}.arrows"
    if stream.is_file():
        return read_stream(stream, SCHEMAS[name])
    if (folder / f"{name}.parquet").is_file():
        rows = pq.read_table(folder / f"{name}.parquet")
        return rows.cast(only(name, rows.column_names))
    return pa.Table.from_batches([], schema=SCHEMAS[name])  # an empty_table would import pandas


def only(name: str, columns: Sequence[str]) -> pa.Schema:
    """The schema of a table of which some columns are kept."""
    return pa.schema([SCHEMAS[name].field(column) for column in columns])


def _schema_of_rounds() -> pa.Schema:
    kinds = {"int": pa.int64(), "float": pa.float64(), "array": pa.list_(pa.float64())}
    return pa.schema([(field.name, kinds.get(_type_name(field.type), pa.string())) for field in fields(Round)])


def _type_name(annotation: Any) -> str:
    name = getattr(annotation, "__name__", str(annotation))
    return "array" if "ndarray" in name or "FloatArray" in name else name


SCHEMAS: dict[str, pa.Schema] = {
    ROUNDS: _schema_of_rounds(),
    MESSAGES: pa.schema(
        {
            "round": pa.int64(),
            "message": pa.string(),
            "fields": pa.string(),
            "sender": pa.string(),
            "receiver": pa.string(),
            "bytes": pa.int64(),
        }
    ),
}
