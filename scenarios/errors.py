"""What is wrong with a scenario: one sentence per problem, with file, line, key and cure."""

from collections import Counter
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
        kind: The file, the column and a word: of many problems of one kind, the first few are told.
    """

    place: str
    key: str
    sentence: str
    kind: tuple[str, str, str] | None = None

    def __str__(self) -> str:
        where = " ".join(part for part in (self.place, self.key) if part)
        return f"{where}: {self.sentence}" if where else self.sentence


TOLD = 5
"""Problems of one kind that are told; the others are counted."""


class ScenarioError(InputError):
    """A scenario file, key or value is wrong.

    Attributes:
        problems: Everything that was found wrong, in the order of the scenario.
    """

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__(problems)
        self.problems = tuple(problems)

    def __str__(self) -> str:
        return "\n".join(self._lines())

    def _lines(self) -> list[str]:
        """A line for every problem, and one for those of a kind that are too many to tell."""
        lines: list[str] = []
        seen: Counter[tuple[str, str, str]] = Counter()
        for problem in self.problems:
            if problem.kind:
                seen[problem.kind] += 1
            if not problem.kind or seen[problem.kind] <= TOLD:
                lines.append(str(problem))
        more = [(file, column, n - TOLD) for (file, column, _), n in seen.items() if n > TOLD]
        return [*lines, *(f"{' '.join(filter(None, (file, column)))}: and {n:,} more" for file, column, n in more)]


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
