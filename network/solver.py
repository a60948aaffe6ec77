"""A conic program compiled once into Clarabel and solved again for other right-hand sides."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import clarabel
import numpy as np
import scipy.sparse as sp

from .arrays import FloatArray
from .branch_flow import CONE_ROWS, ConicProgram

# Clarabel's default accuracy, 1e-8, leaves cone gaps of 4e-7 pu; one iteration more leaves 2e-8.
TOLERANCE = 1e-9
# What Clarabel calls AlmostSolved: good to its own default accuracy, so it is as good as solved.
REDUCED_TOLERANCE = 1e-8
_CAREFUL_STEPS = (0.95, 0.8)  # Clarabel's own 0.99 can end without progress close to the surface of a cone
_SOLVED = ("Solved", "AlmostSolved")


@dataclass(frozen=True, slots=True)
class ConicSolution:
    """Where Clarabel stopped: x (column,), s and z (row,), and its word for how it ended.

    `s` and `z` complement each other at an interior point, which is what exact slopes of the prices are made from.
    """

    x: FloatArray
    s: FloatArray
    z: FloatArray
    status: str

    @property
    def solved(self) -> bool:
        """Whether the solution holds to `REDUCED_TOLERANCE` or better."""
        return self.status in _SOLVED


@dataclass(frozen=True, slots=True)
class ClearedPeriod:
    """The conic solution of one period, the program it solves (with shortage slack, or without) and the demand.

    `demand_kw` and `demand_kvar` are load and bid of every bus, (bus,); elastic bids are not in them.
    """

    program: ConicProgram
    solution: ConicSolution
    demand_kw: FloatArray
    demand_kvar: FloatArray


@dataclass(frozen=True, slots=True)
class Cost:
    """The diagonal of P and q, (column,); P may have no more entries than the program was compiled with."""

    quadratic: FloatArray
    linear: FloatArray


class CompiledProgram:
    """A `ConicProgram` in one Clarabel solver, and in others, more and more careful, for what the first does not solve.

    Clarabel's iterative refinement takes nearly half of its time on programs of this size and rarely changes a digit,
    so the first solver goes without; its answer counts only when it holds to full accuracy.

    The answer depends on the program and on what is asked, never on what was solved before: the solvers are always set
    up with the feeder's nominal loads, and Clarabel starts every solve afresh.
    """

    def __init__(self, program: ConicProgram) -> None:
        self.program = program
        self._quick = _solver(program)

    def solve(self, rhs: FloatArray, cost: Cost | None = None) -> ConicSolution:
        """The solution for a right-hand side, (row,), and another cost if given; see that it is `solved`."""
        found = _solution(self._quick, rhs, cost)
        if found.status == "Solved":
            return found
        for careful in self._careful:
            found = _solution(careful, rhs, cost)
            if found.solved:
                break
        return found

    @cached_property
    def _careful(self) -> list[clarabel.DefaultSolver]:
        return [_solver(self.program, step) for step in _CAREFUL_STEPS]


def _solver(program: ConicProgram, careful_step: float | None = None) -> clarabel.DefaultSolver:
    quadratic = sp.csc_array(sp.diags_array(program.quadratic))
    settings = _settings()
    settings.iterative_refinement_enable = careful_step is not None
    settings.max_step_fraction = careful_step or settings.max_step_fraction
    return clarabel.DefaultSolver(quadratic, program.linear, program.matrix, program.rhs, _cones(program), settings)


def _solution(solver: clarabel.DefaultSolver, rhs: FloatArray, cost: Cost | None) -> ConicSolution:
    if cost is None:
        solver.update(b=rhs)
    else:
        solver.update(P=sp.csc_array(sp.diags_array(cost.quadratic)), q=cost.linear, b=rhs)
    found = solver.solve()
    return ConicSolution(np.array(found.x), np.array(found.s), np.array(found.z), str(found.status))


def _cones(program: ConicProgram) -> list[object]:
    cones: list[object] = []
    for block in program.blocks:
        if not block.rhs.size:
            continue
        if block.cone == "zero":
            cones.append(clarabel.ZeroConeT(block.rhs.size))
        elif block.cone == "nonnegative":
            cones.append(clarabel.NonnegativeConeT(block.rhs.size))
        else:
            cones.extend(clarabel.SecondOrderConeT(CONE_ROWS) for _ in range(block.rhs.size // CONE_ROWS))
    return cones


def _settings() -> clarabel.DefaultSettings:
    settings = clarabel.DefaultSettings()
    settings.verbose = False
    settings.presolve_enable = False  # `update` needs the rows as they were given
    settings.max_threads = 1
    settings.tol_gap_abs = settings.tol_gap_rel = settings.tol_feas = TOLERANCE
    settings.reduced_tol_gap_abs = settings.reduced_tol_gap_rel = settings.reduced_tol_feas = REDUCED_TOLERANCE
    return settings
