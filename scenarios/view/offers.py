"""The scenarios that a person can choose from: those that come with gridbazaar, and the one that was given."""

from __future__ import annotations

from ..files.loading import load
from ..files.scenario import Scenario
from ..files.source import shipped_scenarios


class Offers:
    """Scenarios by name.

    Attributes:
        given: The name of the one that was given; "" if none was.
        names: All names, that one first.
    """

    def __init__(self, given: str = "", scenario: Scenario | None = None) -> None:
        """Offer what comes with gridbazaar, and what was given."""
        self.given, self._scenario = given, scenario
        self.names = list(dict.fromkeys([*([given] if given else []), *shipped_scenarios()]))

    def scenario(self, name: str) -> Scenario:
        """The scenario of that name.

        Raises:
            ScenarioError: Something is wrong with it.
        """
        if name == self.given and self._scenario is not None:
            return self._scenario
        return load(name)
