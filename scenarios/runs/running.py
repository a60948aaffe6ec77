"""A run of a scenario from the first round to the results folder, whatever happens on the way."""

from collections.abc import Callable
from pathlib import Path
from time import perf_counter
from typing import Any

from ...market.energy_market import EnergyMarket
from ...market.hosting.backend import Backend
from ...market.outcome import Outcome
from ...market.result import Result
from ...market.rounds import Round
from ...network.ac_replay import AcReplay, replay_ac
from ...network.errors import SolverError
from ..files.scenario import Scenario
from .accuracy import CostBounds
from .device_kpis import device_indicators
from .interrupts import interrupts
from .kept import Notes
from .recorder import Origin, Recorder
from .run import Finding, Run, exit_code
from .summary import kpis
from .who_saw_what import who_saw_what


def run_scenario(  # noqa: PLR0913  # what is run, and where; all else may be left out
    scenario: Scenario,
    folder: Path,
    *,
    watch: Callable[[Round], None] | None = None,
    replay: bool = False,
    backend: Backend | None = None,
    origin: Origin | None = None,
    notes: Notes | None = None,
    tell: Callable[[str], None] = lambda _: None,
    further: Callable[[Result], Finding | None] = lambda _: None,
) -> Run:
    """Run a scenario and save it, or go on with its run; Ctrl-C ends it after the round that is under way.

    Args:
        scenario: What is to be run.
        folder: A new folder (`folders.new_folder`), or that of a run of this scenario that has not ended.
        watch: Told of every round as it is finished.
        replay: Whether to replay the dispatch in pandapower's AC power flow (extra `grid`).
        backend: Where the prosumers live; in this process by default.
        origin: Where the scenario comes from and how the run was asked for, for the manifest.
        notes: What to write down meanwhile; by default no messages, and of the rounds what takes little room.
        tell: Told what is being done once the rounds are over.
        further: Finds out what else is to be known of the run, once its results are saved.

    Raises:
        GridbazaarError: The scenario, or the run, cannot go on; finished rounds are in the folder.
    """
    with interrupts() as interrupted, Recorder(folder, scenario, notes=notes, origin=origin) as recorder:
        start = perf_counter()
        with scenario.market(
            backend=backend,
            log=recorder.note_messages if recorder.keeps_messages else None,
        ) as market:
            if recorder.checkpoint:
                market.restore(recorder.checkpoint)
            loading = perf_counter() - start - market.seconds["setup"]
            saving = _run(market, recorder, watch, interrupted)
            result = market.result()
        tell("saving the results")
        recorder.close()
        result.seconds.update(loading=loading, saving=saving)
        found, replayed = _found(scenario, result, folder), None
        recorder.finish(result, found, ended=result.outcome is not Outcome.RUNNING)
        if replay:
            tell("replaying the dispatch in an AC power flow (pandapower)")
            replayed = _replayed(result)
            found = _found(scenario, result, folder, replayed)
        finding = further(result)
        if finding:
            found |= finding.figures
        if replay or finding:
            recorder.write_kpis(found)
        matrix = who_saw_what(folder, result.names) if recorder.keeps_messages else None
    within = CostBounds.of(scenario, result)
    return Run(result, replayed, found, folder, exit_code(result.outcome), within, matrix, recorder.kept, finding)


def _replayed(result: Result) -> AcReplay | SolverError:
    """The dispatch in the AC power flow, or why that has no solution, which takes nothing from what was found."""
    try:
        return replay_ac(result.feeder, result.dispatch)
    except SolverError as error:
        return error


def _found(
    scenario: Scenario, result: Result, folder: Path, replayed: AcReplay | SolverError | None = None
) -> dict[str, Any]:
    devices = device_indicators(result, scenario.build_households()) if result.device_schedules.names else {}
    found = {**kpis(result, replayed), **devices, "results": str(folder)}
    return {**found, "outcome": "interrupted"} if result.outcome is Outcome.RUNNING else found


def _run(
    market: EnergyMarket, recorder: Recorder, watch: Callable[[Round], None] | None, interrupted: Callable[[], bool]
) -> float:
    """Step until the market has ended or Ctrl-C was pressed; the seconds it took to save the rounds."""
    saving = 0.0
    while market.running and (recorder.relives(market.rounds + 1) or not interrupted()):  # what was done is not undone
        market.step()
        assert market.last is not None
        if recorder.relived(market.last):
            continue
        start = perf_counter()
        recorder.write(market.last)
        recorder.checkpoints.keep(market)
        saving += perf_counter() - start
        if watch:
            watch(market.last)
    return saving
