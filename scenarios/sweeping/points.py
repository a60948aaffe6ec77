"""The points of a sweep: what each changes in the scenario, where its run is saved, and what is known of it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ...market.outcome import Outcome
from ...network.errors import InputError
from ..errors import ScenarioError
from ..files.loading import load
from ..files.tree import Change
from ..reporting.stored_run import StoredRun, load_run
from ..runs.kept import MANIFEST
from ..runs.recorder import OPEN
from ..runs.run import INTERRUPTED, exit_code
from .axes import Axis, combinations
from .keeping import Row

_COUNTS = ("outer_iterations", "clearings", "elastic_clearings", "rounds")


@dataclass(frozen=True, slots=True)
class Point:
    """A combination of values.

    Attributes:
        number: Its place in the table, from 1.
        scenario: The name or file of the scenario.
        values: The value of each key, as text.
        changes: What they change in the scenario.
        folder: The results folder of its run.
    """

    number: int
    scenario: str
    values: dict[str, str]
    changes: tuple[Change, ...]
    folder: Path

    def __str__(self) -> str:
        return ", ".join(f"{key}={text}" for key, text in self.values.items())

    def row(self, outcome: str, message: str, exit_code: int) -> Row:
        """Its row when there are no key figures."""
        told = {"outcome": outcome, "message": message, "exit_code": exit_code, "folder": self.folder.name}
        return {**self.values, **told}

    def found(self, run: StoredRun) -> Row:
        """Its row from its run, with all key figures that are one number; of one that delivered nothing, the rounds."""
        numbers = {key: value for key, value in run.kpis.items() if _is_number(value)}
        if not run.delivered:
            numbers = {key: value for key, value in numbers.items() if key in _COUNTS}
        code = INTERRUPTED if run.outcome == "interrupted" else exit_code(Outcome[run.outcome.upper()])
        seconds = round(sum(run.kpis["seconds"].values()), 3)
        return {**self.row(run.outcome, run.message, code), "seconds": seconds, **numbers}


def points_of(scenario: str, axes: Sequence[Axis], folder: Path) -> list[Point]:
    """All points of a sweep, in the order of its table."""
    grid = combinations(axes)
    width = len(str(len(grid)))
    return [
        Point(
            number,
            scenario,
            {axis.key: axis.texts[k] for axis, k in zip(axes, places, strict=True)},
            tuple(axis.change(k) for axis, k in zip(axes, places, strict=True)),
            folder / f"{number:0{width}d}",
        )
        for number, places in enumerate(grid, start=1)
    ]


def ended(points: Sequence[Point]) -> dict[int, Row]:
    """The rows of those points that need no run, by number: those that have ended before, and those with wrong values.

    Raises:
        ScenarioError: No point is a scenario: a key is wrong, not a value.
        InputError: A finished point was run with another scenario.
    """
    rows: dict[int, Row] = {}
    wrong: list[ScenarioError] = []
    for point in points:
        try:
            scenario = load(point.scenario, point.changes)
        except ScenarioError as error:
            wrong.append(error)
            rows[point.number] = point.row("refused", str(error), error.exit_code)
            continue
        run = finished(point)
        if run and run.manifest["scenario"] != json.loads(scenario.model_dump_json(by_alias=True)):
            sentence = "was run before with another scenario; name a new folder with -o, or restore the scenario"
            raise InputError(f"{point.folder}: {point} {sentence}")
        if run:
            rows[point.number] = point.found(run)
    if len(wrong) == len(points):
        raise wrong[0]
    return rows


def finished(point: Point) -> StoredRun | None:
    """The run of a point that has ended; None for one that has not, or has not begun."""
    if not (point.folder / MANIFEST).is_file():
        return None
    run = load_run(point.folder)
    return None if run.manifest["outcome"] in OPEN else run


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
