"""When sharing is worth an attempt at delivery: an outer step of Algorithm 2 is solved no closer than it is worth."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

_FIRST = 8
"""Rounds before the first attempt in the first outer step, and at the least in later ones."""
_LATER = 14
"""Rounds before the first attempt in later outer steps, if nobody says how far they go."""
_FALL = 0.25
"""By how much the logarithm of what is regretted falls in a round of one that goes far; less is seen in most."""
_UNREST = 2
"""The same in later ones where somebody acts otherwise than is best for it: its bids move, however close the others."""
_RATE = 0.15
"""By how much the logarithm of a regret falls in a round, before that is seen."""
_LEAST, _MOST = 2, 12
"""Rounds between two attempts."""
_STUCK = 0.9
"""A regret that is more than so many times the one of the attempt before does not fall."""
_PATIENCE = 5
"""Attempts in a row without a fall after which another clearing may help more."""


@dataclass(frozen=True, slots=True)
class Pace:
    """When the next attempt is due; a value, never changed in place.

    Attributes:
        due: In which round of the outer step.
        tried: In which the last was; 0 before the first.
        regret: What was regretted then.
        stuck: How many attempts there were since the regret fell last.
    """

    due: int
    tried: int = 0
    regret: float = np.inf
    stuck: int = 0

    @classmethod
    def of(cls, iteration: int, fall: float | None = None, *, unrest: bool = False) -> Pace:
        """At the beginning of an outer step.

        Args:
            iteration: Which, from 1.
            fall: By how many times what is regretted is to fall in a later one that goes far.
            unrest: Whether somebody acts otherwise than is best for it.
        """
        if iteration == 1:
            return cls(_FIRST)
        later = _LATER if fall is None else max(_FIRST, int(np.ceil(np.log(max(fall, 1.0)) / _FALL)))
        return cls(_UNREST if unrest else later)

    def after(self, rounds: int, regret: float, allowed: float) -> Pace:
        """After an attempt that left more regret than is allowed: the next one when that may have fallen enough."""
        known = np.isfinite(regret) and np.isfinite(self.regret)
        fell = np.log(self.regret / regret) / (rounds - self.tried) if known else _RATE
        wait = np.log(regret / allowed) / max(fell, _RATE / 4) if np.isfinite(regret) else _MOST
        stuck = self.stuck + 1 if regret > _STUCK * self.regret else 0
        return Pace(rounds + int(np.clip(np.ceil(wait), _LEAST, _MOST)), rounds, regret, stuck)

    @property
    def is_stuck(self) -> bool:
        """Whether more rounds do not help."""
        return self.stuck >= _PATIENCE
