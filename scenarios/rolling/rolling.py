"""A run of a rolling horizon: window after window is settled, saved, and handed over to the next."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from gc import collect
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np

from ...market.hosting.backend import Backend
from ...market.outcome import Ending, Outcome
from ...market.result import Result
from ...market.rounds import Round
from ...network.errors import GridbazaarError
from ..files.scenario import Scenario
from ..runs.amounts import counted
from ..runs.interrupts import interrupts
from ..runs.kept import Kept, Notes
from ..runs.recorder import CHECKPOINT, Origin, Recorder
from ..runs.run import Run, exit_code
from ..runs.running import run_scenario
from .figures import figures, finding
from .forecasts import planned
from .parts import Part, Parts
from .stores import store_paths
from .whole import RollingResult, joined
from .window_error import WindowError
from .windows import Window, windows_of

WINDOW_FOLDERS = "windows"
"""Where windows leave results folders of their own, if they are asked to."""


def run_rolling(
    scenario: Scenario,
    folder: Path,
    *,
    watch: Callable[[Round], None] | None = None,
    backend: Backend | None = None,
    origin: Origin | None = None,
    note: Callable[[str], None] = lambda _: None,
) -> Run:
    """Settle the windows of a scenario with a horizon and save what is kept of them, or go on with such a run.

    Ctrl-C ends it after the round that is under way; the window is settled anew when the run goes on.

    Args:
        scenario: What is to be run.
        folder: A new folder, or that of a run of this scenario that has not ended.
        watch: Told of every round as it is finished.
        backend: Where the prosumers live; in this process by default.
        origin: Where the scenario comes from and how the run was asked for, for the manifest.
        note: Told in a sentence which window begins, and what is left.

    Raises:
        ScenarioError: What it says of its horizon does not go together.
        WindowError: A window cannot be settled at all, or the first was interrupted; what was settled before is saved.
        GridbazaarError: The run cannot be saved, or cannot go on; windows that have ended are in the folder.
    """
    scenario.check_horizon()
    with (
        interrupts() as interrupted,
        Recorder(folder, scenario, notes=Notes(Kept.NONE), origin=origin) as recorder,
    ):
        rolling = _Rolling(scenario, folder, backend, watch, note)
        ending = rolling.run(interrupted)
        note("putting the windows together and saving the results")
        result = rolling.joined(ending)
        if result is None:
            raise rolling.failed or WindowError(ending.message, exit_code(ending.outcome))
        found = rolling.figures(result) | ({"outcome": "failed"} if rolling.failed else {})
        ended = ending.outcome is not Outcome.RUNNING
        recorder.finish(result, found, ended=ended, more=result.further_tables())
        if rolling.failed:
            raise rolling.failed
    return Run(result, None, found, folder, exit_code(ending.outcome), finding=finding(result, scenario))


class _Rolling:
    """Settles one window after the other.

    Attributes:
        failed: Which window could not be settled at all, and why; None while there is none.
    """

    def __init__(
        self,
        scenario: Scenario,
        folder: Path,
        backend: Backend | None,
        watch: Callable[[Round], None] | None,
        note: Callable[[str], None],
    ) -> None:
        horizon = scenario.horizon
        assert horizon is not None
        self._scenario, self._folder, self._backend = scenario, folder, backend
        self._watch, self._note, self._keeps_windows = watch, note, horizon.keep_windows
        self._windows = windows_of(horizon, scenario.periods, scenario.dt_h)
        self._homes = scenario.build_households()
        self._paths = store_paths(self._homes, self._windows)
        self._parts = Parts(folder / CHECKPOINT)
        self.failed: WindowError | None = None

    def run(self, interrupted: Callable[[], bool]) -> Ending:
        """Settle what is left of the windows; how that ended."""
        levels_kwh = np.array([path.begin_kwh for path in self._paths])
        unsettled: list[str] = []
        worst, start, settled_here = Outcome.SETTLED, perf_counter(), 0
        for window in self._windows:
            part = self._parts.read(window.number)
            if part is None:
                self._note(self._said(window, start, settled_here))
                try:
                    result = self._settled(window, levels_kwh, interrupted)
                except GridbazaarError as error:
                    self.failed = WindowError(self._ended_at(window, str(error)), error.exit_code)
                    return Ending(Outcome.RUNNING, str(self.failed))
                if result is None:
                    return Ending(Outcome.RUNNING, self._interrupted(window))
                if not np.isfinite(result.certificate.total_usd):
                    return Ending(result.outcome, self._ended_at(window, result.message))
                part = Part.of(window, result)
                self._parts.write(part)
                settled_here += 1
                del result
                collect()  # markets are circles of objects: without this, tens of them would wait for their end
            levels_kwh = part.levels_kwh
            if not part.ended.settled:
                worst = Outcome[part.ended.outcome] if worst is Outcome.SETTLED else worst
                unsettled.append(f"{self._name(window)}: {part.ended.message}")
        return Ending(worst, self._message(unsettled))

    def joined(self, ending: Ending) -> RollingResult | None:
        """What is kept of the windows that have ended; None if none has."""
        parts = list(self._parts.all())
        return joined(self._scenario, self._homes, self._paths, parts, ending) if parts else None

    def figures(self, result: RollingResult) -> dict[str, Any]:
        """That in numbers."""
        return figures(result, self._scenario, self._folder, self._homes, self._paths)

    def _settled(self, window: Window, levels_kwh: np.ndarray, interrupted: Callable[[], bool]) -> Result | None:
        """What a window's market comes to; None if it was interrupted."""
        if interrupted():
            return None
        part = self._cut(window, levels_kwh)
        if self._keeps_windows:
            folder = self._folder / WINDOW_FOLDERS / f"{window.number:06d}"
            shutil.rmtree(folder, ignore_errors=True)  # what a run has left there that was interrupted
            folder.mkdir(parents=True)
            result = run_scenario(part, folder, watch=self._watch, backend=self._backend).result
            return None if result.outcome is Outcome.RUNNING else result
        with part.market(backend=self._backend) as market:
            while market.running:
                if interrupted():
                    return None
                market.step()
                if self._watch and market.last:
                    self._watch(market.last)
            return market.result()

    def _cut(self, window: Window, levels_kwh: np.ndarray) -> Scenario:
        """The scenario of a window, with stores that begin with what they hold."""
        part = planned(self._scenario, window)
        if len(self._windows) == 1 or not self._paths:
            return part
        homes = dict(part.prosumers)
        for path, level_kwh in zip(self._paths, levels_kwh.tolist(), strict=True):
            row = homes[path.owner]
            store = path.row(window, level_kwh, self._scenario.dt_h)
            homes[path.owner] = row.model_copy(update={"devices": {**row.devices, path.store.name: store}})
        return part.model_copy(update={"prosumers": homes})

    # --- in words ----------------------------------------------------------------------------------------------------

    def _name(self, window: Window) -> str:
        return f"window {window.number:,} of {len(self._windows):,} ({window.span(self._scenario.when)})"

    def _said(self, window: Window, start: float, settled_here: int) -> str:
        """Which window begins, and how long those that are left will take, if anybody knows."""
        left = len(self._windows) - window.number + 1
        if not settled_here:
            return f"{self._name(window)}; {counted(left, 'window')} left"
        left_s = left * (perf_counter() - start) / settled_here
        return f"{self._name(window)}; {counted(left, 'window')} left, about {_duration(left_s)}"

    def _ended_at(self, window: Window, why: str) -> str:
        before = f"; {counted(window.number - 1, 'window')} before it: saved" if window.first else ""
        return f"{self._name(window)}: {why}{before}"

    def _interrupted(self, window: Window) -> str:
        done = counted(window.number - 1, "window")
        return f"interrupted in {self._name(window)}: {done} settled before; `gridbazaar run --resume` goes on"

    def _message(self, unsettled: list[str]) -> str:
        count = len(self._windows)
        if not unsettled:
            return (
                Outcome.SETTLED.value
                if count == 1
                else f"settled: nobody gains by deviating in any of {count:,} windows"
            )
        return f"not settled: {len(unsettled):,} of {counted(count, 'window')}; {unsettled[0]}"


def _duration(seconds: float) -> str:
    if seconds < 100:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 6000 else f"{seconds / 3600:.1f} h"
