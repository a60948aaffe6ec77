"""Whose behaviour has failed in a market, how often, and where first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from ...agents.misdeed import Misdeed


@dataclass(frozen=True, slots=True)
class Misbehaviour:
    """What one prosumer's behaviour has failed in.

    Attributes:
        prosumer: Whose it is.
        times: How often it failed.
        excluded: Whether the prosumer has been a price taker since.
        first_round: The round in which it failed first; 0 for when it moved in.
        first: What it failed in then, and what was done about it.
    """

    prosumer: str
    times: int
    excluded: bool
    first_round: int
    first: str

    def __str__(self) -> str:
        often = "once" if self.times == 1 else f"{self.times:,} times"
        first = "" if self.times == 1 else ", first"
        where = f"in round {self.first_round}" if self.first_round else "as it moved in"
        return f"{self.prosumer} misbehaved {often}{first} {where}: {self.first}"


class MisbehaviourLog:
    """Whose behaviour has failed so far, and in what in the round under way.

    Attributes:
        so_far: Whose has, in the order in which prosumers failed first.
        misdeeds: What behaviours have failed in, in the round under way; those of moving in belong to the first.
    """

    def __init__(self, names: Sequence[str]) -> None:
        """Begin; misdeeds are told in the order of these prosumers, wherever they live."""
        self._place = {name: place for place, name in enumerate(names)}
        self.so_far: tuple[Misbehaviour, ...] = ()
        self.misdeeds: tuple[Misdeed, ...] = ()

    def forget_misdeeds(self) -> None:
        """A round has ended that was not the first."""
        self.misdeeds = ()

    def note(self, told: Sequence[Sequence[Misdeed]], in_round: int) -> None:
        """Take note of what behaviours have failed in, as each community tells it."""
        misdeeds = sorted((deed for deeds in told for deed in deeds), key=lambda deed: self._place[deed.prosumer])
        self.misdeeds += tuple(misdeeds)
        found = {one.prosumer: one for one in self.so_far}
        for deed in misdeeds:
            one = found.get(deed.prosumer) or Misbehaviour(deed.prosumer, 0, False, in_round, str(deed))
            found[deed.prosumer] = replace(one, times=one.times + 1, excluded=one.excluded or deed.excluded)
        self.so_far = tuple(found.values())
