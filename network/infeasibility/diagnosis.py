"""Why a period is short, and what would relieve it: a cause found by lifting limits, and cures that have been tried.

Generation is the cause when every generator stands at its limit. Else the wires are: the kind of limit (line rating,
voltage, ...) that cures the period by itself, with the least change relative to the limit. A cure is named only after
the plain clearing has carried the period with it, at prices below the value of lost load.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from itertools import product
from math import inf

import numpy as np

from ..arrays import FloatArray, IntArray
from ..branch_flow import ConicProgram, build_program
from ..clearing import Clearing
from ..dispatch import Dispatch
from ..errors import GridbazaarError
from ..feeder import Feeder
from ..per_unit import at_limit_kw, step_kw
from ..solver import ConicSolution
from .limits import SOURCES, WIRES, LimitKind, least_limits, relative_change
from .relaxation import Relaxation, least_relief, solution_of
from .remedies import LimitChange, LimitCure, LoadCure, LoadUnit, PriceCure, rounded

_LARGE_LOADS, _NEARLY = 6, 0.9  # single buses worth trying: as much load as is missing, or nearly
# A least relief may leave prices above the value of lost load; then somewhat more is tried.
_NEAR, _FAR = (1.0, 1.005, 1.02), (1.1, 1.5, 3.0)


@dataclass(frozen=True)
class ShortPeriod:
    """A period of a dispatch with shortage, and the questions that can be asked of it."""

    feeder: Feeder
    dispatch: Dispatch
    period: int

    @cached_property
    def limited(self) -> Feeder:
        """The feeder with what its generators can do in the period."""
        d, t = self.dispatch, self.period
        limits = zip(self.feeder.generators, d.p_gen_min_kw[:, t], d.p_gen_max_kw[:, t], strict=True)
        return replace(
            self.feeder,
            generators=tuple(replace(g, p_min_kw=float(low), p_max_kw=float(high)) for g, low, high in limits),
        )

    @property
    def demand(self) -> tuple[FloatArray, FloatArray]:
        """What was asked for, kW and kvar, (bus,) each."""
        return self.dispatch.demand_kw[:, self.period], self.dispatch.demand_kvar[:, self.period]

    @cached_property
    def unserved_kw(self) -> float:
        """Active power that could not be brought, kW."""
        return float(self.dispatch.unserved_kw[:, self.period].sum())

    @cached_property
    def spilled_kw(self) -> float:
        """Active power that could not be taken away, kW."""
        return float(self.dispatch.spilled_kw[:, self.period].sum())

    @cached_property
    def q_missing_kvar(self) -> float:
        """Reactive power that could not be brought (positive), less what could not be taken away, kvar."""
        return float(self.dispatch.q_slack_kvar[:, self.period].sum())

    @property
    def worst_bus(self) -> str:
        """The bus with the most shortage slack."""
        t, d = self.period, self.dispatch
        slack = d.unserved_kw[:, t] + d.spilled_kw[:, t] + np.abs(d.q_slack_kvar[:, t])
        return self.feeder.names[int(np.argmax(slack))]

    def exhausted_generation(self) -> str | None:
        """The column of the generators' limits that every one of them has reached while power is short, or None."""
        reached = {
            "p_max_kw": self.unserved_kw > self.dispatch.negligible_kw,
            "p_min_kw": self.spilled_kw > self.dispatch.negligible_kw,
            "q_max_kvar": self.q_missing_kvar > self.dispatch.negligible_kw,
            "q_min_kvar": self.q_missing_kvar < -self.dispatch.negligible_kw,
        }
        for key, short in reached.items():
            power = self.dispatch.p_gen_kw if key.startswith("p") else self.dispatch.q_gen_kvar
            limit = np.array([getattr(g, key) for g in self.limited.generators])
            if short and np.all(np.abs(power[:, self.period] - limit) <= at_limit_kw(self.feeder)):
                return key
        return None

    def plain_solution(self) -> ConicSolution | None:
        """The period without shortage slack, if the feeder can carry it at all (at whatever price)."""
        return solution_of(self._program, self._rhs)

    def dearest(self, solution: ConicSolution) -> tuple[str, float]:
        """The bus with the highest price, active or reactive, and that price, $/kWh or $/kvarh."""
        rows = self._program.rows
        price = np.max([np.abs(solution.z[rows[f"{kind} balance"]]) for kind in ("active", "reactive")], axis=0)
        return self.feeder.names[int(np.argmax(price))], float(np.max(price))

    def limit_cure(self) -> LimitCure | None:
        """The limits that give way first, with what each would have to be; the cause, where the wires are the cause."""
        kinds: tuple[LimitKind, ...] = SOURCES if self.exhausted_generation() else WIRES
        found = [cure for kind in kinds if (cure := self._tried_limits((kind,)))]
        if found:
            return min(found, key=relative_change)
        return self._tried_limits(kinds) or self._tried_limits((*WIRES, *SOURCES))

    def load_cure(self, *, reactive: bool) -> LoadCure | None:
        """The least change of load that cures the period, at one bus if one is enough; kvar first if `reactive`."""
        less, more = self.spilled_kw <= self.unserved_kw, self.q_missing_kvar >= 0
        active: list[tuple[LoadUnit, int]] = [("kW", -1 if less else 1), ("kW", 1 if less else -1)]
        other: list[tuple[LoadUnit, int]] = [("kvar", -1 if more else 1), ("kvar", 1 if more else -1)]
        order = other + active if reactive else active + other
        tries = ((unit, sign, factors) for factors in (_NEAR, _FAR) for unit, sign in order)
        return next((cure for each in tries if (cure := self._tried_load(*each))), None)

    def price_cure(self, highest_price: float) -> PriceCure | None:
        """The value of lost load, in cents and above the highest price, at which the period is carried."""
        cure = PriceCure(rounded(highest_price, 0.01, up=True))
        return cure if self._carries(self.limited, *self.demand, cure.value_of_lost_load_usd_per_kwh) else None

    # --- trying ------------------------------------------------------------------------------------------------------

    @cached_property
    def _program(self) -> ConicProgram:
        return build_program(self.limited, tangent=bool(self.dispatch.local[self.period]))

    @cached_property
    def _rhs(self) -> FloatArray:
        return self._program.rhs_of(*self.demand)

    @property
    def _price(self) -> float:
        return self.dispatch.value_of_lost_load_usd_per_kwh

    def _tried_limits(self, kinds: tuple[LimitKind, ...]) -> LimitCure | None:
        for factor in _NEAR + _FAR:
            cure = least_limits(self._program, self._rhs, kinds, self._price, factor)
            if cure is None:
                return None
            if self._carries(cure.applied(self.limited), *self.demand):
                return LimitCure(tuple(map(self._told, cure.changes)))
        return None

    def _told(self, change: LimitChange) -> LimitChange:
        """A change of what a generator's profile makes of its limit is told as one."""
        if change.table != "generators":
            return change
        nominal = next(g for g in self.feeder.generators if g.name == change.row)
        return replace(change, by_profile=getattr(nominal, change.key) != change.old)

    def _tried_load(self, unit: LoadUnit, sign: int, factors: tuple[float, ...]) -> LoadCure | None:
        everywhere = np.arange(len(self.feeder.buses))
        spread = self._least_load(unit, sign, everywhere)
        if spread is None:
            return None
        options = [*self._at_one_bus(unit, sign, spread), (everywhere, spread)]
        for (buses, amount), factor in product(options, factors):
            most = self.feeder.base_kw * self._caps(unit, sign)[buses]
            cure = _load_cure(self.feeder, unit, sign, buses, np.minimum(factor * amount, most))
            if cure and self._carries(self.limited, *cure.applied(self.feeder, *self.demand)):
                return cure
        return None

    def _at_one_bus(self, unit: LoadUnit, sign: int, spread: FloatArray) -> list[tuple[IntArray, FloatArray]]:
        """Changes at one bus that do alone, the least first: the bus that is best at it, and those with most load."""
        large = np.argsort(-self.demand[0], kind="stable")[:_LARGE_LOADS]
        enough = [n for n in large if self.demand[0][n] >= _NEARLY * spread.sum()] if (unit, sign) == ("kW", -1) else []
        buses = [np.array([n]) for n in dict.fromkeys([int(np.argmax(spread)), *map(int, enough)])]
        found = [(n, amount) for n in buses if (amount := self._least_load(unit, sign, n)) is not None]
        return sorted(found, key=lambda option: float(option[1][0]))

    def _least_load(self, unit: LoadUnit, sign: int, buses: IntArray) -> FloatArray | None:
        """The least change of load, all in one direction, at the buses given, (bus,), kW or kvar."""
        rows = self._program.rows["active balance" if unit == "kW" else "reactive balance"]
        count = len(self.feeder.buses)
        relaxation = Relaxation(
            np.arange(rows.start, rows.stop),
            np.full(count, -float(sign)),
            np.full(count, self._price),
            self._caps(unit, sign),
        )
        given = least_relief(self._program, self._rhs, relaxation.only(buses))
        return None if given is None else given * self.feeder.base_kw

    def _caps(self, unit: LoadUnit, sign: int) -> FloatArray:
        """How much each bus may change its load, (bus,), pu: no bus sheds more than it has, even when rounded up."""
        if (unit, sign) != ("kW", -1):
            return np.full(len(self.feeder.buses), inf)
        return np.maximum(self.demand[0] - 2 * step_kw(self.feeder), 0.0) / self.feeder.base_kw

    def _carries(self, feeder: Feeder, p_kw: FloatArray, q_kvar: FloatArray, price: float | None = None) -> bool:
        """Whether the clearing carries these loads with no slack in the AC equations, at this value of lost load."""
        clearing = Clearing(feeder, p_kw[:, None], q_kvar[:, None], self.dispatch.dt_h, price or self._price)
        try:
            tried = clearing.clear(np.zeros_like(clearing.load_kw))
        except GridbazaarError:
            return False
        return not (tried.short_periods or tried.inexact_periods)


def _load_cure(feeder: Feeder, unit: LoadUnit, sign: int, buses: IntArray, amount: FloatArray) -> LoadCure | None:
    """The changes that are more than nothing, largest first, rounded up; amount in kW or kvar, (one of the buses,)."""
    order = [k for k in np.argsort(-amount, kind="stable") if amount[k] > at_limit_kw(feeder)]
    changes = tuple((feeder.names[buses[k]], sign * rounded(float(amount[k]), step_kw(feeder), up=True)) for k in order)
    return LoadCure(unit, changes) if changes else None
