"""Saved runs beside each other: what differs in their scenarios, results, bills and prices, and what of it is known.

comparison = gb.compare([gb.load_run("results/a"), gb.load_run("results/b")])
comparison.frame
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ...network.errors import InputError
from .accuracy import (
    cost_within_by_prosumer_usd,
    cost_within_usd,
    optimum_within_usd,
    together,
    welfare_within_usd,
)
from .compared_prices import price_differences
from .differences import Difference
from .kpi_list import KPIS, Kpi, present
from .savings import Savings
from .scenario_differences import ScenarioDifference, scenario_differences
from .stored_run import StoredRun, load_run

if TYPE_CHECKING:
    import pandas as pd

_COUNTS = {"clearings", "rounds"}  # what a run has that has delivered nothing
_CENT_ROUNDED = 0.01  # bills are in whole cents: two of them


@dataclass(frozen=True, slots=True)
class Comparison:
    """Runs beside each other, each other one against the first.

    Attributes:
        runs: The runs, the first one first.
        letters: What each is called in tables: "A", "B", ...
        scenario: What differs in the scenarios, key by key.
        differences: For each of the other runs, the numbers of both.
        saved: What sharing saves, in sentences, where one of two runs has none.
        left_out: What could not be compared, in sentences.
    """

    runs: tuple[StoredRun, ...]
    letters: tuple[str, ...]
    scenario: list[ScenarioDifference]
    differences: list[list[Difference]]
    saved: list[str]
    left_out: list[str]

    @property
    def is_same(self) -> bool:
        """Whether no difference is known, neither of what was asked for nor of what was found."""
        return not self.scenario and not any(one.is_known for found in self.differences for one in found)

    @property
    def frame(self) -> pd.DataFrame:
        """All of it, one row per difference: section, what, unit, run, first, other, difference, known_within, said.

        Numbers are in the unit of their row; `difference` is the run's less the first one's, and nan for values of
        scenarios; `known_within` is nan where nothing bounds the difference.
        """
        import pandas as pd

        rows = [*self._scenario_rows(), *self._number_rows()]
        names = ["section", "what", "unit", "run", "first", "other", "difference", "known_within", "said"]
        return pd.DataFrame(rows, columns=names)

    def _scenario_rows(self) -> Iterator[tuple[object, ...]]:
        for one in self.scenario:
            for run, value in zip(self.runs[1:], one.values[1:], strict=True):
                said = "same" if value == one.values[0] else "differs"
                yield "scenario", one.key, "", str(run.folder), one.values[0], value, None, None, said

    def _number_rows(self) -> Iterator[tuple[object, ...]]:
        for run, found in zip(self.runs[1:], self.differences, strict=True):
            for one in found:
                numbers = one.first, one.other, one.difference, one.known_within
                yield one.section, one.what, one.unit, str(run.folder), *numbers, one.said


def compare(runs: Sequence[StoredRun | Path | str]) -> Comparison:
    """Runs beside each other, as far as they can be compared.

    Args:
        runs: At least two runs, or their folders; the others are held against the first.

    Raises:
        InputError: There are fewer than two runs, one is none, or a table of one is broken.
    """
    return _compared([_stored(run) for run in runs])


def _compared(runs: Sequence[StoredRun]) -> Comparison:
    if len(runs) < 2:
        raise InputError("one run alone has nothing to differ from; name two results folders, or more")
    letters = tuple(chr(ord("A") + k) if k < 26 else f"R{k + 1}" for k in range(len(runs)))
    left_out = [sentence for run, name in zip(runs, letters, strict=True) for sentence in _missing(run, name)]
    found = []
    for other, name in zip(runs[1:], letters[1:], strict=True):
        found.append(_differences(runs[0], other))
        left_out += _incomparable(runs[0], other, name)
    scenarios = [run.manifest["scenario"] for run in runs]
    saved = [
        f"{name} against A: {savings.said}"
        for other, name in zip(runs[1:], letters[1:], strict=True)
        if (savings := Savings.between(runs[0], other))
    ]
    return Comparison(tuple(runs), letters, scenario_differences(scenarios), found, saved, left_out)


def _stored(run: StoredRun | Path | str) -> StoredRun:
    if isinstance(run, StoredRun):
        return run
    if not isinstance(run, Path | str):
        raise InputError(f"{run!r} is no saved run; give load_run(folder), or the folder")
    return load_run(run)


def _missing(run: StoredRun, name: str) -> list[str]:
    """What a run has not, because it has not come so far."""
    if not run.kpis:
        return [f"{name} ({run.outcome}) has left no results: only its scenario is compared"]
    if not run.delivered:
        return [f"{name} ({run.outcome}) has delivered nothing: of its numbers only clearings and rounds are compared"]
    return []


def _incomparable(first: StoredRun, other: StoredRun, name: str) -> list[str]:
    """In what two runs are too different to be compared."""
    left_out = []
    for noun, ours, theirs in (
        ("prosumers", first.names, other.names),
        ("buses", *([*run.manifest["scenario"]["feeder"]["buses"]] for run in (first, other))),
    ):
        alone = [thing for thing in (*ours, *theirs) if (thing in ours) != (thing in theirs)]
        if alone:
            shown = ", ".join(alone[:5]) + (f" and {len(alone) - 5:,} more" if len(alone) > 5 else "")
            left_out.append(f"{noun} that only one of A and {name} has are left out: {shown}")
    if not same_periods(first, other):
        texts = [run.scenario.periods_said for run in (first, other)]
        left_out.append(
            f"the periods of A and {name} are not the same ({texts[0]}, {texts[1]}): prices by period are left out, "
            "and sums are over other hours"
        )
    return left_out


def same_periods(first: StoredRun, other: StoredRun) -> bool:
    """Whether two runs have the same periods."""
    return (first.scenario.periods, first.when) == (other.scenario.periods, other.when)


def _differences(first: StoredRun, other: StoredRun) -> list[Difference]:
    if not (first.kpis and other.kpis):
        return []
    if not (first.delivered and other.delivered):
        return [_of_kpi(kpi, first, other, {}) for kpi in KPIS if kpi.key in _COUNTS]
    bounds = {
        "optimum": together(optimum_within_usd(first), optimum_within_usd(other)),
        "welfare": together(welfare_within_usd(first), welfare_within_usd(other)),
        "cost": together(cost_within_usd(first), cost_within_usd(other)),
    }
    found = [_of_kpi(kpi, first, other, bounds) for kpi in _kpis_of(first, other)]
    found += _of_prosumers(first, other)
    found += _of_bills(first, other, bounds["cost"])
    return found + (price_differences(first, other) if same_periods(first, other) else [])


def _kpis_of(first: StoredRun, other: StoredRun) -> list[Kpi]:
    keys = present(first.kpis)
    return keys + [kpi for kpi in present(other.kpis) if kpi not in keys]


def _of_kpi(kpi: Kpi, first: StoredRun, other: StoredRun, bounds: dict[str, float | None]) -> Difference:
    values = first.kpis.get(kpi.key), other.kpis.get(kpi.key)
    return Difference(
        "results", kpi.label, kpi.unit, *values, bounds.get(kpi.bounded_by), is_bounded=bool(kpi.bounded_by)
    )


def _of_prosumers(first: StoredRun, other: StoredRun) -> list[Difference]:
    """What it all comes to for each prosumer that both have: cost (11), charges and payments."""
    ours, theirs = (run.kpis.get("total_usd_by_prosumer", {}) for run in (first, other))
    known, known_there = cost_within_by_prosumer_usd(first), cost_within_by_prosumer_usd(other)
    found = []
    for name in ours:
        if name in theirs:
            within = together(known.get(name), known_there.get(name))
            found.append(Difference("prosumers", name, "$", ours[name], theirs[name], within, True))
    return found


def _of_bills(first: StoredRun, other: StoredRun, within: float | None) -> list[Difference]:
    """What each account receives less what it pays; a bill is cut to the cent."""
    if not all("bills" in run.tables for run in (first, other)):
        return []
    ours, theirs = (run.table("bills").groupby("account", sort=False)["amount_usd"].sum() for run in (first, other))
    known = None if within is None else within + _CENT_ROUNDED
    return [
        Difference("bills", str(account), "$", float(ours[account]), float(theirs[account]), known, True)
        for account in ours.index
        if account in theirs.index
    ]
