"""Who of the prosumers is no price taker, and what of that a proof may count."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ...agents.behaviour import Behaviour, PriceTaker, acts_otherwise
from ...network.arrays import BoolArray


@dataclass(frozen=True, slots=True)
class Conduct:
    """Who is no price taker.

    Attributes:
        behaving: Who acts on a behaviour of its own. What these regret is by what they declare and believe.
        otherwise: Who of them does not even do what is best by that. What these regret is their own affair: it says
            nothing of whether the others are at rest, and the proof leaves it out.
    """

    behaving: tuple[str, ...] = ()
    otherwise: tuple[str, ...] = ()

    @classmethod
    def of(cls, behaviours: Mapping[str, Behaviour]) -> Conduct:
        """That of some behaviours by prosumer; all others are price takers."""
        own = {name: one for name, one in behaviours.items() if type(one) is not PriceTaker}
        return cls(tuple(own), tuple(name for name, one in own.items() if acts_otherwise(one)))

    def counted(self, names: Sequence[str]) -> BoolArray:
        """Whose regrets count, (prosumer,)."""
        left_out = frozenset(self.otherwise)
        return np.array([name not in left_out for name in names], dtype=bool)

    @property
    def acts(self) -> str:
        """Who is no price taker, in words, of many the first: "p1 and p2 act on behaviours of their own", or ""."""
        if not self.behaving:
            return ""
        acts = "act on behaviours of their own" if len(self.behaving) > 1 else "acts on a behaviour of its own"
        return f"{some(self.behaving)} {acts}"

    @property
    def settled_for(self) -> str:
        """What a settled market is settled for, in words; empty where all are price takers."""
        return f"by what is declared and believed: {self.acts}" if self.behaving else ""


EVERYBODY_TAKES_PRICES = Conduct()


def some(names: Sequence[str], most: int = 3) -> str:
    """The names in a sentence; of more than so many the first, and how many more there are."""
    return listed(names if len(names) <= most else [*names[:most], f"{len(names) - most:,} more"])


def listed(names: Sequence[str]) -> str:
    """The names in a sentence."""
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
