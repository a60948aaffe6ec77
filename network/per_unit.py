"""The per-unit system inside the room: 1 MVA, on which the clearing is solved to full accuracy (10 MVA is not)."""

from __future__ import annotations

from math import sqrt

from .feeder import Feeder, FloatArray

KW_PER_PU = 1000.0


def impedances_pu(feeder: Feeder) -> tuple[FloatArray, FloatArray]:
    """Resistance and reactance of the line feeding each bus, (bus,) each, per unit; 0 for the root."""
    base_ohm = feeder.base_kv**2 * 1000.0 / KW_PER_PU
    return feeder.r_ohm / base_ohm, feeder.x_ohm / base_ohm


def amperes_per_pu(feeder: Feeder) -> float:
    """Phase current of 1 pu, A."""
    return KW_PER_PU / (sqrt(3.0) * feeder.base_kv)
