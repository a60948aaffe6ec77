"""A comparison as a person reads it: on the terminal, and the same tables for a page."""

from __future__ import annotations

from collections.abc import Iterator

from rich.console import Console
from rich.text import Text

from ..runs.fitting import Column, FittingTable
from .comparison import Comparison
from .differences import Difference
from .scenario_differences import cut

_TITLES = {
    "results": "what was found",
    "prosumers": "what it comes to for prosumers: cost, charges and payments, less utility",
    "bills": "bills: what an account receives less what it pays",
    "prices": "prices, $/kWh: LMPs by bus, sharing prices by link (no certificate bounds them)",
}
_ROWS = 12  # of one section; the largest differences of longer ones


def show(console: Console, comparison: Comparison) -> None:
    """Print a comparison."""
    for line in legend(comparison):
        console.print(Text(line), soft_wrap=True)
    for table in shown_tables(comparison):
        console.print(table, soft_wrap=not console.is_terminal)
    for sentence in [*comparison.saved, *comparison.left_out, conclusion(comparison)]:
        console.print(Text(sentence), soft_wrap=not console.is_terminal)


def legend(comparison: Comparison) -> list[str]:
    """Which run each letter stands for, and how it ended."""
    named = zip(comparison.letters, comparison.runs, strict=True)
    return [f"{letter}  {run.folder}: {run.message}" for letter, run in named]


def conclusion(comparison: Comparison) -> str:
    """Whether any difference is known, and how many of them a certificate bounds."""
    if comparison.is_same:
        return "no difference is known"
    known = [one for found in comparison.differences for one in found if one.is_known]
    bounded = sum(one.known_within is not None for one in known)
    shown = len(known) - bounded
    unbounded = f", and {shown:,} in digits that are shown and that nothing bounds" if shown else ""
    asked = len(comparison.scenario)
    keys = "1 value of the scenarios differs" if asked == 1 else f"{asked:,} values of the scenarios differ"
    return f"{keys}; of the numbers found, {bounded:,} differ by more than is left open{unbounded}"


def shown_tables(comparison: Comparison) -> Iterator[FittingTable]:
    """What differs in the scenarios, and the numbers of each of the other runs beside those of the first."""
    letters = comparison.letters
    if comparison.scenario:
        values = [Column(letter, words=True) for letter in letters]
        rows = [(one.key, *one.values) for one in cut(comparison.scenario)]
        yield FittingTable("what was asked for", (Column("scenario"), *values), rows)
    for letter, found in zip(letters[1:], comparison.differences, strict=True):
        for section, title in _TITLES.items():
            rows = list(_rows([one for one in found if one.section == section]))
            if rows:
                columns = (Column(""), Column(letters[0]), Column(letter), Column(f"{letter} against A", words=True))
                yield FittingTable(title, columns, rows)


def _rows(found: list[Difference]) -> Iterator[tuple[str, ...]]:
    """A row for each; of many the largest differences, in their order, and how many more there are."""
    largest = sorted(found, key=lambda one: -abs(one.difference))[:_ROWS] if _is_long(found) else found
    for one in found:
        if one in largest:
            yield one.what, *one.shown, one.said
    if len(found) > len(largest):
        yield f"and {len(found) - len(largest):,} more", "", "", "smaller differences"


def _is_long(found: list[Difference]) -> bool:
    return len(found) > _ROWS and found[0].section != "results"
