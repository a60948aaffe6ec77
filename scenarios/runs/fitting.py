"""Tables that are read whole: as a table where there is room for it; else as lines, or as tables below each other."""

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

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
        kept: How many of the first columns stand in each of the tables below each other that it becomes where there is
            no room; 0 if it becomes lines.
    """

    title: str
    columns: Sequence[Column]
    rows: Sequence[Sequence[str]]
    kept: int = 0

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """The table, or lines; a file or a pipe has room for any of those, unless COLUMNS says otherwise."""
        narrow = self.kept or console.is_terminal or "COLUMNS" in os.environ
        room = options.max_width if narrow else _ENDLESS
        if self.title:
            yield Text(self.title, style="italic")
        if self._width(console, options) <= room:
            yield from console.render(self._table(), options.update(width=room))
        elif self.kept:
            for part in self._parts(console, options, room):
                yield from console.render(part, options.update(width=max(room, part._width(console, options))))
        else:
            yield from map(Text, self._lines())

    def _width(self, console: Console, options: ConsoleOptions) -> int:
        return console.measure(self._table(), options=options.update(width=_ENDLESS)).maximum

    def _parts(self, console: Console, options: ConsoleOptions, room: int) -> Iterator["FittingTable"]:
        """The same table as some below each other, each of as many columns as there is room for, and at least one."""
        base = self._of(range(self.kept))._width(console, options)
        chosen: list[int] = []
        width = base
        for number in range(self.kept, len(self.columns)):
            more = self._of((*range(self.kept), number))._width(console, options) - base
            if chosen and width + more > room:
                yield self._of((*range(self.kept), *chosen))
                chosen, width = [], base
            chosen.append(number)
            width += more
        yield self._of((*range(self.kept), *chosen))

    def _of(self, chosen: Sequence[int]) -> "FittingTable":
        """Some of its columns, without the title."""
        rows = [[row[k] for k in chosen] for row in self.rows]
        return replace(self, title="", columns=[self.columns[k] for k in chosen], rows=rows, kept=0)

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
