"""What a person sees while many runs go on, on stderr: how many have ended, and how long the rest may take."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from time import monotonic
from typing import Protocol, Self, TypeVar

from rich.console import Console
from rich.status import Status
from rich.text import Text

from ..reporting.kpi_list import KPIS, written
from ..runs.amounts import counted
from .keeping import Row

_FEW = 20  # points that get a line where there is no terminal; then one now and then
_NOW_AND_THEN_S = 10.0
_TOLD = 5  # failures that are told
_WELFARE = next(kpi for kpi in KPIS if kpi.key == "welfare_usd")


class Numbered(Protocol):
    """One of many runs, whose name is its text."""

    @property
    def number(self) -> int:
        """Its place among all."""


class SweepProgress:
    """Tells of every point that has ended.

    Attributes:
        noun, nouns: What a point is called, and several.
        table: The file that has all.
        unremarkable: Outcomes that are no failures.
    """

    noun, nouns = "point", "points"
    table = "sweep.csv"
    unremarkable = frozenset({"settled", "interrupted"})

    def __init__(self, console: Console, status: Status | None) -> None:
        self._console, self._status = console, status
        self._begun = self._last_line = monotonic()
        self._left: set[int] = set()
        self._all = 0
        self._failed = 0

    def begin(self, points: Sequence[Numbered]) -> Self:
        """Hear of all points that are to be run."""
        self._left, self._all = {point.number for point in points}, len(points)
        self._say(f"{counted(len(points), self.noun, self.nouns)} to run")
        return self

    def __call__(self, point: Numbered, row: Row) -> None:
        """Tell of a point that has ended."""
        self._left.discard(point.number)
        done = self._all - len(self._left)
        left = (monotonic() - self._begun) / done * len(self._left)
        ended = f"{point}: {row['outcome']}"
        if row.get("welfare_usd") is not None:
            less_fees = row.get("welfare_less_fees_usd", row["welfare_usd"])  # what a certificate bounds
            ended += f", welfare {written(_WELFARE, less_fees, row.get('regret_usd'))}"
            ended += " less fees" if less_fees != row["welfare_usd"] else ""
        line = f"{done:,} of {self._all:,}: {ended}" + (f" (about {left:.0f} s left)" if self._left else "")
        self._say(line)
        if row["outcome"] not in self.unremarkable:
            self._failed += 1
            if self._failed <= _TOLD:
                self._line(f"{point}: {row['message']}")
            elif self._failed == _TOLD + 1:
                self._line(f"more have not settled; {self.table} has all")
        elif not self._status and (done <= _FEW or monotonic() - self._last_line >= _NOW_AND_THEN_S):
            self._line(line)

    def _say(self, sentence: str) -> None:
        if self._status:
            self._status.update(Text(sentence))

    def _line(self, sentence: str) -> None:
        self._console.print(Text(sentence), soft_wrap=True)
        self._last_line = monotonic()


Progress = TypeVar("Progress", bound=SweepProgress)


@contextmanager
def watching(console: Console, kind: type[Progress]) -> Iterator[Progress]:
    """Progress of a sweep, or of another kind; on a terminal with a line that lives until it has ended."""
    if not console.is_terminal:
        yield kind(console, None)
        return
    with console.status(Text("reading the scenarios")) as status:
        yield kind(console, status)
