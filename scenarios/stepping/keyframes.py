"""Where a session can go back to at once: saved states of a run, in memory up to a budget, older ones on disk."""

from __future__ import annotations

from bisect import bisect_right
from pathlib import Path
from tempfile import TemporaryDirectory

from ...market.energy_market import EnergyMarket
from ...market.hosting.plain import UnsavedError
from ...market.state import MarketState
from ...market.state_file import packed, unpacked

_EVERY_S, _EVERY = 0.25, 16
"""A state is saved when what came since the last one took so long, or so many rounds."""


class Keyframes:
    """Saved states of one branch, by round.

    A state holds numbers and text alone (`market.state_file`), and the market goes on from it with the same bits.

    Attributes:
        budget_bytes: What may be held in memory.
        unsaved_because: Why states cannot be saved, if they cannot.
    """

    def __init__(self, budget_bytes: int) -> None:
        """Begin with none; those beyond the budget go to disk, the oldest first."""
        self.budget_bytes = budget_bytes
        self._kept: dict[int, bytes | Path] = {}
        self._rounds: list[int] = []
        self._in_memory = 0
        self._since_s = 0.0
        self._folder: TemporaryDirectory[str] | None = None
        self.unsaved_because = ""

    def follow(self, market: EnergyMarket) -> None:
        """Save the state after the round that has just been computed, if that is due."""
        self._since_s += market.last.seconds if market.last else 0.0
        before = self.at_most(market.rounds)
        if before is None or self._since_s >= _EVERY_S or market.rounds - before >= _EVERY:
            self.keep(market)

    def keep(self, market: EnergyMarket) -> None:
        """Save the state as it is now."""
        if market.rounds in self._kept or self.unsaved_because:
            return
        try:
            state = market.snapshot()
        except UnsavedError as error:
            self.unsaved_because = str(error)
            return
        self.put(market.rounds, packed(state))

    def put(self, round_: int, content: bytes) -> None:
        """Take a state that is saved already."""
        self._since_s = 0.0
        self._kept[round_] = content
        self._rounds.insert(bisect_right(self._rounds, round_), round_)
        self._in_memory += len(content)
        self.hold_at_most(self.budget_bytes)

    def hold_at_most(self, budget_bytes: int) -> None:
        """Hold no more than this in memory from now on."""
        self.budget_bytes = budget_bytes
        for old in self._rounds:
            if self._in_memory <= budget_bytes:
                break
            self._to_disk(old)

    def at_most(self, round_: int) -> int | None:
        """The last round up to this one whose state is saved; None without any."""
        place = bisect_right(self._rounds, round_)
        return self._rounds[place - 1] if place else None

    def state(self, round_: int) -> MarketState:
        """The state after a round that is saved."""
        return unpacked(self.content(round_))

    def content(self, round_: int) -> bytes:
        """The same as it is saved."""
        kept = self._kept[round_]
        return kept.read_bytes() if isinstance(kept, Path) else kept

    @property
    def bytes_in_memory(self) -> int:
        """What is held in memory."""
        return self._in_memory

    def close(self) -> None:
        """Forget all of them."""
        self._kept.clear()
        self._rounds.clear()
        self._in_memory = 0
        if self._folder:
            self._folder.cleanup()

    def _to_disk(self, round_: int) -> None:
        content = self._kept[round_]
        if isinstance(content, Path):
            return
        if self._folder is None:
            self._folder = TemporaryDirectory(prefix="gridbazaar-session-")
        file = Path(self._folder.name) / f"{round_}.npz"
        file.write_bytes(content)
        self._kept[round_] = file
        self._in_memory -= len(content)
