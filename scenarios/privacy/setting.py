"""One way to tell offers: exactly, rounded, or with noise; what is kept of a market in which they are told so."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..files.tree import Change
from ..sweeping.keeping import Row, keep_row, kept_row

LOGS, ROWS = "heard", "markets"
MOST = {"max_iterations": 8, "max_rounds": 200}
"""Steps and rounds of a market with inexact offers, at most: where it does not settle, more of them do not help."""


@dataclass(frozen=True, slots=True)
class Setting:
    """How offers are told, and where what it has brought is kept.

    Attributes:
        number: Its place in the experiment, from 1.
        scenario: The name or file of the scenario.
        quantum_kw, noise_kw: What powers are rounded to, and the standard deviation of their noise; 0 for neither.
        seed: Seed of the noise, added to the scenario's.
        folder: That of the experiment.
    """

    number: int
    scenario: str
    quantum_kw: float
    noise_kw: float
    seed: int
    folder: Path

    def __str__(self) -> str:
        return self.words + (f", seed {self.seed}" if self.noise_kw else "")

    @property
    def words(self) -> str:
        """How offers are told, in words."""
        if self.is_exact:
            return "exact"
        return f"steps of {self.quantum_kw:g} kW" if self.quantum_kw else f"noise of {self.noise_kw:g} kW"

    @property
    def is_exact(self) -> bool:
        """Whether powers are told as they are."""
        return not (self.quantum_kw or self.noise_kw)

    @property
    def changes(self) -> list[Change]:
        """What it changes in the scenario."""
        told = {"messages.quantum_kw": self.quantum_kw, "messages.noise_kw": self.noise_kw}
        place = "--noise" if self.noise_kw else "--quanta"
        return [Change(key, value, f"{place} {value:g}") for key, value in told.items()]

    @property
    def log(self) -> Path:
        """What the platform has heard, see `overheard`."""
        return self.folder / LOGS / f"{self.number:05d}.parquet"

    def row(self, outcome: str, message: str, exit_code: int, /) -> Row:
        """What is kept of it when it has not been run to its end."""
        return {"outcome": outcome, "message": message, "exit_code": exit_code}

    def keep(self, row: Row) -> Row:
        """Keep a row on disk, as a whole or not at all; as it will be read again."""
        return keep_row(self._file, row)

    def kept(self) -> Row | None:
        """What was kept of it; None if it has not been run."""
        return kept_row(self._file)

    @property
    def _file(self) -> Path:
        return self.folder / ROWS / f"{self.number:05d}.json"

    def told(self) -> dict[str, Any]:
        """How offers are told, as the table has it."""
        return {
            "setting": self.number,
            "messages": self.words,
            "quantum_kw": self.quantum_kw,
            "noise_kw": self.noise_kw,
            "seed": self.seed,
        }
