"""A CSV table: its columns, and the cells of each row with the place where they stand."""

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from ..errors import refuse
from .text import as_name, read_text, shown


@dataclass(frozen=True, slots=True)
class TableRow:
    """A row of a table.

    Attributes:
        place: File and line.
        cells: Text by column; an empty cell is the empty text.
    """

    place: str
    cells: dict[str, str]

    @property
    def filled(self) -> dict[str, str]:
        """The cells that are not empty."""
        return {column: cell for column, cell in self.cells.items() if cell}


COUNTER = "index"
"""What the first column of a table is called where it has no name, as pandas writes the number of each row."""


def counts_as(file: Path, key: str) -> bool:
    """Whether the first column, which has no name, is all that a table of pandas has of a key."""
    _, header = next(_records(file), ("", []))
    return bool(header) and not header[0] and key not in header


def read_rows(file: Path, needed: tuple[str, ...], counter: str = "") -> Iterator[TableRow]:
    """The rows of a table; those without any text, as spreadsheets leave them behind, are passed over.

    Args:
        file: The table.
        needed: Columns that must be there; "a|b" is either.
        counter: What the first column is called where it has no name, as pandas writes the number of each row.

    Raises:
        ScenarioError: The file is no table of comma-separated cells, or lacks a column.
    """
    records = _records(file)
    place, header = next(records, (f"{shown(file)}:1", []))
    header = [header[0] or counter, *header[1:]] if header else header
    _check_header(place, header, needed)
    for place, record in records:
        cells = record[: len(header)] if not any(record[len(header) :]) else record
        if len(cells) != len(header):
            cure = "correct it" + ("; decimals need a point, not a comma" if len(cells) > len(header) else "")
            raise refuse(place, "", f"this row has {len(cells)} cells and the header has {len(header)}; {cure}")
        pairs = list(zip(header, cells, strict=True))
        if any(cell for column, cell in pairs if not column):
            raise refuse(place, "", "a cell stands in a column without a name; name the column in the header")
        yield TableRow(place, {column: cell for column, cell in pairs if column})


def _records(file: Path) -> Iterator[tuple[str, list[str]]]:
    """The place and the cells of every row that holds any text."""
    reader = csv.reader(io.StringIO(read_text(file), newline=""), skipinitialspace=True, strict=True)
    name = shown(file)
    while True:
        line = reader.line_num + 1
        place = f"{name}:{line}"
        try:
            record = next(reader, None)
        except csv.Error as error:
            over = reader.line_num > line or "end of data" in str(error)
            sentence = (
                "this quote is never closed; close it, or take it out"
                if over
                else f"the quotes in this row are no CSV ({error}); put whole cells in quotes, or none"
            )
            raise refuse(place, "", sentence) from None
        if record is None:
            return
        cells = [as_name(cell) for cell in record]
        if any(cells):
            yield place, cells


def _check_header(place: str, columns: list[str], needed: tuple[str, ...]) -> None:
    if not columns:
        raise refuse(place, "", "the file is empty; write a header with the names of the columns, and rows below it")
    if len(columns) == 1 and any(mark in columns[0] for mark in ";\t"):
        raise refuse(place, "", "the cells are not separated by commas; save the table as CSV with commas")
    for k, column in enumerate(columns):
        if column and column in columns[:k]:
            raise refuse(place, column, "this column is given twice; keep one")
    for names in needed:
        if not set(names.split("|")) & set(columns):
            cure = f"add it; the columns are {', '.join(filter(None, columns))}"
            raise refuse(place, names.replace("|", " or "), f"this column is missing; {cure}")
