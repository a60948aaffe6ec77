"""Inertia: to come round to new prices only by and by."""

from __future__ import annotations

from typing import Annotated

import numpy as np
from annotated_types import Gt, Le

from ...network.arrays import FloatArray
from ..behaviour import Behaviour


class Inertial(Behaviour):
    """Believes in LMPs that follow those it is told only by a part each time.

    Adaptive expectations (Nerlove, Quarterly Journal of Economics 1958). At rest it believes what it is told, so that
    it ends where a price taker does, only later.
    """

    def __init__(self, gain: Annotated[float, Gt(0), Le(1)] = 0.5) -> None:
        """Follow by this part of what is between belief and news; 1 is a price taker."""
        self.gain = gain
        self.believed: FloatArray | None = None

    def believe(self, lmp_usd_per_kwh: FloatArray) -> FloatArray:
        """The belief, moved towards the news; the first news are believed."""
        before = lmp_usd_per_kwh if self.believed is None else self.believed
        self.believed = np.asarray(before + self.gain * (lmp_usd_per_kwh - before))
        return self.believed
