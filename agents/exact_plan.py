"""One household's best plan in which no device charges and discharges at once: a mixed-integer program, on request.

The market itself never asks for it. Where power is worth nothing or less, burning it in a store pays, and the convex
problem that everybody answers by does so; what that is worth shows against this plan.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import scipy.sparse as sp
from scipy.optimize import Bounds, LinearConstraint, milp

from ..network.arrays import FloatArray, IntArray
from ..network.errors import SolverError
from .household import Household
from .household_program import HouseholdProgram
from .interior_point import InteriorPoint
from .messages import Delivery
from .plan import Plan

_FIRST = 17  # tangents of each quadratic cost to begin with
_ROUNDS = 60
_HALF = 0.5  # a binary is 0 or 1, about
_CLOSE = 1e-7  # of the size of the cost
_SCALE = 1e4  # HiGHS stops at a gap of 1e-6, whatever that is of


@dataclass(frozen=True, slots=True)
class ExactPlan:
    """The plan and how good it is.

    Attributes:
        plan: The plan.
        cost_usd: What it costs at the prices asked for, trades and all fees included.
        bound_usd: What no such plan costs less than.
    """

    plan: Plan
    cost_usd: float
    bound_usd: float


def exact_plan(
    household: Household, paid: Delivery, cap_kw: FloatArray, fee_usd_per_kwh: FloatArray | None = None
) -> ExactPlan:
    """The best plan at prices, trades free within their caps, in which no device charges and discharges at once.

    Squares of elastic loads are replaced by tangents, more of them from round to round, until they are as good as the
    squares; each round is a mixed-integer linear program with one binary for each pair of columns and period (HiGHS).

    Args:
        household: The private data.
        paid: The prices, of bids (not of withdrawals); its trades are not looked at.
        cap_kw: Cap of each of its links, (link,).
        fee_usd_per_kwh: Its own half of the fee of each, (link,); 0 by default.

    Raises:
        SolverError: There is no such plan, or it was not found.
    """
    fee = np.zeros(cap_kw.size) if fee_usd_per_kwh is None else fee_usd_per_kwh
    program = _Tangents(HouseholdProgram(household, cap_kw, fee), paid)
    for _ in range(_ROUNDS):
        columns, bound = program.solve()
        if program.missed(columns) <= _CLOSE * max(1.0, abs(bound)):
            break
        program.touch(columns)
    best = program.with_ways(columns)
    plan = program.program.plan(best)
    plan = replace(plan, device=household.fleet.mended(plan.device))
    return ExactPlan(plan, household.dt_h * program.cost(best), household.dt_h * bound)


class _Tangents:
    """The program with squares above tangents: columns, then binaries, then what the squares cost."""

    def __init__(self, program: HouseholdProgram, paid: Delivery) -> None:
        self.program, periods = program, program.periods
        size = program.blocks * periods
        fleet = program.household.fleet
        links = paid.price_usd_per_kwh.shape[0]
        curvature = program.curvature(np.zeros((1 + links, periods)))
        slots = (program.curved[:, None] * periods + np.arange(periods)).ravel()
        self._bent: IntArray = slots[curvature > 0]
        self._half = curvature[curvature > 0] / 2
        pairs = [(program.first_device + a, program.first_device + b) for a, b in fleet.exclusive]
        self._binaries = len(pairs) * periods
        self.columns = size
        nothing = np.zeros(self._binaries)
        prices = program.prices(paid.lmp_usd_per_kwh, paid.price_usd_per_kwh)
        self._prices, self._curvature = prices, np.zeros(size)
        self._curvature[slots] = curvature
        self._cost = _SCALE * np.concatenate([prices, nothing, np.ones(self._bent.size)])
        whole = sp.csr_array((program.rows.shape[0], self._binaries + self._bent.size))
        self._rules = [
            LinearConstraint(sp.csr_array(sp.hstack([program.rows, whole])), program.low, program.high),
            *(self._one_way(number, pair) for number, pair in enumerate(pairs)),
        ]
        least, most = (limits.ravel()[self._bent] for limits in program.limits)
        for part in np.linspace(0.0, 1.0, _FIRST):
            self._touch(least + part * (most - least))

    def solve(self) -> tuple[FloatArray, float]:
        """Columns, and what they cost at the least, in $/h."""
        binary = np.repeat([0, 1, 0], [self.columns, self._binaries, self._bent.size])
        free = np.where(binary, 0.0, -np.inf), np.where(binary, 1.0, np.inf)
        found = milp(
            self._cost, integrality=binary, bounds=Bounds(*free), constraints=self._rules, options={"mip_rel_gap": 1e-9}
        )
        if found.x is None:
            name = self.program.household.name
            raise SolverError(f"prosumer {name}: no plan in which no device charges and discharges at once was found")
        bound = found.fun if found.mip_dual_bound is None else min(found.fun, found.mip_dual_bound)
        return np.asarray(found.x), float(bound) / _SCALE

    def with_ways(self, columns: FloatArray) -> FloatArray:
        """The best columns in which each pair goes the way that it goes in these."""
        program, fleet = self.program, self.program.household.fleet
        most = fleet.high.copy()
        forward = columns[self.columns : self.columns + self._binaries].reshape(-1, program.periods) > _HALF
        for way, (a, b) in zip(forward, fleet.exclusive, strict=True):
            most[a][~way] = np.maximum(fleet.low[a], 0.0)[~way]
            most[b][way] = np.maximum(fleet.low[b], 0.0)[way]
        high = program.high.copy()
        end = high.size - fleet.row_high.size
        high[end - most.size : end] = most.ravel()
        solver = InteriorPoint(sp.csr_array(program.rows), program.low, high, program.periods)
        return solver.solve(self._curvature, self._prices, program.low, high).columns

    def cost(self, columns: FloatArray) -> float:
        """What columns cost, in $/h."""
        return float(self._prices @ columns + columns @ (self._curvature * columns) / 2)

    def missed(self, columns: FloatArray) -> float:
        """By how much squares cost more than their tangents say, in $/h."""
        at = columns[self._bent]
        return float((self._half * at**2 - columns[self.columns + self._binaries :]).sum())

    def touch(self, columns: FloatArray) -> None:
        """One tangent more for each square, there."""
        self._touch(columns[self._bent])

    def _touch(self, at: FloatArray) -> None:
        """The cost >= half (2 at x - at²)."""
        bends = np.arange(self._bent.size)
        width = self.columns + self._binaries + self._bent.size
        slope = sp.csr_array((2 * self._half * at, (bends, self._bent)), shape=(at.size, width))
        above = sp.csr_array((np.ones(at.size), (bends, self.columns + self._binaries + bends)), shape=(at.size, width))
        self._rules.append(LinearConstraint(above - slope, -self._half * at**2, np.inf))

    def _one_way(self, number: int, pair: tuple[int, int]) -> LinearConstraint:
        """The one column at most its limit times z, the other at most its limit times 1 - z."""
        periods = self.program.periods
        cell = np.arange(periods)
        z = self.columns + number * periods + cell
        most = self.program.limits[1][list(pair)]
        rows, width = np.concatenate([cell, cell + periods]), self.columns + self._binaries + self._bent.size
        first = sp.csr_array(
            (np.ones(2 * periods), (rows, np.concatenate([pair[0] * periods + cell, pair[1] * periods + cell]))),
            shape=(2 * periods, width),
        )
        second = sp.csr_array((np.concatenate([-most[0], most[1]]), (rows, np.tile(z, 2))), shape=first.shape)
        return LinearConstraint(first + second, -np.inf, np.concatenate([np.zeros(periods), most[1]]))
