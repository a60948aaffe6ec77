"""The per-unit system inside the room: 1 MVA, on which the clearing is solved to full accuracy (10 MVA is not)."""

from __future__ import annotations

from math import sqrt
from typing import Protocol

from .arrays import FloatArray

KW_PER_PU = 1000.0


class Wired(Protocol):
    """What is asked of a `Feeder` here."""

    @property
    def base_kv(self) -> float:
        """Line-to-line voltage, kV."""

    @property
    def r_ohm(self) -> FloatArray:
        """Resistance of the line feeding each bus, (bus,)."""

    @property
    def x_ohm(self) -> FloatArray:
        """Reactance of it, (bus,)."""


def impedances_pu(feeder: Wired) -> tuple[FloatArray, FloatArray]:
    """Resistance and reactance of the line feeding each bus, (bus,) each, per unit; 0 for the root."""
    base_ohm = feeder.base_kv**2 * 1000.0 / KW_PER_PU
    return feeder.r_ohm / base_ohm, feeder.x_ohm / base_ohm


def amperes_per_pu(feeder: Wired) -> float:
    """Phase current of 1 pu, A."""
    return KW_PER_PU / (sqrt(3.0) * feeder.base_kv)
