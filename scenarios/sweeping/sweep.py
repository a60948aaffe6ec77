"""A sweep: the runs of a grid of values, saved side by side, and one tidy table of them.

found = gb.sweep("ieee33", {"alpha_scale": [1, 2, 4]}, folder="results/alphas")
found.frame[["alpha_scale", "outcome", "welfare_usd"]]
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...network.errors import InputError
from ..runs.run import exit_code_of_many
from .axes import Axis, axes_of
from .keeping import Row, folder_of_many
from .plan import PLAN, Plan
from .points import Point, ended, points_of
from .pool import run_missing
from .worker import run_point

if TYPE_CHECKING:
    import pandas as pd

_TOLD = ("outcome", "message", "exit_code", "folder")


@dataclass(frozen=True, slots=True)
class Sweep:
    """What a sweep has found.

    Attributes:
        folder: Where it is saved: each run in a folder of its own, `sweep.csv` and `sweep.parquet`.
        axes: What was swept.
        frame: One row per point that has ended, in the order of the grid: the swept values, outcome, message,
            exit_code, folder, seconds, and the key figures of `kpis.json` that are one number.
        interrupted: Whether it was stopped before all points had ended.
    """

    folder: Path
    axes: tuple[Axis, ...]
    frame: pd.DataFrame
    interrupted: bool

    @property
    def exit_code(self) -> int:
        """0 if all points have settled, 3 if some have not, 130 if it was interrupted."""
        return exit_code_of_many(self.frame["outcome"], interrupted=self.interrupted)


def sweep(
    scenario: str,
    values: Mapping[str, Sequence[object]],
    folder: Path | str | None = None,
    processes: int = 0,
) -> Sweep:
    """Run every combination of values; in a folder that holds this sweep already, only what is missing.

    Args:
        scenario: A name from `shipped_scenarios`, or a file.
        values: The values that each key, dotted as in `load`, is to take.
        folder: Where all is saved; `results/<scenario>-sweep/<time>` by default.
        processes: How many run side by side; 0: in this process, one after the other. With more, a script needs
            `if __name__ == "__main__":` around what it does, as the processes import it.

    Raises:
        ScenarioError: A key is wrong; values that are wrong, or make no market, are rows of the table.
        InputError: The folder holds something else.
    """
    if not isinstance(scenario, str):
        raise InputError(f"a sweep is of a scenario's name or file, and not of {scenario!r}")
    plan = Plan.of(scenario, axes_of(values))
    return run_sweep(plan, folder_for(plan, Path(folder) if folder else None), processes)


def folder_for(plan: Plan, folder: Path | None) -> Path:
    """The folder of a sweep: a new one, or one that holds the same sweep.

    Raises:
        InputError: It holds another sweep, or something else.
    """
    if folder and (folder / PLAN).is_file() and Plan.read(folder) != plan:
        raise InputError(f"{folder} holds a sweep of something else; name a new folder with -o")
    return folder_of_many(plan.scenario, "sweep", PLAN, folder)


def run_sweep(
    plan: Plan, folder: Path, processes: int, watch: Callable[[list[Point]], Callable[[Point, Row], None]] | None = None
) -> Sweep:
    """Run the points of a plan that have not ended, and write the table of all.

    Args:
        plan: What is swept.
        folder: Where it is saved.
        processes: As in `sweep`.
        watch: Told of all points before they begin; it gives what is told of each that has ended.
    """
    points = points_of(plan.scenario, plan.axes, folder)
    rows = ended(points)
    plan.write(folder)
    interrupted = False
    try:
        interrupted = run_missing(points, rows, processes, watch, run_point)
    finally:
        frame = _written(folder, plan.axes, [rows[number] for number in sorted(rows)])
    return Sweep(folder, plan.axes, frame, interrupted)


def _written(folder: Path, axes: Sequence[Axis], rows: list[dict[str, Any]]) -> pd.DataFrame:
    """The table, written as CSV and Parquet; swept values are numbers where all of them are."""
    import pandas as pd

    frame = pd.DataFrame(rows) if rows else pd.DataFrame(columns=[*(axis.key for axis in axes), *_TOLD])
    for axis in axes:
        numbers = pd.to_numeric(frame[axis.key], errors="coerce")
        frame[axis.key] = frame[axis.key] if numbers.isna().any() else numbers
    frame.to_csv(folder / "sweep.csv", index=False)
    frame.to_parquet(folder / "sweep.parquet", index=False)
    return frame
