"""Whose turn it is: pairs and bids change when what they were quoted last has been answered, and not before."""

import numpy as np

from .arrays import BoolArray, IntArray

NEVER = -1
"""The round of a quote that nobody has answered yet."""


class UpdateGate:
    """When each of some things changed last, in rounds since the DSO's announcement."""

    def __init__(self, count: int) -> None:
        """Begin with none that has changed."""
        self._quoted_from = np.zeros(count, dtype=np.intp)  # the first round whose quotes tell of the last change
        self._had_one, self._seen = np.zeros(count, dtype=bool), np.ones(count, dtype=bool)

    def take(self, answered: IntArray, now: int) -> BoolArray:
        """Which of them may change now: those of which all that was quoted since the last change has been answered.

        Args:
            answered: In which round it was quoted what was answered last, by the end that is behind.
            now: The round that is about to end.
        """
        fresh = np.asarray(answered >= self._quoted_from)
        self._quoted_from[fresh] = now + 1
        self._had_one |= fresh
        self._seen &= ~fresh
        return fresh

    @property
    def all_have_had_one(self) -> bool:
        """Whether each has changed at least once."""
        return bool(self._had_one.all())

    def since_last_look(self) -> BoolArray:
        """Which have changed since this was asked last."""
        changed = ~self._seen
        self._seen[:] = True
        return changed
