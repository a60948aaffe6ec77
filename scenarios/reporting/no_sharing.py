"""The same scenario without sharing, to see what sharing saves."""

from __future__ import annotations

from ...market.settings import Case
from ..files.scenario import Scenario
from ..files.schema import MessagesRow
from ..rolling.rolling import run_rolling
from ..runs.kept import MANIFEST
from ..runs.recorder import Origin
from ..runs.running import run_scenario
from .stored_run import StoredRun, load_run

_FOLDER = "no-sharing"


def run_without_sharing(run: StoredRun) -> StoredRun:
    """The run of the same scenario as Case 1, saved inside the folder of the run; one that is there is not repeated.

    Raises:
        GridbazaarError: The scenario is impossible without sharing, or the folder cannot be written.
    """
    folder = run.folder / _FOLDER
    if (folder / MANIFEST).is_file():
        there = load_run(folder)
        if there.settled:
            return there
    folder.mkdir(exist_ok=True)
    alone, origin = _alone(run.scenario), Origin(run.manifest.get("scenario_path", ""), overrides=("--case 1",))
    if alone.horizon:
        run_rolling(alone, folder, origin=origin)
    else:
        run_scenario(alone, folder, origin=origin)
    return load_run(folder)


def _alone(scenario: Scenario) -> Scenario:
    """Case 1, in which there are no messages that could be late or lost."""
    return scenario.model_copy(update={"messages": MessagesRow()}).changed(case=Case.NO_SHARING)
