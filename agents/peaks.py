"""Where a ledger is furthest from rest."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ..network.arrays import FloatArray


class Peak(NamedTuple):
    """The largest absolute value of an array, and where it is; 0 where the array is empty."""

    value: float
    row: int = 0
    period: int = 0

    @classmethod
    def of(cls, values: FloatArray) -> Peak:
        """Of values, (row, period)."""
        if not values.size:
            return cls(0.0)
        ends = int(np.argmax(values)), int(np.argmin(values))
        value, place = max((abs(float(values.flat[end])), -end) for end in ends)
        return cls(value, *divmod(-place, values.shape[1]))


class Peaks(NamedTuple):
    """The largest residuals of a ledger: by how much ends disagree, in kW, and powers moved, in $/kWh."""

    mismatch: Peak
    moved: Peak
