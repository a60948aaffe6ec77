"""What clearing a period came to."""

from __future__ import annotations

from dataclasses import dataclass

from .arrays import FloatArray
from .branch_flow import ConicProgram, PowerLimits
from .solver import ConicSolution
from .tangent import Tangent


@dataclass(frozen=True, slots=True)
class ClearedPeriod:
    """The solution of one period, the program it solves (with shortage slack, or without) and what it was given.

    Attributes:
        program: The program.
        solution: Its solution.
        demand_kw, demand_kvar: Load and bid of every bus, (bus,); elastic bids are not in them.
        limits: What generators could do.
        tangent: The tangent in its last round, where the period was solved along tangents: then it is a local optimum.
        exact: Whether the solution is one of the AC equations.
    """

    program: ConicProgram
    solution: ConicSolution
    demand_kw: FloatArray
    demand_kvar: FloatArray
    limits: PowerLimits
    tangent: Tangent | None
    exact: bool
