"""Checkpoints of a run: from the newest one it goes on with the same bits, here or on any number of workers."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from time import monotonic

from ..network.errors import InputError
from .hosting.checkpoint import CommunitiesState
from .hosting.files import write_whole
from .hosting.plain import UnsavedError
from .lifecycle import Lifecycle
from .state import MarketState
from .state_file import packed, unpacked

_EVERY_S = 1.0
_SHARE = 20.0  # as many times as long as a checkpoint takes, nothing is saved after it
_MARKET = re.compile(r"(\d+)\.npz")
_COMMUNITY = re.compile(r"(\d+)-(\d+)of(\d+)\.npz")


class Checkpoints:
    """A folder where a run is saved now and then.

    What prosumers remember stands in files of their own, each written by the process that they live in; what the
    market remembers in one beside them.

    Attributes:
        folder: The folder.
    """

    def __init__(self, folder: Path) -> None:
        """Use this folder; it is made when something is saved."""
        self.folder = folder.resolve()  # workers may have another working directory
        self._last, self._every_s = monotonic(), _EVERY_S

    def keep(self, market: Lifecycle) -> None:
        """Save a market if that is due, and if it can be saved."""
        start = monotonic()
        if start - self._last < self._every_s or market.communities.unsaved_because:
            return
        try:
            self.save(market)
        except UnsavedError as error:
            market.communities.unsaved_because = str(error)
        self._last = monotonic()
        self._every_s = max(_EVERY_S, _SHARE * (self._last - start))

    def save(self, market: Lifecycle) -> None:
        """Save a market between two rounds; older checkpoints go.

        Raises:
            UnsavedError: A behaviour remembers what cannot be kept, or the disk is full.
        """
        try:
            self.folder.mkdir(exist_ok=True)
        except OSError as error:
            raise UnsavedError(f"the run cannot be saved in {self.folder}: {error.strerror}") from error
        before = set(self.folder.glob("*.npz"))
        files = market.communities.save(self.folder, str(market.rounds))
        whole = self.folder / f"{market.rounds}.npz"
        state = replace(market.snapshot(prosumers=False), communities=CommunitiesState(market.communities.calls, ()))
        write_whole(whole, packed(state))
        for old in before.difference(files, {whole}):
            old.unlink(missing_ok=True)

    def newest(self, at_most: int) -> MarketState | None:
        """The newest complete checkpoint after no later round than this; None without any.

        Raises:
            InputError: Its file is damaged, or of another version.
        """
        found = [int(match[1]) for path in self.folder.glob("*.npz") if (match := _MARKET.fullmatch(path.name))]
        for rounds in sorted((number for number in found if number <= at_most), reverse=True):
            saved = self._communities(rounds)
            if saved:
                state = _read(self.folder / f"{rounds}.npz")
                assert state.communities is not None
                return replace(state, communities=replace(state.communities, saved=saved))
        return None

    def _communities(self, rounds: int) -> tuple[bytes, ...]:
        """What all prosumers remembered after a round; empty if that is not complete."""
        matches = [(path, _COMMUNITY.fullmatch(path.name)) for path in sorted(self.folder.glob(f"{rounds}-*.npz"))]
        files = [(path, int(match[3])) for path, match in matches if match]
        complete = bool(files) and len(files) == files[0][1]
        return tuple(path.read_bytes() for path, _ in files) if complete else ()


def _read(file: Path) -> MarketState:
    """The state of a market in a file."""
    try:
        return unpacked(file.read_bytes())
    except InputError as error:
        raise InputError(f"{file}: {error}; remove {file.parent}, and the run goes on from its first round") from error
