"""What is kept of a run so that it can be continued: what communities answered, and communities as they were saved.

Everything else that a market knows follows from these answers: a run is continued by living through it once more, with
the answers of the diary in the place of the communities, until the diary ends.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from ...agents.arrays import FloatArray
from ...network.errors import InputError

_NAME = re.compile(r"(\d+)-(\d+)of(\d+)\.npz")


class ReplayError(InputError):
    """Living through a diary gives other numbers than those that stand in it.

    Attributes:
        where: What differs.
    """

    def __init__(self, where: str) -> None:
        super().__init__(where)
        self.where = where

    def __str__(self) -> str:
        return (
            f"the run cannot be continued: {self.where} gives other numbers than those recorded; "
            "was a behaviour, a library or the machine changed since? Go back to what it was begun with, or run anew"
        )


@dataclass(frozen=True)
class Diary:
    """The diary of a run.

    Attributes:
        folder: Where communities are saved.
        note: Told of every answer: number of the call, verb, and the fields of the message in one array.
        past: What was answered before, by the number of the call: verb and array.
        saved_at: After which call communities were saved last; 0 if they never were.
        saved: The files of these.
    """

    folder: Path
    note: Callable[[int, str, FloatArray], None]
    past: Mapping[int, tuple[str, FloatArray]] = field(default_factory=dict)
    saved_at: int = 0
    saved: tuple[Path, ...] = ()


def saved_name(call: int, community: int, communities: int) -> str:
    """The file name of a community saved after a call."""
    return f"{call}-{community}of{communities}.npz"


def newest_saved(folder: Path, at_most: int) -> tuple[int, tuple[Path, ...]]:
    """The newest complete set of saved communities after no later call than this; (0, ()) without any."""
    sets: dict[tuple[int, int], list[Path]] = {}
    for path in sorted(folder.glob("*.npz")):
        match = _NAME.fullmatch(path.name)
        if match and int(match[1]) <= at_most:
            sets.setdefault((int(match[1]), int(match[3])), []).append(path)
    whole = [(call, tuple(paths)) for (call, count), paths in sets.items() if len(paths) == count]
    return max(whole, default=(0, ()))
