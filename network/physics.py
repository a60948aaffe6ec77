"""By which physics the DSO clears, and when a solution of the cone relaxation counts as one of the AC equations."""

from __future__ import annotations

from enum import StrEnum

import numpy as np

from .branch_flow import ConicProgram
from .per_unit import impedances_pu
from .solver import ConicSolution

EXACT_PU = 5e-7
"""What a cone relaxation may burn in all lines together, |z| (l - (P² + Q²)/u), per unit; solvers leave 1e-8."""


class Physics(StrEnum):
    """What holds current and flow of a line together.

    - `auto`: the cone (5); where that is not exact, AC flows by successive linearisation.
    - `cone`: the cone (5) alone, the paper's relaxation.
    - `ac`: AC flows by successive linearisation in all periods.
    """

    AUTO = "auto"
    CONE = "cone"
    AC = "ac"


def burnt_pu(program: ConicProgram, solution: ConicSolution) -> float:
    """By how much currents exceed what flows need, weighed by what that does to losses and voltages, per unit."""
    feeder, columns, x = program.feeder, program.columns, solution.x
    lines = program.curved
    sending = x[columns.voltage][feeder.parent[1:][lines]] * feeder.tap[1:][lines] ** -2
    needed = (x[columns.p_flow][lines] ** 2 + x[columns.q_flow][lines] ** 2) / sending
    impedance = np.hypot(*impedances_pu(feeder))[1:][lines]
    return float(np.sum(impedance * np.abs(x[columns.current][lines] - needed)))
