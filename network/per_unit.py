"""The per-unit system inside the room: voltages on the nominal one of each bus, powers on a base that fits the feeder.

Clarabel works to a given number of digits, so that numbers should be of the size of 1: 10 MVA for a feeder of some MW
or 1 MVA for one of some kW are not solved to full accuracy.
"""

from __future__ import annotations

from math import floor, log10, sqrt
from typing import Protocol

import numpy as np

from .arrays import BoolArray, FloatArray, IntArray

_LEAST, _MOST = 0.02, 0.25
"""What a feeder counts as carrying, whatever its nominal loads, as parts of its strength V² / z; no more can flow."""
_USUAL_KW = 1000.0
NEGLIGIBLE_PU = 1e-6
"""What solvers leave of nothing, of the power base."""
COUPLER_PU = 1e-8
"""A line of no more impedance than this is a coupler: what it loses, and by how much the voltage drops for that, is
below what a solver can see."""


class Wired(Protocol):
    """What is asked of a `Feeder` here."""

    @property
    def base_kw(self) -> float:
        """What 1 pu of power is, kW."""

    @property
    def line_kv(self) -> FloatArray:
        """Nominal voltage that the line feeding each bus is told on, kV, (bus,)."""

    @property
    def parent(self) -> IntArray:
        """Index of the bus one step nearer to the root, -1 for the root."""

    @property
    def r_ohm(self) -> FloatArray:
        """Resistance of the line feeding each bus, (bus,)."""

    @property
    def x_ohm(self) -> FloatArray:
        """Reactance of it, (bus,)."""

    @property
    def b_us(self) -> FloatArray:
        """Charging susceptance of it, (bus,)."""

    @property
    def p_kw(self) -> FloatArray:
        """Nominal active load, (bus,)."""

    @property
    def q_kvar(self) -> FloatArray:
        """Nominal reactive load, (bus,)."""


def power_base_kw(feeder: Wired) -> float:
    """A power of ten below what the feeder is for: its nominal load, between two parts of its strength."""
    along = np.hypot(feeder.r_ohm, feeder.x_ohm) / feeder.line_kv**2
    for n in range(1, along.size):
        along[n] += along[feeder.parent[n]]
    weakest = float(along.max(initial=0.0))  # to the electrically farthest bus, 1/MVA
    strength = 1000.0 / weakest if weakest > 0 else 0.0
    size = max(float(np.hypot(feeder.p_kw, feeder.q_kvar).sum()), _LEAST * strength)
    size = min(size, _MOST * strength) if strength else size
    return float(10.0 ** floor(log10(size))) if size > 0 else _USUAL_KW


def negligible_kw(feeder: Wired) -> float:
    """Shortage slack up to here is the solver's, not a shortage, kW."""
    return NEGLIGIBLE_PU * feeder.base_kw


def step_kw(feeder: Wired) -> float:
    """To what cures are rounded, kW, kvar or A: a tenth, and finer on a small feeder."""
    return min(0.1, 1e-3 * feeder.base_kw)


def at_limit_kw(feeder: Wired) -> float:
    """How near to its limit a generator is at it, kW."""
    return min(1e-2, 1e-5 * feeder.base_kw)


def impedances_pu(feeder: Wired) -> tuple[FloatArray, FloatArray]:
    """Resistance and reactance of the line feeding each bus, (bus,) each, per unit; 0 for the root."""
    base_ohm = feeder.line_kv**2 * 1000.0 / feeder.base_kw
    return feeder.r_ohm / base_ohm, feeder.x_ohm / base_ohm


def charging_pu(feeder: Wired) -> FloatArray:
    """Susceptance at each bus, half of that of each line that ends there, (bus,), per unit."""
    half = 0.5e-6 * feeder.b_us * feeder.line_kv**2 * 1000.0 / feeder.base_kw
    at_bus = half.copy()
    np.add.at(at_bus, feeder.parent[1:], half[1:])
    return at_bus


def amperes_per_pu(feeder: Wired) -> FloatArray:
    """Phase current of 1 pu in the line feeding each bus, (bus,), A."""
    return np.asarray(feeder.base_kw / (sqrt(3.0) * feeder.line_kv))


def is_coupler(feeder: Wired) -> BoolArray:
    """Whether the line feeding each bus has next to no impedance, (bus,); the root has no line."""
    joined = np.hypot(*impedances_pu(feeder)) <= COUPLER_PU
    joined[0] = False
    return joined
