"""A table with times on the grid of its step, and the values of its columns, filled where that is asked for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from math import isfinite, nan
from zoneinfo import ZoneInfo

import numpy as np

from ...network.arrays import BoolArray, FloatArray, IntArray
from ...network.calendars import SECONDS_PER_MINUTE, Calendar
from ...network.periods import runs
from ..errors import Problem, ScenarioError, refuse
from .local_times import check_order, instants, usual_step_s
from .other_clocks import zone_that_skips
from .resampling import filled, last_known
from .schema import NUMBER
from .timed_table import TimedTable

_MISSING = ("", "nan", "na", "n/a", "null", "none")
_SPANS = 3  # that a sentence names


@dataclass(frozen=True, slots=True, eq=False)
class TimedSeries:
    """A table on the grid of its step.

    Attributes:
        table: The table.
        calendar: Its grid, from its first row to its last.
        row: The row of the table that stands on each place of the grid, -1 where none does, (place,).
    """

    table: TimedTable
    calendar: Calendar
    row: IntArray

    @classmethod
    def of(cls, table: TimedTable, zone: ZoneInfo, step_min: int | None) -> TimedSeries:
        """The grid of a table.

        Args:
            table: The table.
            zone: The zone of times without an offset.
            step_min: Length of a row where there is but one, minutes; None if nobody says.

        Raises:
            ScenarioError: Times are not known, given twice, out of order, or not on a grid that divides an hour.
        """
        found = instants(table, zone)
        step_s = usual_step_s(found) or (step_min or 0) * SECONDS_PER_MINUTE
        if not step_s:
            raise refuse(table.file, table.column, "one row does not say how long it lasts; write a step (step: 15min)")
        check_order(table, found, step_s)
        places = (np.array(found) - found[0]) // step_s
        row = np.full(int(places[-1]) + 1, -1, dtype=np.intp)
        row[places] = np.arange(places.size)
        return cls(table, Calendar(found[0], zone.key, step_s // SECONDS_PER_MINUTE, row.size), row)

    def places(self) -> list[str]:
        """File and line of what stands on each place of the grid, or of the row before it, (place,)."""
        return [self.table.rows[k].place for k in self.row[last_known(self.row >= 0)].tolist()]

    def values(self, column: str, wanted: slice, fill: str) -> tuple[FloatArray, str]:
        """The values of a column on the whole grid, (place,), and a note of what was filled of those that are wanted.

        Args:
            column: The column.
            wanted: The places whose values must be known.
            fill: How holes are filled, one of `timed_table.FILLS`; empty if they are not.

        Raises:
            ScenarioError: A cell is no number, or a value is missing that nobody fills.
        """
        values = np.full(self.row.size, np.nan)
        for at in range(self.row.size)[slice(None) if fill else wanted]:  # which may be a week of a year
            if self.row[at] >= 0:
                values[at] = self._number(column, int(self.row[at]))
        holes = np.isnan(values)
        asked = np.zeros(values.size, dtype=bool)
        asked[wanted] = True
        if not (holes & asked).any():
            return values, ""
        if not fill:
            self._refuse_holes(column, holes & asked)
        values = filled(values, fill)
        self._refuse_edges(column, np.isnan(values) & asked, fill)
        return values, self._note(column, holes & asked, fill)

    def _number(self, column: str, row: int) -> float:
        """What a cell says; nan where nothing stands."""
        cell = self.table.rows[row].cells.get(column, "")
        if NUMBER.fullmatch(cell) and isfinite(float(cell)):
            return float(cell)
        if cell.lower() in _MISSING:
            return nan
        cure = "write it with a decimal point" if "," in cell else "write a plain number"
        raise refuse(self.table.rows[row].place, f"column {column}", f"{cell!r} is not a number; {cure}")

    def _refuse_holes(self, column: str, holes: BoolArray) -> None:
        """Refuse what is missing: rows, or else cells of rows that are there."""
        gaps = np.flatnonzero(holes & (self.row < 0))
        cure = "or ask for them to be filled (fill: interpolate, or previous)"
        if gaps.size:
            count = "a row is" if gaps.size == 1 else f"{gaps.size:,} rows are"
            doubt = self._doubt(gaps)
            asked = f"{doubt} If it is, " if doubt else ""
            sentence = f"{count} missing after this one ({self._when(gaps)}); {asked}add what is missing, {cure}"
            raise refuse(self.places()[int(gaps[0])], self.table.column, sentence)
        empty = [(self.table.rows[int(self.row[t])], int(t)) for t in np.flatnonzero(holes)]
        key, kind = f"column {column}", (self.table.file, f"column {column}", "empty")
        raise ScenarioError(
            [
                Problem(
                    row.place,
                    key,
                    f"the value of {self.calendar.moment(t)} is {row.cells.get(column) or 'empty'}; give one, {cure}",
                    kind,
                )
                for row, t in empty
            ]
        )

    def _refuse_edges(self, column: str, holes: BoolArray, fill: str) -> None:
        """Refuse holes that have no neighbour to be filled from."""
        if holes.any():
            at = int(np.flatnonzero(holes)[0])
            side = "before" if fill == "previous" or np.flatnonzero(holes)[0] == 0 else "after"
            sentence = f"nothing stands {side} {self.calendar.moment(at)} to fill it with ({fill}); give a value there"
            raise refuse(self.places()[at], f"column {column}", sentence)

    def _note(self, column: str, holes: BoolArray, fill: str) -> str:
        count = int(holes.sum())
        how = "on a line between their neighbours" if fill == "interpolate" else "with the value before"
        noun = "value is" if count == 1 else "values are"
        doubt = self._doubt(np.flatnonzero(holes & (self.row < 0)))
        said = f"column {column}: {count:,} missing {noun} filled {how} ({self._when(np.flatnonzero(holes))})"
        return f"{said}; {doubt}" if doubt else said

    def _doubt(self, gaps: IntArray) -> str:
        """The question whether the zone is right, where rows without an offset lack what another clock skips."""
        for first, end in runs(gaps.tolist()):
            text = self.table.rows[int(self.row[first - 1])].cells[self.table.column]
            begins, ends = (self.calendar.at(t).replace(tzinfo=None) for t in (first, end))
            other = "" if datetime.fromisoformat(text).tzinfo else zone_that_skips(begins, ends)
            if other:
                skipped = f"{self.calendar.span(first, end)} is what the clock of {other} skips"
                return f"{skipped}: is timezone: {self.calendar.zone} right?"
        return ""

    def _when(self, places: Sequence[int] | IntArray) -> str:
        """Places of the grid in words, the first few runs of them."""
        found = runs([int(t) for t in places])
        said = ", ".join(self.calendar.span(*span) for span in found[:_SPANS])
        return f"{said} and {len(found) - _SPANS:,} more" if len(found) > _SPANS else said
