"""A run of a rolling horizon: window after window is settled, saved, and handed over to the next."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from dataclasses import replace
from gc import collect
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np

from ...market.hosting.backend import Backend
from ...market.outcome import Ending, Outcome
from ...market.result import Result
from ...market.rounds import Round
from ...network.arrays import FloatArray
from ...network.errors import GridbazaarError
from ..files.scenario import Scenario
from ..runs.amounts import counted
from ..runs.interrupts import interrupts
from ..runs.kept import Kept, Notes
from ..runs.kpis import total_usd
from ..runs.recorder import CHECKPOINT, Origin, Recorder
from ..runs.run import Run, exit_code
from ..runs.running import run_scenario
from .figures import figures, finding
from .learning import Acted, Learning, Memories
from .opening import Windows
from .parts import Part, Parts
from .whole import RollingResult, joined
from .window_error import WindowError
from .windows import Window

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
        rolling = _Rolling(scenario, folder, backend, watch, note, recorder.name)
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
    return Run(result, None, found, folder, exit_code(ending.outcome), None, finding=finding(result, scenario))


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
        name: str,
    ) -> None:
        horizon = scenario.horizon
        assert horizon is not None
        self._scenario, self._folder, self._backend = scenario, folder, backend
        self._watch, self._note, self._keeps_windows, self._name = watch, note, horizon.keep_windows, name
        self._windows, self._learning = Windows(scenario), Learning(scenario)
        self._parts = Parts(folder / CHECKPOINT)
        self.failed: WindowError | None = None

    def run(self, interrupted: Callable[[], bool]) -> Ending:
        """Settle what is left of the windows; how that ended."""
        levels_kwh: FloatArray = self._windows.begin_kwh
        memories: Memories = {}
        unsettled, besides = list[str](), dict[str, None]()
        worst, start, settled_here = Outcome.SETTLED, perf_counter(), 0
        for window in self._windows.all:
            part = self._parts.read(window.number)
            if part is None:
                self._note(self._said(window, start, settled_here))
                try:
                    found = self._settled(window, levels_kwh, memories, interrupted)
                except GridbazaarError as error:
                    self.failed = WindowError(self._ended_at(window, str(error)), error.exit_code)
                    return Ending(Outcome.RUNNING, str(self.failed))
                if isinstance(found, Ending):
                    return found
                part = found
                self._parts.write(part)
                settled_here += 1
                collect()  # markets are circles of objects: without this, tens of them would wait for their end
            levels_kwh, memories = part.levels_kwh, part.memories
            if part.ended.settled:
                besides[part.ended.message.removeprefix(Outcome.SETTLED.value)] = None
            else:
                worst = Outcome[part.ended.outcome] if worst is Outcome.SETTLED else worst
                unsettled.append(f"{self._windows.name(window)}: {part.ended.message}")
        return Ending(worst, self._message(unsettled) or self._settled_said("".join(besides)))

    def joined(self, ending: Ending) -> RollingResult | None:
        """What is kept of the windows that have ended; None if none has."""
        parts = list(self._parts.all())
        return self._joined(parts, ending) if parts else None

    def figures(self, result: RollingResult) -> dict[str, Any]:
        """That in numbers."""
        return figures(result, self._scenario, self._folder, self._windows.homes, self._windows.paths)

    def _joined(self, parts: Sequence[Part], ending: Ending) -> RollingResult:
        windows = self._windows
        return joined(self._scenario, windows.homes, windows.graph, windows.paths, parts, ending)

    def _settled(
        self, window: Window, levels_kwh: FloatArray, memories: Memories, interrupted: Callable[[], bool]
    ) -> Part | Ending:
        """What is kept of a window once its market has ended; how the run ends if it was interrupted, or failed."""
        if interrupted():
            return self._interrupted(window)
        part = self._windows.scenario(window, levels_kwh)
        if self._keeps_windows:
            return self._kept(window, self._in_a_folder(window, part))
        with part.market(backend=self._backend, behaviours=self._learning.behaviours(memories)) as market:
            while market.running:
                if interrupted():
                    return self._interrupted(window)
                market.step()
                if self._watch and market.last:
                    self._watch(market.last)
            found = self._kept(window, market.result())
            acted = self._learning.ended(market)
        return found if isinstance(found, Ending) else self._learnt(found, acted, memories)

    def _in_a_folder(self, window: Window, part: Scenario) -> Result:
        """What a window's market comes to, which leaves a results folder of its own."""
        folder = self._folder / WINDOW_FOLDERS / f"{window.number:06d}"
        shutil.rmtree(folder, ignore_errors=True)  # what a run has left there that was interrupted
        folder.mkdir(parents=True)
        origin = Origin(name=self._name)
        return run_scenario(part, folder, watch=self._watch, backend=self._backend, origin=origin).result

    def _kept(self, window: Window, result: Result) -> Part | Ending:
        """What is kept of a window's result; how the run ends if there is nothing that could be."""
        if result.outcome is Outcome.RUNNING:
            return self._interrupted(window)
        if not np.isfinite(result.certificate.total_usd):
            return Ending(result.outcome, self._ended_at(window, result.message))
        return Part.of(window, result)

    def _learnt(self, part: Part, acted: Acted, before: Memories) -> Part:
        """The same with what those that learn remember once they know what the kept part has cost them."""
        if not acted:
            return replace(part, memories=before)
        result = self._joined([part], Ending())
        costs_usd = dict(zip(result.names, total_usd(result).tolist(), strict=True))
        return replace(part, memories=self._learning.learnt(acted, costs_usd, before))

    # --- in words ----------------------------------------------------------------------------------------------------

    def _said(self, window: Window, start: float, settled_here: int) -> str:
        """Which window begins, and how long those that are left will take, if anybody knows."""
        left = len(self._windows.all) - window.number + 1
        if not settled_here:
            return f"{self._windows.name(window)}; {counted(left, 'window')} left"
        left_s = left * (perf_counter() - start) / settled_here
        return f"{self._windows.name(window)}; {counted(left, 'window')} left, about {_duration(left_s)}"

    def _ended_at(self, window: Window, why: str) -> str:
        before = f"; {counted(window.number - 1, 'window')} before it: saved" if window.first else ""
        counted_anew = window.first and self._scenario.calendar is None
        whose = ", its periods and hours counted from its first" if counted_anew else ""
        return f"{self._windows.name(window)}{whose}: {why}{before}"

    def _interrupted(self, window: Window) -> Ending:
        done, name = counted(window.number - 1, "window"), self._windows.name(window)
        why = f"interrupted in {name}: {done} settled before; `gridbazaar run --resume` goes on"
        return Ending(Outcome.RUNNING, why)

    def _message(self, unsettled: list[str]) -> str:
        """What is not settled; empty if all is."""
        count = counted(len(self._windows.all), "window")
        return f"not settled: {len(unsettled):,} of {count}; {unsettled[0]}" if unsettled else ""

    def _settled_said(self, besides: str) -> str:
        """That all windows are settled, and what that is said of: "; by what is declared ..."."""
        count = len(self._windows.all)
        return f"{Outcome.SETTLED.value}{f' in any of {count:,} windows' if count > 1 else ''}{besides}"


def _duration(seconds: float) -> str:
    if seconds < 100:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 6000 else f"{seconds / 3600:.1f} h"
