"""What methods with a curve remember."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from ...network.arrays import FloatArray, IntArray
from ...network.near_limits import NearLimits


@dataclass(frozen=True, slots=True, eq=False)
class CurveState:
    """What a curve goes through; a value, never changed in place.

    Attributes:
        reference_kw: The reference bids, (prosumer, period).
        lmp_usd_per_kwh: The LMPs there, (prosumer, period).
        value_usd: V there, (period,).
        slopes: What the method remembers of slopes.
    """

    reference_kw: FloatArray
    lmp_usd_per_kwh: FloatArray
    value_usd: FloatArray
    slopes: Any


@dataclass(frozen=True, slots=True, eq=False)
class NewtonSlopes:
    """What the method remembers beside the reference; a value, never changed in place.

    Attributes:
        slope_root: R, how LMPs follow bids, (period, bus, rank), see `PriceCurve`.
        limits: Where these end.
        refusals: How often bids were refused in each period, (period,).
        best: The least regret so far, as a fraction of the turnover.
        since: Clearings since the certificate halved last.
    """

    slope_root: FloatArray
    limits: NearLimits
    refusals: IntArray
    best: float = np.inf
    since: int = 0
