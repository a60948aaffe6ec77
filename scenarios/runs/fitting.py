"""Tables that are read whole: as a table where there is room for it, row by row as lines where there is not."""

import os
from collections.abc import Sequence
from dataclasses import dataclass

from rich.box import SIMPLE_HEAD
from rich.console import Console, ConsoleOptions, RenderResult
from rich.table import Table
from rich.text import Text

_ENDLESS = 100_000


@dataclass(frozen=True, slots=True)
class Column:
    """A column: its heading, the unit below it, and whether it holds words, which stand to the left."""

    heading: str
    unit: str = ""
    words: bool = False

    def named(self, cell: str) -> str:
        """A cell in words: "bids 24.3 kWh", "cost $4.12"."""
        if self.unit != "$":
            return f"{self.heading} {cell} {self.unit}".rstrip()
        return f"{self.heading} -${cell[1:]}" if cell.startswith("-") else f"{self.heading} ${cell}"


@dataclass(frozen=True, slots=True)
class FittingTable:
    """A table with a title; every text in it is shown as it is written.

    Attributes:
        title: Its title.
        columns: Its columns; the first one names the rows.
        rows: Its rows.
    """

    title: str
    columns: Sequence[Column]
    rows: Sequence[Sequence[str]]

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """The table, or lines; a file or a pipe has room for any table, unless COLUMNS says otherwise."""
        room = options.max_width if console.is_terminal or "COLUMNS" in os.environ else _ENDLESS
        yield Text(self.title, style="italic")
        table, endless = self._table(), options.update(width=_ENDLESS)
        if console.measure(table, options=endless).maximum <= room:
            yield from console.render(table, options.update(width=room))
        else:
            yield from map(Text, self._lines())

    def _table(self) -> Table:
        table = Table(box=SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False)
        for number, column in enumerate(self.columns):
            heading = Text("\n".join(filter(None, (column.heading, column.unit))))
            table.add_column(heading, justify="left" if number == 0 or column.words else "right", no_wrap=True)
        for row in self.rows:
            table.add_row(*map(Text, row))
        return table

    def _lines(self) -> list[str]:
        names = self.columns[1:]
        return [
            f"{first}: {', '.join(column.named(cell) for column, cell in zip(names, cells, strict=True) if cell)}"
            for first, *cells in self.rows
        ]
