"""Buses, lines and generators out of tables: data frames, mappings, value objects or a networkx graph."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import MISSING, fields
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from .elements import Bus, FeederError, Generator, Line, Table

if TYPE_CHECKING:
    import networkx as nx

Element = TypeVar("Element", Bus, Line, Generator)


class Frame(Protocol):
    """What is asked of a pandas DataFrame, so that pandas need not be imported."""

    def to_dict(self, orient: Any, /) -> Any:
        """The rows as mappings, for orient "records"."""


Rows = Frame | Iterable[Mapping[str, Any] | Element]

_TABLE_OF: dict[type, Table] = {Bus: "buses", Line: "lines", Generator: "generators"}
_NAME_KEYS = {"name", "bus", "from_bus", "to_bus"}


def bus_name(value: object) -> str:
    """The bus name as text: 4, 4.0 (what pandas makes of a column with gaps) and "4" are the same bus."""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value).strip()


def read_table(kind: type[Element], rows: Rows[Element]) -> tuple[Element, ...]:
    """The rows of a table as value objects, in the order of the table.

    Args:
        kind: Bus, Line or Generator; its fields are the columns (a bus may be named in a column "bus" or "name").
        rows: a pandas DataFrame, or any iterable of mappings or of value objects.

    Raises:
        FeederError: a column is missing or unknown, or a cell is not a number.
    """
    records: Iterable[Any] = rows.to_dict("records") if hasattr(rows, "to_dict") else rows
    return tuple(row if isinstance(row, kind) else _element(kind, row, strict=True) for row in records)


def read_graph(graph: nx.Graph[Any] | nx.DiGraph[Any]) -> tuple[tuple[Bus, ...], tuple[Line, ...]]:
    """The nodes as buses and the edges as lines; attributes that are no column (positions, colours) are left alone.

    Raises:
        FeederError: an attribute is missing, nearly a column's name, or not a number.
    """
    buses = tuple(_element(Bus, {**data, "name": node}, strict=False) for node, data in graph.nodes(data=True))
    lines = tuple(
        _element(Line, {**data, "from_bus": start, "to_bus": end}, strict=False)
        for start, end, data in graph.edges(data=True)
    )
    return buses, lines


def _element(kind: type[Element], record: Mapping[str, Any], *, strict: bool) -> Element:
    """One row as a value object; `strict` refuses every column that is not a field, else only near misses."""
    row = {str(key).strip(): value for key, value in record.items()}
    if kind is Bus and "bus" in row and "name" not in row:
        row["name"] = row.pop("bus")
    label = _row_label(kind, row)
    _refuse_unknown_columns(kind, row, label, strict=strict)
    values: dict[str, Any] = {}
    for column in fields(kind):
        if column.name in row:
            values[column.name] = _cell(row[column.name], column.name, _TABLE_OF[kind], label)
        elif column.default is MISSING:
            raise FeederError("this column is missing; add it", table=_TABLE_OF[kind], row=label, key=column.name)
    return kind(**values)


def _row_label(kind: type, row: Mapping[str, Any]) -> str:
    if kind is Line:
        return "-".join(bus_name(row[end]) for end in ("from_bus", "to_bus") if end in row)
    return bus_name(row.get("name", ""))


def _refuse_unknown_columns(kind: type[Element], row: Mapping[str, Any], label: str, *, strict: bool) -> None:
    known = [column.name for column in fields(kind)]
    for key in row:
        near = get_close_matches(key, known, n=1, cutoff=0.8)
        if key in known or not (strict or near):
            continue
        cure = f"did you mean {near[0]}?" if near else f"the columns are {', '.join(known)}"
        raise FeederError(f"unknown column {key}; {cure}", table=_TABLE_OF[kind], row=label, key=key)


def _cell(value: object, key: str, table: Table, label: str) -> str | float:
    if key in _NAME_KEYS:
        return bus_name(value)
    try:
        return float(value)  # type: ignore[arg-type]  # what is no number is refused below
    except (TypeError, ValueError):
        raise FeederError(f"{value!r} is not a number; write a plain number", table=table, row=label, key=key) from None
