"""What is wrong with a scenario, or with its results: one sentence per problem, with file, line, key and cure."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

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


class ResultsError(InputError):
    """A file of the results folder cannot be written or read, such as on a full disk.

    Attributes:
        file: The file.
        reason: What the system says.
    """

    def __init__(self, file: Path, reason: str) -> None:
        super().__init__(file, reason)
        self.file = file
        self.reason = reason

    def __str__(self) -> str:
        folder = self.file.parent
        if not folder.is_dir():
            return f"{self.file}: {self.reason}; the results folder is gone, run the scenario anew"
        cure = f"once that is mended, `gridbazaar run --resume {folder}` goes on after the rounds that are there"
        return f"{self.file}: {self.reason}; {cure}"


def refuse(place: str, key: str, sentence: str) -> ScenarioError:
    """A scenario error with one problem."""
    return ScenarioError([Problem(place, key, sentence)])
