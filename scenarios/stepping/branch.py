"""A branch of a session: one run, where it left another one, and what was changed there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from hashlib import sha256
from typing import Any

from ...market.rounds import Phase, Round
from ..files.scenario import Scenario

MAIN = "main"
"""The branch that a session begins with."""


@dataclass(frozen=True, slots=True)
class Branch:
    """One run of the tree.

    Attributes:
        name: Its name.
        scenario: What is run on it, with all changes.
        parent: The branch that it left; "" for the first.
        round: After which round it left that, or 0 where it begins anew.
        changes: What was changed there, by dotted key.
        note: What a person should know of how it began; empty if nothing.
    """

    name: str
    scenario: Scenario
    parent: str = ""
    round: int = 0
    changes: Mapping[str, object] | None = None
    note: str = ""

    @property
    def seed(self) -> int:
        """The seed of all its randomness."""
        return self.scenario.seed

    def __str__(self) -> str:
        if not self.parent:
            return self.name
        changed = ", ".join(f"{key}={value}" for key, value in (self.changes or {}).items()) or "nothing"
        began = f"after round {self.round}" if self.round else "begins anew"
        return f"{self.name}: {self.parent} {began}, with {changed} changed"


@dataclass(frozen=True, slots=True)
class Mark:
    """What is kept of every round: its numbers and words (see `market.rounds.Round`), and a digest of its arrays."""

    number: int
    iteration: int
    phase: Phase
    seconds: float
    primal_kw: float
    dual_usd_per_kwh: float
    dso_cost_usd: float
    outer_error: float
    regret_usd: float
    clearings: int
    elastic_clearings: int
    slowest: str
    verdict: str
    incidents: str
    sentence: str
    digest: str

    @classmethod
    def of(cls, round_: Round) -> Mark:
        """What is kept of a round."""
        cells: dict[str, Any] = {cell.name: getattr(round_, cell.name) for cell in fields(cls) if cell.name != "digest"}
        arrays = (round_.bid_kw, round_.lmp_usd_per_kwh, round_.power_kw, round_.price_usd_per_kwh)
        return cls(**cells, digest=sha256(b"".join(array.tobytes() for array in arrays)).hexdigest())
