"""A league: every behaviour in every seat, in mixed fields and in rings, played side by side, and one table of it.

found = gb.play_league("ieee33", ["Shading", "Withholding"], folder="results/league")
found.frame[["case", "prosumer", "behaviour", "gain_usd", "known_to_usd"]]
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..runs.run import exit_code_of_many
from ..sweeping.keeping import Row, folder_of_many
from ..sweeping.pool import run_missing
from .match import Match
from .plan import PLAN, Plan
from .playing import play_match
from .schedule import matches_of, shipped_behaviours
from .tables import table

if TYPE_CHECKING:
    import pandas as pd

Told = Callable[[Match, Row], None]


@dataclass(frozen=True, slots=True)
class League:
    """What a league has found.

    Attributes:
        folder: Where it is saved: each match in `matches/`, `league.csv` and `league.parquet`.
        plan: What it plays.
        frame: One row for each prosumer on each day of each match, see `tables.table`.
        interrupted: Whether it was stopped before all matches were played.
    """

    folder: Path
    plan: Plan
    frame: pd.DataFrame
    interrupted: bool

    @property
    def exit_code(self) -> int:
        """0 if all matches have settled, 3 if some have not, 130 if it was interrupted."""
        return exit_code_of_many(self.frame["outcome"], interrupted=self.interrupted)


def play_league(
    scenario: str,
    behaviours: Sequence[str] = (),
    folder: Path | str | None = None,
    processes: int = 0,
    **options: Any,
) -> League:
    """Play a league; in a folder that holds it already, only the matches that are missing.

    Args:
        scenario: A name from `shipped_scenarios`, or a file.
        behaviours: Behaviours as scenarios name them; all that come with gridbazaar by default.
        folder: Where all is saved; `results/<scenario>-league/<time>` by default.
        processes: How many matches are played side by side; 0: in this process, one after the other.
        options: `cases`, `days`, `seeds`, `draws`, `sizes`, as `Plan` has them.

    Raises:
        ScenarioError: The scenario or a behaviour is wrong.
        InputError: The folder holds something else.
    """
    plan = Plan.of(scenario, tuple(behaviours) or shipped_behaviours(), **options)
    return run_league(plan, folder_for(plan, Path(folder) if folder else None), processes)


def folder_for(plan: Plan, folder: Path | None) -> Path:
    """The folder of a league: a new one, or one that holds a league already.

    Raises:
        InputError: It holds something else.
    """
    return folder_of_many(plan.scenario, "league", PLAN, folder)


def run_league(plan: Plan, folder: Path, processes: int, watch: Callable[[list[Match]], Told] | None = None) -> League:
    """Play the matches of a plan that are missing, and write the table of all.

    Args:
        plan: What is played.
        folder: Where it is saved.
        processes: As in `play_league`.
        watch: Told of all matches before they begin; it gives what is told of each that has ended.

    Raises:
        ScenarioError: The scenario or a behaviour is wrong.
        InputError: The folder holds another league.
    """
    matches = matches_of(plan, folder)
    plan.begin(folder)
    rows = {match.number: row for match in matches if (row := match.kept())}
    interrupted = False
    try:
        interrupted = run_missing(matches, rows, processes, watch, play_match)
    finally:
        frame = table(matches, rows)
        frame.to_csv(folder / "league.csv", index=False)
        frame.to_parquet(folder / "league.parquet", index=False)
    return League(folder, plan, frame, interrupted)
