"""One check of a behaviour or of a device: a name, and what it finds or what fails."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from ...agents.behaviour_errors import BehaviourError
from ...network.errors import GridbazaarError
from .trial import Trial


class ConformanceError(AssertionError):
    """A behaviour or a device fails a check; the sentence says where and why."""


@dataclass(frozen=True, slots=True)
class Check:
    """Something that a market may count on; to be used in pytest, too.

        @pytest.mark.parametrize("check", CHECKS, ids=str)
        def test_mine(check):
            check(Mine)

    Attributes:
        name: Its name.
        find: What is found in a trial; a sentence.
        opened: The trial of what is made, in a scenario, as a prosumer's.
    """

    name: str
    find: Callable[[Any], str]
    opened: Callable[[Any, str, str], Any] = Trial.of

    def __str__(self) -> str:
        return self.name

    def __call__(self, make: Callable[[], object], scenario: str = "", prosumer: str = "") -> str:
        """What is found of a behaviour or of a device, in a sentence.

        Args:
            make: Its class, or what makes a new one.
            scenario: The scenario of the market, a name or a file; ieee33 by default, two_homes for a device.
            prosumer: Whose it is there; the first one's by default.

        Raises:
            ConformanceError: It fails.
            ScenarioError: There is no such scenario or prosumer.
        """
        return self.of(self.opened(make, scenario, prosumer))

    def of(self, trial: object) -> str:
        """What is found in a trial that serves more checks than this.

        Raises:
            ConformanceError: It fails.
        """
        try:
            return self.find(trial)
        except GridbazaarError as error:
            raise ConformanceError(str(error)) from error
        except ConformanceError:
            raise
        except Exception as error:  # what is tried is anybody's code
            raise ConformanceError(f"it raised {BehaviourError.told(error)}") from error
