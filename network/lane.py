"""One thread's solvers of a clearing, and what they make of one period."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from .branch_flow import ConicProgram, build_program
from .conic import CompiledProgram, ConicSolution
from .feeder import FloatArray


@dataclass(frozen=True, slots=True)
class ClearedPeriod:
    """The conic solution of one period, the program it solves (with shortage slack, or without) and the demand.

    `demand_kw` and `demand_kvar` are load and bid of every bus, (bus,).
    """

    program: ConicProgram
    solution: ConicSolution
    demand_kw: FloatArray
    demand_kvar: FloatArray


class Lane:
    """The program of a feeder in solvers of its own, and the same with shortage slack once that is needed."""

    def __init__(self, program: ConicProgram, value_of_lost_load_usd_per_kwh: float) -> None:
        self.value_of_lost_load_usd_per_kwh = value_of_lost_load_usd_per_kwh
        self._plain = CompiledProgram(program)

    def solve(self, demand_kw: FloatArray, demand_kvar: FloatArray) -> ClearedPeriod:
        """The solution for the demand of every bus, (bus,), with shortage slack where there is none without.

        Look at its `solution.solved` before using it.
        """
        plain = self._solve(self._plain, demand_kw, demand_kvar)
        if plain.solution.solved and self._affordable(plain):
            return plain
        return self._solve(self._with_shortage, demand_kw, demand_kvar)

    @staticmethod
    def _solve(compiled: CompiledProgram, demand_kw: FloatArray, demand_kvar: FloatArray) -> ClearedPeriod:
        solution = compiled.solve(compiled.program.rhs_of(demand_kw, demand_kvar))
        return ClearedPeriod(compiled.program, solution, demand_kw, demand_kvar)

    def _affordable(self, period: ClearedPeriod) -> bool:
        """Whether no balance price, active or reactive, exceeds the value of lost load."""
        rows = period.program.rows
        prices = (period.solution.z[rows[f"{kind} balance"]] for kind in ("active", "reactive"))
        return all(np.max(np.abs(price)) <= self.value_of_lost_load_usd_per_kwh for price in prices)

    @cached_property
    def _with_shortage(self) -> CompiledProgram:
        feeder = self._plain.program.feeder
        return CompiledProgram(build_program(feeder, self.value_of_lost_load_usd_per_kwh))
