"""One thread's solvers of a clearing, and what they make of one period."""

from __future__ import annotations

from dataclasses import dataclass, replace
from threading import Lock

import numpy as np

from .ac_flow import RadialFlow
from .arrays import FloatArray, IntArray
from .branch_flow import Columns, ConicProgram, PowerLimits, build_program
from .cleared_period import ClearedPeriod
from .feeder import Feeder
from .linearised import LinearisedProgram
from .per_unit import impedances_pu, is_coupler, negligible_kw
from .physics import Physics
from .solver import CompiledProgram, ConicSolution, Cost
from .tangent import Tangent

_EXACT_PU = 3e-8, 5e-7
"""What a cone relaxation may burn in all lines together, |z| (l - (P² + Q²)/u), per unit: exact if voltages
follow from the flows; not exact."""
_VOLTAGE_PU = 5e-7
"""By how much (4) may be missed, on all lines together, where that is enough; else voltages may differ by so much from
those of the AC flow."""


@dataclass(frozen=True, slots=True)
class BidCost:
    """What the elastic bids w of one period cost: `weight (w - target)²/2 - price w`, (bidding bus,) each."""

    price_usd_per_kwh: FloatArray
    weight_usd_per_kw2h: FloatArray
    target_kw: FloatArray

    def within(self, program: ConicProgram) -> Cost:
        """The cost of the whole program, in its units."""
        cost = Cost(program.quadratic.copy(), program.linear.copy())
        cost.quadratic[program.columns.bid] = self.weight_usd_per_kw2h * program.feeder.base_kw
        cost.linear[program.columns.bid] = -(self.price_usd_per_kwh + self.weight_usd_per_kw2h * self.target_kw)
        return cost


@dataclass(frozen=True, slots=True)
class Asked:
    """What one period is to be solved for.

    Attributes:
        demand_kw, demand_kvar: Without elastic bids, (bus,).
        limits: What generators can do.
        bid_cost: What the elastic bids cost, where there are any.
        start: A tangent near the solution, if one is known.
    """

    demand_kw: FloatArray
    demand_kvar: FloatArray
    limits: PowerLimits
    bid_cost: BidCost | None = None
    start: Tangent | None = None

    def cost_in(self, program: ConicProgram) -> Cost | None:
        """The cost of a program, if it is not its own."""
        return None if self.bid_cost is None else self.bid_cost.within(program)

    def rhs_in(self, program: ConicProgram) -> FloatArray:
        """The right-hand side of a program, (row,)."""
        return program.rhs_of(self.demand_kw, self.demand_kvar, self.limits)

    def answered(
        self, program: ConicProgram, solution: ConicSolution, tangent: Tangent | None, *, exact: bool
    ) -> ClearedPeriod:
        """The period with a solution."""
        return ClearedPeriod(program, solution, self.demand_kw, self.demand_kvar, self.limits, tangent, exact)


@dataclass(frozen=True, slots=True)
class Kind:
    """Which of the programs of a feeder: by tangents or cones, with shortage slack or without, and who is fixed."""

    tangent: bool
    shortage: bool
    fixed: tuple[bool, ...]


class Programs:
    """The programs of a feeder, each built when it is first needed; threads share them.

    Attributes:
        feeder: The feeder.
        physics: By which physics periods are solved.
        shortage_price: Value of lost load, $/kWh.
        bidding: Buses with an elastic bid.
        flow: Its AC flow.
    """

    def __init__(
        self, feeder: Feeder, physics: Physics, shortage_price: float, bidding: IntArray | None, flow: RadialFlow
    ) -> None:
        self.feeder, self.physics, self.shortage_price, self.bidding = feeder, physics, shortage_price, bidding
        self.flow = flow
        self._felt = np.hypot(*impedances_pu(feeder))[1:] * np.where(is_coupler(feeder)[1:], 0.0, 1.0)
        self._above, self._tap = feeder.parent[1:], feeder.tap[1:] ** -2
        self._built: dict[Kind, ConicProgram] = {}
        self._one_builds = Lock()

    def of(self, kind: Kind) -> ConicProgram:
        """The program of a kind; what its generators can do in a period is said when it is solved."""
        with self._one_builds:
            if kind not in self._built:
                price = self.shortage_price if kind.shortage else None
                self._built[kind] = build_program(
                    self.feeder, price, self.bidding, tangent=kind.tangent, limits=self._limits(kind)
                )
            return self._built[kind]

    def is_exact(self, program: ConicProgram, x: FloatArray, rhs: FloatArray) -> bool:
        """Whether a solution of the relaxation is one of the AC equations."""
        burnt = self._burnt_pu(program.columns, x)
        if burnt > _EXACT_PU[1]:
            return False
        if burnt <= _EXACT_PU[0] and program.voltage_drop_missed(x) <= _VOLTAGE_PU:
            return True
        p, q = program.drawn(x, rhs)
        flow = self.flow.solve(p[:, None], q[:, None])
        missed = np.abs(np.sqrt(flow.voltage[:, 0]) - np.sqrt(x[program.columns.voltage])).max()
        return bool(flow.solved.all() and missed <= _VOLTAGE_PU)

    def _burnt_pu(self, columns: Columns, x: FloatArray) -> float:
        """By how much currents exceed what flows need, weighed by what that does to losses and voltages, per unit."""
        sending = x[columns.voltage][self._above] * self._tap
        needed = (x[columns.p_flow] ** 2 + x[columns.q_flow] ** 2) / sending
        return float(self._felt @ np.abs(x[columns.current] - needed))

    def _limits(self, kind: Kind) -> PowerLimits:
        """The limits of the tables, with those fixed that are, whichever period comes first."""
        nominal = PowerLimits.of(self.feeder)
        if nominal.fixed == kind.fixed:
            return nominal
        room = np.maximum(nominal.most_kw, nominal.least_kw + self.feeder.base_kw)
        return PowerLimits(nominal.least_kw, np.where(kind.fixed, nominal.least_kw, room))


class PeriodSolver:
    """The programs of a feeder in solvers of its own, opened when they are first needed."""

    def __init__(self, programs: Programs) -> None:
        """Open no solver yet."""
        self._programs = programs
        self._by_cones: dict[Kind, CompiledProgram] = {}
        self._by_tangents: dict[Kind, LinearisedProgram] = {}

    def solve(self, asked: Asked) -> ClearedPeriod:
        """The solution of a period, with shortage slack where there is none without.

        Look at its `solution.solved` before using it. With elastic bids and a tangent to start from it is one round
        along it: see `_one_step`.
        """
        if asked.bid_cost and asked.start:
            return self._one_step(asked, asked.bid_cost, asked.start)
        if self._programs.physics is Physics.AC:
            return self._along_tangents(asked)
        relaxed = self._relaxed(asked, shortage=False)
        if not (relaxed.solution.solved and self._affordable(relaxed)):
            relaxed = self._relaxed(asked, shortage=True)
        if relaxed.exact or self._programs.physics is Physics.CONE:
            return relaxed
        exact = self._along_tangents(asked)
        return exact if exact.solution.solved else relaxed

    def _one_step(self, asked: Asked, bid_cost: BidCost, start: Tangent) -> ClearedPeriod:
        """What the DSO would rather sell by its costs along a tangent, the next of which is taken there.

        Where power is worth less than nothing its true costs are concave, and what it would rather sell jumps to and
        fro. A tangent lies above what is concave (so each step lowers the cost), and once bids rest it is exact.
        """
        for shortage in (False, True):
            compiled = self._tangent_program(asked, shortage=shortage)
            program = compiled.program
            solution, tangent = compiled.step(asked.rhs_in(program), bid_cost.within(program), start)
            found = asked.answered(program, solution, tangent, exact=False)
            if tangent and (shortage or self._affordable(found)):
                return found
        return self._along_tangents(replace(asked, start=None))

    def _relaxed(self, asked: Asked, *, shortage: bool) -> ClearedPeriod:
        kind = Kind(False, shortage, asked.limits.fixed)
        program = self._programs.of(kind)
        if kind not in self._by_cones:
            self._by_cones[kind] = CompiledProgram(program)
        rhs = asked.rhs_in(program)
        solution = self._by_cones[kind].solve(rhs, asked.cost_in(program))
        exact = solution.solved and self._programs.is_exact(program, solution.x, rhs)
        return asked.answered(program, solution, None, exact=exact)

    def _along_tangents(self, asked: Asked) -> ClearedPeriod:
        """An AC solution: without shortage slack if there is one, else with it, and without what of it is not used."""
        for start in (asked.start, None) if asked.start else (None,):
            plain = self._linearised(asked, shortage=False, start=start)
            if plain.exact and self._affordable(plain):
                return plain
        short = self._linearised(asked, shortage=True)
        if short.exact and not _uses_slack(short):
            again = self._linearised(asked, shortage=False, start=short.tangent)
            if again.exact and self._affordable(again):
                return again
        return short

    def _linearised(self, asked: Asked, *, shortage: bool, start: Tangent | None = None) -> ClearedPeriod:
        compiled = self._tangent_program(asked, shortage=shortage)
        program = compiled.program
        solution, tangent, exact = compiled.solve(asked.rhs_in(program), asked.cost_in(program), start)
        return asked.answered(program, solution, tangent, exact=exact)

    def _tangent_program(self, asked: Asked, *, shortage: bool) -> LinearisedProgram:
        kind = Kind(True, shortage, asked.limits.fixed)
        if kind not in self._by_tangents:
            self._by_tangents[kind] = LinearisedProgram(self._programs.of(kind), self._programs.flow)
        return self._by_tangents[kind]

    def _affordable(self, period: ClearedPeriod) -> bool:
        """Whether no balance price, active or reactive, exceeds the value of lost load."""
        rows = period.program.rows
        prices = (period.solution.z[rows[f"{kind} balance"]] for kind in ("active", "reactive"))
        return all(np.max(np.abs(price)) <= self._programs.shortage_price for price in prices)


def _uses_slack(period: ClearedPeriod) -> bool:
    """Whether power is short or spilled anywhere."""
    columns, feeder = period.program.columns, period.program.feeder
    slack = period.solution.x[columns.unserved.start : columns.q_excess.stop]
    return bool(slack.max(initial=0.0) * feeder.base_kw > negligible_kw(feeder))
