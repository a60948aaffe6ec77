"""Whose turn it is: pairs and bids change when what they were quoted last has been answered, and not before."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from ..network.arrays import BoolArray, IntArray

NEVER = -1
"""The round of a quote that nobody has answered yet."""


@dataclass(frozen=True, slots=True, eq=False)
class UpdateGate:
    """When each of some things changed last, in rounds since the DSO's announcement; a value, never changed in place.

    Attributes:
        quoted_from: The first round whose quotes tell of the last change, (thing,).
        had_one: Which have changed at all, (thing,).
        seen: Which have not changed since somebody looked, (thing,).
    """

    quoted_from: IntArray
    had_one: BoolArray
    seen: BoolArray

    @classmethod
    def closed(cls, count: int) -> UpdateGate:
        """Begin with so many things, none of which has changed."""
        return cls(np.zeros(count, dtype=np.intp), np.zeros(count, dtype=bool), np.ones(count, dtype=bool))

    def take(self, answered: IntArray, now: int) -> tuple[BoolArray, UpdateGate]:
        """Which may change now: those of which all that was quoted since the last change has been answered.

        Args:
            answered: In which round it was quoted what was answered last, by the end that is behind, (thing,).
            now: The round that is about to end.

        Returns:
            Which, (thing,), and the gate after they have.
        """
        fresh = np.asarray(answered >= self.quoted_from)
        return fresh, UpdateGate(np.where(fresh, now + 1, self.quoted_from), self.had_one | fresh, self.seen & ~fresh)

    def took(self, now: int) -> BoolArray:
        """Which have changed in this round, (thing,)."""
        return np.asarray(self.quoted_from == now + 1)

    @property
    def all_have_had_one(self) -> bool:
        """Whether each has changed at least once."""
        return bool(self.had_one.all())

    @property
    def changed(self) -> BoolArray:
        """Which have changed since the last look, (thing,)."""
        return ~self.seen

    def looked(self) -> UpdateGate:
        """The gate after somebody has looked at what has changed."""
        return replace(self, seen=np.ones_like(self.seen))
