"""Whose limits LMPs jump at: those of the one generator that follows the demand of a period."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .arrays import BoolArray, FloatArray, IntArray
from .branch_flow import ConicProgram


@dataclass(frozen=True, slots=True, eq=False)
class Machines:
    """The generators of a program, and which of its limits are theirs.

    While several generators follow the demand, slopes change where one of them comes to a limit, and that is all. Where
    a single one does, LMPs jump there: to the next one's cost, or to the value of lost load where there is none. So it
    is with a root that takes nothing back: where the sun exceeds the demand, LMPs may be anything below its cost.

    Attributes:
        of_limit: Whose each limit is, -1 for those of lines and buses, (limit,).
        is_steep: Whose cost is not linear, (generator,): of the others several have no slopes together.
        is_free: Who has a choice, (generator,).
    """

    of_limit: IntArray
    is_steep: BoolArray
    is_free: BoolArray

    @classmethod
    def of(cls, program: ConicProgram, limited: IntArray) -> Machines:
        """Those of a program, of which these columns are limited, (limit,)."""
        columns = program.columns.p_gen
        within = (limited >= columns.start) & (limited < columns.stop)
        fixed = next(block.index for block in program.blocks if block.name == "p_gen fixed")
        free = np.ones(columns.stop - columns.start, dtype=bool)
        free[fixed] = False
        return cls(np.where(within, limited - columns.start, -1), program.quadratic[columns] > 0, free)

    def apart(self, s: FloatArray, z: FloatArray) -> BoolArray:
        """Which limits are kept apart from the slopes, (limit,), at these distances and multipliers, (limit,) each."""
        of_machines = self.of_limit >= 0
        stands = self.is_free.copy()
        stands[self.of_limit[of_machines & (z > s)]] = False
        following = np.flatnonzero(stands)
        if following.size == 0:  # all stand at a limit, and whoever leaves its own first follows
            stands = self.is_free & (self.is_steep | (self.is_free.sum() == 1))
        elif following.size > 1:
            stands[:] = False
        return ~of_machines | stands[self.of_limit]
