"""The runs of a session: what is known of each branch, its market, and how it comes to stand at a round."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ..files.tree import did_you_mean
from .branch import Branch, Mark
from .errors import SessionError
from .keyframes import Keyframes

if TYPE_CHECKING:
    from ...market.energy_market import EnergyMarket
    from ...market.hosting.backend import Backend

_OPEN = 2
"""Markets that stay open, each with its workers: that of the branch one is on, and the one before it."""


@dataclass(slots=True)
class Track:
    """What is known of a branch: the marks of its rounds from where it left its parent on, and saved states."""

    branch: Branch
    keyframes: Keyframes
    marks: list[Mark] = field(default_factory=list)

    @property
    def newest(self) -> int:
        """The last round that is known."""
        return self.marks[-1].number if self.marks else self.branch.round


class Runs:
    """All branches of a session."""

    def __init__(self, backend: Callable[[], Backend | None], memory_bytes: int) -> None:
        """Begin with none.

        Args:
            backend: Makes where the prosumers of a market live.
            memory_bytes: What saved states of all branches may take in memory.
        """
        self._backend, self._memory = backend, memory_bytes
        self._tracks: dict[str, Track] = {}
        self._open: OrderedDict[str, EnergyMarket] = OrderedDict()

    def __contains__(self, name: str) -> bool:
        return name in self._tracks

    def __iter__(self) -> Iterator[Track]:
        return iter(self._tracks.values())

    def __getitem__(self, name: str) -> Track:
        """What is known of a branch.

        Raises:
            SessionError: There is no such branch.
        """
        if name not in self._tracks:
            raise SessionError(f"there is no branch {name}{did_you_mean(name, self._tracks)}")
        return self._tracks[name]

    def opened(self, branch: Branch, keep: str = "") -> EnergyMarket:
        """The market of a branch at round 0; of others but the last one, and the one to keep, it lets go."""
        market = branch.scenario.market(backend=self._backend())
        self._open[branch.name] = market
        for other in list(self._open):
            if len(self._open) > _OPEN and other not in (branch.name, keep):
                self._open.pop(other).close()
        return market

    def add(self, branch: Branch, market: EnergyMarket) -> None:
        """Begin to keep what is known of a branch, whose market is open."""
        track = self._tracks[branch.name] = Track(branch, Keyframes(self._memory))
        for each in self._tracks.values():
            each.keyframes.hold_at_most(self._memory // len(self._tracks))
        track.keyframes.keep(market)

    def forget(self, name: str) -> None:
        """Let go of the market of a branch that has not begun after all."""
        self._open.pop(name).close()

    def market(self, name: str) -> EnergyMarket:
        """The market of the branch one is on.

        Raises:
            SessionError: The session is closed.
        """
        if name not in self._open:
            raise SessionError("the session is closed; open another one")
        return self._open[name]

    def history(self, name: str) -> list[Mark]:
        """What is known of all rounds of a branch, those before it left its parent included."""
        track = self[name]
        parent = track.branch.parent if track.branch.round else ""
        before = [mark for mark in self.history(parent) if mark.number <= track.branch.round] if parent else []
        return before + track.marks

    def position(self, place: int | str, here: str) -> tuple[str, int]:
        """The branch and round of 12, "12" (of the branch `here`), "main@12", or "main": its last known round.

        Raises:
            SessionError: There is no such place.
        """
        text = str(place)
        if isinstance(place, int) and place < 0:
            raise SessionError(f"there is no round {place}; rounds count from 1, and 0 is the beginning")
        if isinstance(place, int) or (text.isdecimal() and text not in self):
            return here, int(place)
        name, at, number = text.partition("@")
        track = self[name]
        if at and not number.isdecimal():
            raise SessionError(f"{text!r} is no place; write a round, a branch, or branch@round")
        return name, int(number) if at else track.newest

    def owner(self, name: str, round_: int) -> Track:
        """The branch on which a round of this one is: itself, or where it was before it left its parent."""
        track = self[name]
        while track.branch.parent and round_ < track.branch.round:
            track = self[track.branch.parent]
        return track

    def stand_on(self, track: Track, round_: int) -> EnergyMarket:
        """Let the market of a branch stand at its last state up to a round that is known."""
        name = track.branch.name
        market, saved = self._open.get(name), track.keyframes.at_most(round_)
        if market is not None:
            self._open.move_to_end(name)
            if market.rounds <= round_ and (saved is None or saved <= market.rounds):
                return market
        if market is None or saved is None:
            market = self._reopened(track)
        if saved is not None:
            market.restore(track.keyframes.state(saved))
        return market

    def step(self, name: str) -> None:
        """One round of a branch; marked if it is new, held against its mark if it is not.

        Raises:
            SessionError: It came out otherwise than the first time.
        """
        market = self.market(name)
        before = market.rounds
        try:
            market.step()
        except BaseException:  # also an interrupt: half of a round is none
            self._recover(name, before)
            raise
        self._note(name, market)

    def _recover(self, name: str, round_: int) -> None:
        """After a round that has failed on its way: the market of a branch as it was after the round before."""
        track = self[name]
        self._open.pop(name).close()
        market = self.stand_on(track, round_)
        while market.rounds < round_:
            market.step()

    def _note(self, name: str, market: EnergyMarket) -> None:
        """Mark a round that has just been computed, or hold it against its mark."""
        assert market.last is not None
        track, mark = self[name], Mark.of(market.last)
        place = market.rounds - track.branch.round - 1
        if place == len(track.marks):
            track.marks.append(mark)
            track.keyframes.follow(market)
        elif track.marks[place].digest != mark.digest:
            raise SessionError(
                f"round {mark.number} came out otherwise than the first time: a behaviour answers by what it does not "
                "save (see saved_state in gridbazaar.agents.Behaviour), or its file was changed; begin anew"
            )

    def close(self) -> None:
        """Let go of all markets, their workers, and of what is on disk."""
        for market in self._open.values():
            market.close()
        self._open.clear()
        for track in self._tracks.values():
            track.keyframes.close()

    def _reopened(self, track: Track) -> EnergyMarket:
        """The market of a branch at its beginning, once more."""
        branch = track.branch
        old = self._open.pop(branch.name, None)
        if old is not None:
            old.close()
        if branch.round and track.keyframes.at_most(branch.round) is None:
            raise SessionError(f"branch {branch.name} cannot be gone back to: {track.keyframes.unsaved_because}")
        return self.opened(branch)
