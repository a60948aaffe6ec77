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


def counted(known: tuple[Misbehaviour, ...], misdeeds: Sequence[Misdeed], in_round: int) -> tuple[Misbehaviour, ...]:
    """What is known with what has happened in a round, in the order in which prosumers failed first."""
    found = {one.prosumer: one for one in known}
    for deed in misdeeds:
        new = Misbehaviour(deed.prosumer, 0, False, in_round, str(deed))
        one = found.setdefault(deed.prosumer, new)
        found[deed.prosumer] = replace(one, times=one.times + 1, excluded=one.excluded or deed.excluded)
    return tuple(found.values())
