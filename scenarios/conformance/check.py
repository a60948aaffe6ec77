"""One check of a behaviour: a name, and what it finds or what fails."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from ...agents.behaviour import Behaviour
from ...network.errors import GridbazaarError
from .trial import Trial


class ConformanceError(AssertionError):
    """A behaviour fails a check; the sentence says where and why."""


@dataclass(frozen=True, slots=True)
class Check:
    """Something that a market may count on; to be used in pytest, too.

        @pytest.mark.parametrize("check", CHECKS, ids=str)
        def test_mine(check):
            check(Mine)

    Attributes:
        name: Its name.
        find: What is found in a trial; a sentence.
    """

    name: str
    find: Callable[[Trial], str]

    def __str__(self) -> str:
        return self.name

    def __call__(self, make: Callable[[], Behaviour], scenario: str = "ieee33", prosumer: str = "") -> str:
        """What is found of a behaviour, in a sentence.

        Args:
            make: Its class, or what makes a new one.
            scenario: The scenario of the market, a name or a file.
            prosumer: Whose behaviour it is there; the first one's by default.

        Raises:
            ConformanceError: It fails.
            ScenarioError: There is no such scenario or prosumer.
        """
        return self.of(Trial.of(make, scenario, prosumer))

    def of(self, trial: Trial) -> str:
        """What is found in a trial that serves more checks than this.

        Raises:
            ConformanceError: The behaviour fails.
        """
        try:
            return self.find(trial)
        except GridbazaarError as error:
            raise ConformanceError(str(error)) from error
