"""A match of a league: who acts how, in which case, for how many days; and what is kept of it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from ..files.tree import Change
from ..sweeping.keeping import Row, keep_row, kept_row


class Kind(StrEnum):
    """What a match is for.

    - `truth`: everybody takes prices; what all others are measured against.
    - `seat`: one prosumer acts otherwise, against truthful others.
    - `field`: every prosumer acts on a behaviour that was drawn for it.
    - `ring`: some shade so that they pay least together, by search; of one member, its best shading.
    """

    TRUTH = "truth"
    SEAT = "seat"
    FIELD = "field"
    RING = "ring"


@dataclass(frozen=True, slots=True)
class Match:
    """A match.

    Attributes:
        number: Its place in the league, from 1.
        kind: What it is for.
        scenario: The name or file of the scenario.
        parts: Into how many identical ones its prosumers are split (`sizes.split`).
        case: 1 no sharing, 2 shared centrally, 3 Algorithm 1.
        seed: Seed of the first day; each day after it has the next one.
        days: How many days are played in a row; behaviours learn from one to the next.
        behaviours: Who acts otherwise, and how; in a ring its members, with the behaviour that is searched for.
        file: Where what it has brought is kept.
    """

    number: int
    kind: Kind
    scenario: str
    parts: int
    case: int
    seed: int
    days: int
    behaviours: dict[str, str]
    file: Path

    def __str__(self) -> str:
        who = ", ".join(f"{name} {text}" for name, text in self.behaviours.items()) or "everybody truthful"
        size = f", prosumers split in {self.parts}" if self.parts > 1 else ""
        return f"Case {self.case}, {who}, seed {self.seed}{size}"

    @property
    def changes(self) -> list[Change]:
        """What it changes in the scenario before prosumers are split: the case."""
        return [Change("market.case", self.case, f"--cases {self.case}")]

    def row(self, outcome: str, message: str, exit_code: int, /) -> Row:
        """What is kept of it when it has not been played to its end."""
        return {"outcome": outcome, "message": message, "exit_code": exit_code, "days": []}

    def keep(self, row: Row) -> Row:
        """Keep a row on disk, as a whole or not at all; as it will be read again."""
        return keep_row(self.file, row)

    def kept(self) -> Row | None:
        """What was kept of it; None if it has not been played."""
        return kept_row(self.file)
