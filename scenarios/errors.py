"""What is wrong with a scenario, or with its results: one sentence per problem, with file, line, key and cure."""

import errno
import os
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ..network.errors import GridbazaarError, InfeasibleError, InputError


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


def told(problems: Sequence[Problem]) -> list[str]:
    """A line for every problem, and one for those of a kind that are too many to tell."""
    lines: list[str] = []
    seen: Counter[tuple[str, str, str]] = Counter()
    for problem in problems:
        if problem.kind:
            seen[problem.kind] += 1
        if not problem.kind or seen[problem.kind] <= TOLD:
            lines.append(str(problem))
    more = [(file, column, n - TOLD) for (file, column, _), n in seen.items() if n > TOLD]
    return [*lines, *(f"{' '.join(filter(None, (file, column)))}: and {n:,} more" for file, column, n in more)]


class ScenarioError(InputError):
    """A scenario file, key or value is wrong.

    Attributes:
        problems: Everything that was found wrong, in the order of the scenario.
    """

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__(problems)
        self.problems = tuple(problems)

    def __str__(self) -> str:
        return "\n".join(told(self.problems))


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


_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO}


class UnwrittenError(GridbazaarError):
    """A file, or stdout, takes nothing (more): exit code 6 where storage gave out, 2 where a name or right is wrong."""

    def __init__(self, error: OSError) -> None:
        super().__init__(error)
        self._error = error
        self._full = storage_gave_out(error)
        self.exit_code = 6 if self._full else InputError.exit_code

    def __str__(self) -> str:
        if self._error.filename and not self._full:
            return f"{self._error.filename}: {self._error.strerror}; correct its name or its rights"
        reason = os.strerror(self._error.errno) if self._error.errno else str(self._error)
        cure = "; make room, or write elsewhere" if self._full else ""
        return f"{self._error.filename or 'the output'} cannot be written: {reason}{cure}"


class ResultsError(InputError):
    """A file of the results folder cannot be written or read: exit code 6 where storage gave out, else 2.

    Attributes:
        file: The file.
        reason: What the system says.
    """

    def __init__(self, file: Path, error: OSError) -> None:
        super().__init__(file, error)
        self.file = file
        self.reason = os.strerror(error.errno) if error.errno else str(error)
        self.exit_code = 6 if storage_gave_out(error) else InputError.exit_code

    def __str__(self) -> str:
        folder = self.file.parent
        if not folder.is_dir():
            return f"{self.file}: {self.reason}; the results folder is gone, run the scenario anew"
        if not (folder / "manifest.json").is_file():
            return f"{self.file}: {self.reason}; mend that and run the scenario anew, or name another folder with -o"
        cure = f"once that is mended, `gridbazaar run --resume {folder}` goes on after the rounds that are there"
        return f"{self.file}: {self.reason}; {cure}"


def storage_gave_out(error: OSError) -> bool:
    """Whether there is no room left, or the storage fails."""
    return error.errno in _FULL or (error.errno is None and "No space left" in str(error))


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
