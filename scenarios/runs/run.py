"""What a run has left, and what the command line ends with."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...market.outcome import Outcome
from ...market.result import Result
from ...network.ac_replay import AcReplay
from ...network.errors import SolverError
from .accuracy import CostBounds
from .kept import Kept

if TYPE_CHECKING:
    import pandas as pd

INTERRUPTED = 130
"""The exit code of a run that Ctrl-C ended, as shells have it."""
_CODES = {Outcome.SETTLED: 0, Outcome.SHORTAGE: 4, Outcome.HOUSEHOLD_SHORTAGE: 4, Outcome.RUNNING: INTERRUPTED}
_NOT_SETTLED = 3


def exit_code(outcome: Outcome) -> int:
    """What the command line ends with."""
    return _CODES.get(outcome, _NOT_SETTLED)


@dataclass(frozen=True, slots=True)
class Finding:
    """What else was found out about a run: key figures for `kpis.json`, and a line of the summary."""

    figures: dict[str, Any]
    sentence: str


def exit_code_of_many(outcomes: Iterable[str], *, interrupted: bool) -> int:
    """That of many runs, by their outcomes: 0 if all have settled, 3 if some have not, 130 if it was interrupted."""
    if interrupted:
        return INTERRUPTED
    return 0 if all(outcome == "settled" for outcome in outcomes) else _NOT_SETTLED


@dataclass(frozen=True, slots=True)
class Run:
    """What a run has left.

    Attributes:
        result: What it found, as far as it came.
        replayed: The dispatch in the AC power flow, if that was asked for; the error, if that has no solution there.
        kpis: All of it in numbers, ready for JSON.
        folder: The results folder.
        exit_code: 0 settled, 3 not converged, 4 infeasible, 130 interrupted.
        cost_within: By how much costs may differ from those of the optimum; None where nothing tells.
        who_saw_what: The messages by sender and receiver, if they were logged.
        kept: What is on disk of every round.
        finding: What else was found out, if anybody looked.
    """

    result: Result
    replayed: AcReplay | SolverError | None
    kpis: dict[str, Any]
    folder: Path
    exit_code: int
    cost_within: CostBounds | None
    who_saw_what: pd.DataFrame | None = None
    kept: Kept = Kept.ALL
    finding: Finding | None = None
