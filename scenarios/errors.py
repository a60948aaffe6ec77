"""What is wrong with a scenario: one sentence per problem, with file, line, key and cure."""

from collections.abc import Sequence
from dataclasses import dataclass

from ..network.errors import InfeasibleError, InputError


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong.

    Attributes:
        place: File and line, "my.yaml:41", or the option that set the value.
        key: The value, dotted: "prosumers.p2.elastic_max_kw".
        sentence: What is wrong and the cure.
    """

    place: str
    key: str
    sentence: str

    def __str__(self) -> str:
        where = " ".join(part for part in (self.place, self.key) if part)
        return f"{where}: {self.sentence}" if where else self.sentence


class ScenarioError(InputError):
    """A scenario file, key or value is wrong.

    Attributes:
        problems: Everything that was found wrong, in the order of the scenario.
    """

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__(problems)
        self.problems = tuple(problems)

    def __str__(self) -> str:
        return "\n".join(str(problem) for problem in self.problems)


class InfeasibleScenarioError(InfeasibleError):
    """A prosumer of the scenario cannot balance some period, whatever the others do.

    Attributes:
        problem: Which prosumer, where it is written, and how much is missing.
    """

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem)
        self.problem = problem

    def __str__(self) -> str:
        return str(self.problem)


def refuse(place: str, key: str, sentence: str) -> ScenarioError:
    """A scenario error with one problem."""
    return ScenarioError([Problem(place, key, sentence)])


class ReplayError(InputError):
    """A run that is resumed gives other numbers than those that it had recorded.

    Attributes:
        round: The first round that does.
    """

    def __init__(self, round_: int) -> None:
        super().__init__(round_)
        self.round = round_

    def __str__(self) -> str:
        return (
            f"the run cannot be continued: round {self.round} gives other numbers than those recorded; "
            "was a behaviour, a library or the machine changed since? Go back to what it was begun with, or run anew"
        )
