"""What a league plays, on disk: so that it can go on, and another one cannot take its folder."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from ..files.loading import load
from ..sweeping.keeping import begin_plan, lasting_name

PLAN, MATCHES = "league.json", "matches"


@dataclass(frozen=True, slots=True)
class Plan:
    """What a league plays, as `league.json` has it.

    Attributes:
        scenario: The name or file of the scenario.
        behaviours: The behaviours, with their parameters.
        cases: In which cases they are played.
        days: How many days behaviours play in a row that learn.
        seeds: How often what is left to chance is played.
        draws: How many mixed fields are drawn.
        sizes: Into how many parts prosumers are split, to see what the best shading gains then; may be none.
    """

    scenario: str
    behaviours: tuple[str, ...]
    cases: tuple[int, ...] = (1, 2, 3)
    days: int = 6
    seeds: int = 3
    draws: int = 3
    sizes: tuple[int, ...] = ()

    @classmethod
    def of(cls, scenario: str, behaviours: tuple[str, ...], **options: Any) -> Plan:
        """A plan that holds from anywhere: a file is meant from here.

        Raises:
            ScenarioError: There is no such scenario.
        """
        return cls(lasting_name(scenario), behaviours, **options)

    def begin(self, folder: Path) -> None:
        """Write it into a folder, with the scenario as it is now; or see that the folder holds this very league.

        Raises:
            ScenarioError: The scenario is wrong.
            InputError: The folder holds another league, or that of a scenario that has changed since.
        """
        rows = load(self.scenario).model_dump(mode="json", by_alias=True)
        begin_plan(folder / PLAN, {**asdict(self), "rows": rows}, "a league")
        (folder / MATCHES).mkdir(exist_ok=True)
