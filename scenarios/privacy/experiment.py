"""What messages give away, and what it costs to tell less: a market for each way to tell offers, side by side.

found = gb.measure_privacy("ieee33", quanta_kw=[1, 10], folder="results/privacy")
found.frame[["messages", "prosumer", "alpha_error", "load_error", "welfare_cost_usd"]]
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ...market.settings import Case
from ..errors import refuse
from ..files.loading import load
from ..runs.run import INTERRUPTED, exit_code_of_many
from ..sweeping.keeping import Row, begin_plan, folder_of_many, lasting_name
from ..sweeping.pool import run_missing
from .setting import LOGS, ROWS, Setting
from .tables import table
from .trial import run_setting, scenario_of

if TYPE_CHECKING:
    import pandas as pd

PLAN = "privacy.json"
_FORM = 2  # of the rows that are kept; those of another form are another measurement's
Told = Callable[[Setting, Row], None]


@dataclass(frozen=True, slots=True)
class Plan:
    """What is measured, as `privacy.json` has it.

    Attributes:
        scenario: The name or file of the scenario.
        quanta_kw, noise_kw: What offered powers are rounded to, and the noise on them, each in a market of its own;
            exact ones are always there.
        seeds: How often each noise is drawn.
    """

    scenario: str
    quanta_kw: tuple[float, ...]
    noise_kw: tuple[float, ...]
    seeds: int = 3

    @classmethod
    def of(cls, scenario: str, quanta_kw: Sequence[float], noise_kw: Sequence[float], seeds: int) -> Plan:
        """A plan that holds from anywhere: a file is meant from here. Each number counts once, and 0 is exact.

        Raises:
            ScenarioError: There is no such scenario.
        """
        quanta, noise = (tuple(sorted({float(kw) for kw in some if kw})) for some in (quanta_kw, noise_kw))
        return cls(lasting_name(scenario), quanta, noise, seeds)

    def settings(self, folder: Path) -> list[Setting]:
        """All ways in which offers are told, the exact one first; what is wrong with any is told before one runs.

        Raises:
            ScenarioError: The scenario is wrong, or offers cannot be heard, rounded or noisy in it.
        """
        ways = [(0.0, 0.0, 0), *((kw, 0.0, 0) for kw in self.quanta_kw)]
        ways += [(0.0, kw, seed) for kw in self.noise_kw for seed in range(self.seeds)]
        settings = [Setting(number, self.scenario, *way, folder) for number, way in enumerate(ways, start=1)]
        exact = scenario_of(settings[0])
        exact.check_is_one_market()
        if exact.settings.case is Case.CENTRAL:
            sentence = "in case 2 a planner is told everything, and nobody exchanges offers; take case 1 or 3"
            raise refuse(self.scenario, "market.case", sentence)
        for setting in settings[1:]:
            scenario_of(setting)
        return settings


@dataclass(frozen=True, slots=True)
class Privacy:
    """What an experiment has found.

    Attributes:
        folder: Where it is saved: what was heard in `heard/`, what came of each market in `markets/`, `privacy.csv`.
        plan: What it measures.
        frame: One row for each listener and prosumer in each market, see `tables.table`.
        interrupted: Whether it was stopped before all markets had ended.
    """

    folder: Path
    plan: Plan
    frame: pd.DataFrame
    interrupted: bool

    @property
    def exit_code(self) -> int:
        """That of the market with exact offers: what inexact ones do not settle is a finding; 130 if interrupted."""
        if self.interrupted:
            return INTERRUPTED
        exact = self.frame[self.frame["setting"] == 1]
        return exit_code_of_many(exact["outcome"], interrupted=False)


def measure_privacy(
    scenario: str,
    quanta_kw: Sequence[float] = (0.1, 1.0, 10.0),
    noise_kw: Sequence[float] = (0.1, 1.0, 10.0),
    folder: Path | str | None = None,
    processes: int = 0,
    seeds: int = 3,
) -> Privacy:
    """Measure privacy; in a folder that holds this experiment already, only the markets that are missing are run.

    Args:
        scenario: A name from `shipped_scenarios`, or a file.
        quanta_kw, noise_kw, seeds: As `Plan` has them.
        folder: Where all is saved; `results/<scenario>-privacy/<time>` by default.
        processes: How many markets run side by side; 0: in this process, one after the other.

    Raises:
        ScenarioError: The scenario is wrong, or offers cannot be heard, rounded or noisy in it.
        InputError: The folder holds something else.
    """
    plan = Plan.of(scenario, quanta_kw, noise_kw, seeds)
    return run_plan(plan, folder_for(plan, Path(folder) if folder else None), processes)


def folder_for(plan: Plan, folder: Path | None) -> Path:
    """The folder of an experiment: a new one, or one that holds an experiment already.

    Raises:
        ScenarioError: The scenario is wrong.
        InputError: The folder holds something else.
    """
    plan.settings(Path())  # what is wrong is told before a folder is made
    return folder_of_many(plan.scenario, "privacy", PLAN, folder)


def run_plan(plan: Plan, folder: Path, processes: int, watch: Callable[[list[Setting]], Told] | None = None) -> Privacy:
    """Run the markets of a plan that are missing, and write the table of all.

    Args:
        plan: What is measured.
        folder: Where it is saved.
        processes: As in `measure_privacy`.
        watch: Told of all markets before they begin; it gives what is told of each that has ended.

    Raises:
        ScenarioError: The scenario is wrong.
        InputError: The folder holds another experiment.
    """
    settings = plan.settings(folder)
    rows_now = load(plan.scenario).model_dump(mode="json", by_alias=True)
    begin_plan(folder / PLAN, {**asdict(plan), "form": _FORM, "rows": rows_now}, "a measurement")
    for name in (LOGS, ROWS):
        (folder / name).mkdir(exist_ok=True)
    rows = {setting.number: row for setting in settings if (row := setting.kept())}
    interrupted = False
    try:
        interrupted = run_missing(settings, rows, processes, watch, run_setting)
    finally:
        frame = table(settings, rows)
        frame.to_csv(folder / "privacy.csv", index=False)
    return Privacy(folder, plan, frame, interrupted)
