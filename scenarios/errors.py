"""What is wrong with a scenario: one sentence per problem, with file, line, key and cure."""

import errno
import os
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
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


_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO}


class UnwrittenError(GridbazaarError):
    """A file, or stdout, takes nothing (more): exit code 6 where storage gave out, 2 where a name or right is wrong.

    Attributes:
        folder: The results folder, if it is one that could not be written.
    """

    def __init__(self, error: OSError, folder: Path | None = None) -> None:
        super().__init__(error, folder)
        self.folder = folder
        self._error = error
        self._full = error.errno in _FULL or (error.errno is None and "No space left" in str(error))
        self.exit_code = 6 if self._full else InputError.exit_code

    def __str__(self) -> str:
        if self._error.filename and not self._full and not self.folder:
            return f"{self._error.filename}: {self._error.strerror}; correct its name or its rights"
        where = str(self.folder or self._error.filename or "the output")
        reason = os.strerror(self._error.errno) if self._error.errno else str(self._error)
        sentence = f"{where} cannot be written: {reason}"
        if not self.folder:
            return f"{sentence}; make room, or write elsewhere" if self._full else sentence
        if not self._full:
            return f"{sentence}; name another folder with -o"
        if not (self.folder / "manifest.json").is_file():
            return f"{sentence}; make room, or name another folder with -o"
        return f"{sentence}; finished rounds are there; make room, then: gridbazaar run --resume {self.folder}"


@contextmanager
def written(folder: Path) -> Iterator[None]:
    """Say of a results folder that cannot be written that it is this one.

    Raises:
        UnwrittenError: Writing failed.
    """
    try:
        yield
    except BrokenPipeError:
        raise
    except OSError as error:
        raise UnwrittenError(error, folder) from error


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
