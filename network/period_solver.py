"""One thread's solvers of a clearing, and what they make of one period."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from .arrays import FloatArray
from .branch_flow import ConicProgram, build_program
from .per_unit import KW_PER_PU
from .solver import ClearedPeriod, CompiledProgram, Cost


@dataclass(frozen=True, slots=True)
class BidCost:
    """What the elastic bids w of one period cost: `weight (w - target)²/2 - price w`, (bidding bus,) each."""

    price_usd_per_kwh: FloatArray
    weight_usd_per_kw2h: FloatArray
    target_kw: FloatArray

    def within(self, program: ConicProgram) -> Cost:
        """The cost of the whole program, in its units."""
        cost = Cost(program.quadratic.copy(), program.linear.copy())
        cost.quadratic[program.columns.bid] = self.weight_usd_per_kw2h * KW_PER_PU
        cost.linear[program.columns.bid] = -(self.price_usd_per_kwh + self.weight_usd_per_kw2h * self.target_kw)
        return cost


class PeriodSolver:
    """The program of a feeder in solvers of its own, and the same with shortage slack once that is needed."""

    def __init__(self, program: ConicProgram, value_of_lost_load_usd_per_kwh: float) -> None:
        self.value_of_lost_load_usd_per_kwh = value_of_lost_load_usd_per_kwh
        self._plain = CompiledProgram(program)

    def solve(
        self,
        demand_kw: FloatArray,
        demand_kvar: FloatArray,
        bid_cost: BidCost | None = None,
    ) -> ClearedPeriod:
        """The solution for the demand of every bus, (bus,), with shortage slack where there is none without.

        Look at its `solution.solved` before using it.

        Args:
            demand_kw, demand_kvar: Without elastic bids, (bus,).
            bid_cost: What the elastic bids cost, where the program has any.
        """
        plain = self._solve(self._plain, demand_kw, demand_kvar, bid_cost)
        if plain.solution.solved and self._affordable(plain):
            return plain
        return self._solve(self._with_shortage, demand_kw, demand_kvar, bid_cost)

    @staticmethod
    def _solve(
        compiled: CompiledProgram, demand_kw: FloatArray, demand_kvar: FloatArray, bid_cost: BidCost | None
    ) -> ClearedPeriod:
        program = compiled.program
        cost = None if bid_cost is None else bid_cost.within(program)
        solution = compiled.solve(program.rhs_of(demand_kw, demand_kvar), cost)
        return ClearedPeriod(program, solution, demand_kw, demand_kvar)

    def _affordable(self, period: ClearedPeriod) -> bool:
        """Whether no balance price, active or reactive, exceeds the value of lost load."""
        rows = period.program.rows
        prices = (period.solution.z[rows[f"{kind} balance"]] for kind in ("active", "reactive"))
        return all(np.max(np.abs(price)) <= self.value_of_lost_load_usd_per_kwh for price in prices)

    @cached_property
    def _with_shortage(self) -> CompiledProgram:
        plain = self._plain.program
        return CompiledProgram(build_program(plain.feeder, self.value_of_lost_load_usd_per_kwh, plain.bidding))
