"""A run of a scenario from the first round to the results folder, whatever happens on the way."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from typing import Any

from ..market.energy_market import EnergyMarket
from ..market.outcome import Outcome
from ..market.result import Result
from ..market.rounds import Round
from ..network.ac_replay import AcReplay, replay_ac
from .interrupts import interrupts
from .recorder import Recorder, new_folder
from .scenario import Scenario
from .summary import kpis

INTERRUPTED = 130
"""The exit code of a run that Ctrl-C ended, as shells have it."""
_CODES = {Outcome.SETTLED: 0, Outcome.SHORTAGE: 4, Outcome.HOUSEHOLD_SHORTAGE: 4, Outcome.RUNNING: INTERRUPTED}
_NOT_SETTLED = 3


def exit_code(outcome: Outcome) -> int:
    """What the command line ends with."""
    return _CODES.get(outcome, _NOT_SETTLED)


@dataclass(frozen=True, slots=True)
class Run:
    """What a run has left.

    Attributes:
        result: What it found, as far as it came.
        replayed: The dispatch in the AC power flow, if that was asked for.
        kpis: All of it in numbers, ready for JSON.
        folder: The results folder.
        exit_code: 0 settled, 3 not converged, 4 infeasible, 130 interrupted.
    """

    result: Result
    replayed: AcReplay | None
    kpis: dict[str, Any]
    folder: Path
    exit_code: int


def run_scenario(
    scenario: Scenario,
    name: str,
    *,
    folder: Path | None = None,
    watch: Callable[[Round], None] | None = None,
    replay: bool = False,
) -> Run:
    """Run a scenario and save it; Ctrl-C ends it after the round that is under way.

    Args:
        scenario: What is to be run.
        name: What its results are filed under.
        folder: Where to; `results/<name>/<time>` by default.
        watch: Told of every round as it is finished.
        replay: Whether to replay the dispatch in pandapower's AC power flow (extra `grid`).

    Raises:
        GridbazaarError: The scenario, or the run, cannot go on; finished rounds are in the folder.
    """
    with interrupts() as interrupted:
        recorder = Recorder(new_folder(name, folder), scenario)
        try:
            start = perf_counter()
            market = scenario.market()
            loading = perf_counter() - start - market.seconds["setup"]
            saving = _run(market, recorder, watch, interrupted)
            result = market.result()
        except BaseException as error:  # whatever ends a run, a second Ctrl-C included, stands in its manifest
            recorder.fail(str(error) or type(error).__name__)
            raise
        finally:
            recorder.close()
        result.seconds.update(loading=loading, saving=saving)
        found = _found(result, recorder.folder)
        recorder.finish(result, found)
        replayed = replay_ac(result.feeder, result.dispatch) if replay else None
        if replayed:
            found = _found(result, recorder.folder, replayed)
            recorder.finish(result, found)
    return Run(result, replayed, found, recorder.folder, exit_code(result.outcome))


def _found(result: Result, folder: Path, replayed: AcReplay | None = None) -> dict[str, Any]:
    found = {**kpis(result, replayed), "results": str(folder)}
    return {**found, "outcome": "interrupted"} if result.outcome is Outcome.RUNNING else found


def _run(
    market: EnergyMarket, recorder: Recorder, watch: Callable[[Round], None] | None, interrupted: Callable[[], bool]
) -> float:
    """Step until the market has ended or Ctrl-C was pressed; the seconds it took to save the rounds."""
    saving = 0.0
    while market.running and not interrupted():
        market.step()
        assert market.last is not None
        start = perf_counter()
        recorder.write(market.last)
        saving += perf_counter() - start
        if watch:
            watch(market.last)
    return saving
