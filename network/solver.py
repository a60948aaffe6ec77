"""A conic program compiled once into Clarabel and solved again for other data of the same pattern."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

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
_MANY, _STEP_OF_MANY = 10_000, 0.92  # columns: from there on (2,000 buses) 0.99 does so in half of all solves
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
        self._solvers = Solvers(program, sp.csc_array(sp.diags_array(program.quadratic)), program.matrix)

    def solve(self, rhs: FloatArray, cost: Cost | None = None) -> ConicSolution:
        """The solution for a right-hand side, (row,), and another cost if given; see that it is `solved`."""
        if cost is None:
            return self._solvers.solve(b=rhs)
        return self._solvers.solve(P=sp.csc_array(sp.diags_array(cost.quadratic)), q=cost.linear, b=rhs)


class Solvers:
    """Clarabel on data of one pattern: a quick solver, and more and more careful ones for what that does not solve."""

    def __init__(self, program: ConicProgram, quadratic: sp.csc_array, matrix: sp.csc_array) -> None:
        """Set up the quick one.

        Args:
            program: What is solved.
            quadratic: P, diagonal.
            matrix: A.
        """
        self._program, self._quadratic, self._matrix = program, quadratic, matrix
        self._quick = self._open()

    def solve(self, **data: Any) -> ConicSolution:
        """The solution for other data (b, and P, q, A as far as they are given)."""
        found = _solution(self._quick, data)
        if found.status in ("Solved", "PrimalInfeasible"):  # a certificate is not found more carefully
            return found
        for careful in self._careful:
            found = _solution(careful, data)
            if found.solved:
                break
        return found

    @cached_property
    def _careful(self) -> list[clarabel.DefaultSolver]:
        return [self._open(step) for step in _CAREFUL_STEPS]

    def _open(self, careful_step: float | None = None) -> clarabel.DefaultSolver:
        settings, program = _settings(), self._program
        settings.iterative_refinement_enable = careful_step is not None
        if careful_step or program.linear.size > _MANY:
            settings.max_step_fraction = careful_step or _STEP_OF_MANY
        given = self._quadratic, program.linear, self._matrix, program.rhs
        return clarabel.DefaultSolver(*given, _cones(program), settings)


def _solution(solver: clarabel.DefaultSolver, data: dict[str, Any]) -> ConicSolution:
    solver.update(**data)
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
