"""The DSO's clearing of (1)-(10): bids in, dispatch and prices out, one small conic program per period.

    clearing = Clearing(feeder, load_kw, load_kvar, dt_h=1.0)
    dispatch = clearing.clear(bid_kw)

Nothing couples the periods, so each is solved by itself with a solver that was set up once, in one thread per core:
Clarabel lets go of Python's lock while it solves, and its answer does not depend on what a solver has solved before, so
neither the number of threads nor their order changes a bit of the result. A clearing may be asked from several threads:
it answers one after the other.

A period is cleared with the cone relaxation (5), and where that is not exact along tangents at AC flows, or as
`physics` says (`Physics`).

A period that the feeder cannot carry, or where a price would exceed the value of lost load, is solved with shortage
slack at every bus. So every bid has an answer, the optimal cost is convex in the bids where (5) is exact, and no price
exceeds the value of lost load.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import cached_property, partial
from threading import RLock
from typing import TypeVar

import numpy as np

from .ac_flow import RadialFlow
from .arrays import FloatArray, IntArray
from .branch_flow import ConicProgram, PowerLimits
from .calendars import Calendar
from .cleared_period import ClearedPeriod
from .concavity import Concavity
from .cores import cores, one_by_one, side_by_side
from .dispatch import Dispatch
from .dispatch_reading import read_dispatch, read_values
from .errors import InputError, SolverError
from .feeder import Feeder
from .near_limits import NearLimits
from .period_solver import Asked, BidCost, PeriodSolver, Programs
from .periods import When, period_name
from .physics import Physics
from .slopes import SlopeSystem
from .tangent import Tangent

Starts = Sequence[Tangent | None]
Found = TypeVar("Found")
ByBus = Mapping[str, Sequence[float] | FloatArray]
"""Loads of buses by name, (period,) each."""

_SHOWN = 12  # names in a sentence
_PERIODS_PER_SOLVER = 6  # with fewer, a thread costs more than it saves


class Clearing:
    """The clearing of a feeder with given loads; `clear` may be called any number of times, with any bids.

    Attributes:
        feeder: the feeder.
        load_kw: active load, (bus, period), kW.
        load_kvar: reactive load, (bus, period), kvar.
        dt_h: length of a period, hours.
        value_of_lost_load_usd_per_kwh: price of shortage per kWh and kvarh; no price exceeds it.
        physics: what holds current and flow of a line together.
        p_gen_min_kw, p_gen_max_kw: what generators can do (8), (generator, period), kW.
        calendar: when the periods are; None where nobody knows.

    Loads are given by the names of their buses, (period,) each, those that are not named have none; or as arrays whose
    rows are in the order of `feeder.names`, which is not that in which buses were listed.

    Raises:
        InputError: the loads or limits do not fit the feeder or are not finite, or dt_h or the value of lost load is
            not above 0.
    """

    def __init__(  # noqa: PLR0913  # what all but the first four say has a default
        self,
        feeder: Feeder,
        load_kw: FloatArray | ByBus,
        load_kvar: FloatArray | ByBus,
        dt_h: float,
        value_of_lost_load_usd_per_kwh: float = 10.0,
        *,
        physics: Physics | str = Physics.AUTO,
        p_gen_min_kw: FloatArray | None = None,
        p_gen_max_kw: FloatArray | None = None,
        calendar: Calendar | None = None,
    ) -> None:
        self.feeder, self.physics, self.calendar = feeder, Physics(physics), calendar
        self.load_kw = _checked("load_kw", load_kw, feeder)
        self.load_kvar = _checked("load_kvar", load_kvar, feeder, periods=self.load_kw.shape[1])
        self.dt_h = _positive("dt_h", dt_h)
        self.value_of_lost_load_usd_per_kwh = _positive(
            "value_of_lost_load_usd_per_kwh", value_of_lost_load_usd_per_kwh
        )
        self.p_gen_min_kw, self.p_gen_max_kw = _limits(feeder, self.load_kw.shape[1], p_gen_min_kw, p_gen_max_kw)
        self._limits = [PowerLimits(*each) for each in zip(self.p_gen_min_kw.T, self.p_gen_max_kw.T, strict=True)]
        self._one_asks = RLock()
        self.flow = RadialFlow(feeder)
        self._solvers = self._open_solvers()
        self._elastic: dict[tuple[int, ...], tuple[PeriodSolver, ...]] = {}
        self._systems: dict[tuple[int, tuple[int, ...]], SlopeSystem] = {}

    @property
    def periods(self) -> int:
        """Number of periods."""
        return int(self.load_kw.shape[1])

    @property
    def when(self) -> When:
        """When the periods are, for their names."""
        return self.calendar or self.dt_h

    def clear(self, bid_kw: FloatArray) -> Dispatch:
        """The optimal dispatch when the bids are added to the loads of their buses, (9) and (10).

        Args:
            bid_kw: power bought at each bus, (bus, period), kW; 0 where nobody bids.

        Raises:
            InputError: the bids are not (bus, period), or not finite.
            SolverError: the solver gave no answer for a period; it names the period.
        """
        return self.dispatch(self.solve(bid_kw))

    def solve(self, bid_kw: FloatArray, starts: Starts = ()) -> tuple[ClearedPeriod, ...]:
        """The solution of every period, for those who need more than the dispatch; errors as `clear`.

        Args:
            bid_kw: As of `clear`.
            starts: Tangents of each period near its solution, such as those of a clearing for other bids, if any are
                known: where the relaxation is not exact, rounds begin there. The last digits depend on it.
        """
        bid = _checked("bid_kw", bid_kw, self.feeder, periods=self.periods)
        with self._one_asks:
            return self._solve(self._solvers, self.load_kw + bid, np.arange(self.periods), starts=starts)

    def solve_elastic(
        self,
        periods: IntArray,
        buses: IntArray,
        price_usd_per_kwh: FloatArray,
        weight_usd_per_kw2h: FloatArray,
        target_kw: FloatArray,
        starts: Starts = (),
    ) -> tuple[FloatArray, tuple[ClearedPeriod, ...]]:
        """The bids w that the DSO would choose itself, min V(w) - price w + weight (w - target)²/2, at `buses`.

        Args:
            periods: Indices of the periods to solve, (period,).
            buses: Where it may choose, (bus,); everywhere else only the load is served.
            price_usd_per_kwh, weight_usd_per_kw2h, target_kw: (bus, period), the weights above 0.
            starts: Tangents of these periods near their solutions, as of `solve`.

        Returns:
            The bids, (bus, period) in kW, and the conic solutions, for those periods.

        Raises:
            SolverError: The solver gave no answer for a period; it names the period.
        """
        key = tuple(buses.tolist())
        costs = [BidCost(*each) for each in zip(price_usd_per_kwh.T, weight_usd_per_kw2h.T, target_kw.T, strict=True)]
        with self._one_asks:
            if key not in self._elastic:
                self._elastic[key] = self._open_solvers(buses)
            cleared = self._solve(self._elastic[key], self.load_kw, periods, costs, starts)
        bids = np.column_stack([period.solution.x[period.program.columns.bid] for period in cleared])
        return bids * self.feeder.base_kw, cleared

    def slope_roots(self, cleared: tuple[ClearedPeriod, ...], buses: IntArray) -> FloatArray:
        """How LMPs move with demand between buses: the Hessian of the cost by its factors R, (period, bus, rank).

        R R' of a period is in $/kWh per kW. Up to 100 buses it is exact, see `slopes`.
        """
        return _stacked(self._by_period(SlopeSystem.roots, cleared, buses))

    def slopes_and_limits(self, cleared: Sequence[ClearedPeriod], buses: IntArray) -> tuple[FloatArray, NearLimits]:
        """How LMPs move with demand between buses while no limit is in the way, as `slope_roots`, and the limits."""
        found = self._by_period(SlopeSystem.with_limits, cleared, buses)
        return _stacked([root for root, _ in found]), NearLimits.of([limits for _, limits in found])

    def _by_period(
        self,
        what: Callable[[SlopeSystem, Sequence[ClearedPeriod]], list[Found]],
        cleared: Sequence[ClearedPeriod],
        buses: IntArray,
    ) -> list[Found]:
        """What comes of each period, in pieces of one program each that depend on no number of cores."""
        key = tuple(buses.tolist())
        programs: dict[int, ConicProgram] = {id(period.program): period.program for period in cleared}
        with self._one_asks:
            for name, program in programs.items():
                if (name, key) not in self._systems:
                    self._systems[name, key] = SlopeSystem(program, buses)
        pieces: list[tuple[SlopeSystem, list[int]]] = []
        for name in programs:
            system, own = self._systems[name, key], [k for k, p in enumerate(cleared) if id(p.program) == name]
            pieces += [(system, own[k : k + system.at_once]) for k in range(0, len(own), system.at_once)]
        act = side_by_side if any(system.is_wide for system, _ in pieces) else one_by_one
        answers = act(lambda piece: what(piece[0], [cleared[k] for k in piece[1]]), pieces)
        found: dict[int, Found] = {}
        for (_, places), answer in zip(pieces, answers, strict=True):
            found |= zip(places, answer, strict=True)
        return [found[k] for k in range(len(cleared))]

    def concavity(self, cleared: tuple[ClearedPeriod, ...], buses: IntArray) -> FloatArray:
        """By how much LMPs may fall with demand at `buses`, at most, (period,) in $/kWh per kW; 0 where cost is convex.

        That is where power is worth less than nothing, and the DSO would rather lose it.
        """
        if all(period.tangent is None for period in cleared):
            return np.zeros(len(cleared))
        return self._concavity.of(cleared, buses)

    @cached_property
    def _concavity(self) -> Concavity:
        return Concavity(self.feeder)

    def __reduce__(self) -> tuple[Callable[..., Clearing], tuple[object, ...]]:
        """A clearing travels as what it was made of: solvers cannot."""
        made_of = self.feeder, self.load_kw, self.load_kvar, self.dt_h, self.value_of_lost_load_usd_per_kwh
        kind = partial(
            type(self),
            physics=self.physics,
            p_gen_min_kw=self.p_gen_min_kw,
            p_gen_max_kw=self.p_gen_max_kw,
            calendar=self.calendar,
        )
        return kind, made_of

    def values_usd(self, cleared: tuple[ClearedPeriod, ...]) -> FloatArray:
        """V of every period, (period,) in $: what `Dispatch.value_usd` sums, elastic bids' own cost not in it."""
        return read_values(self.feeder, cleared, self.dt_h, self.value_of_lost_load_usd_per_kwh)

    def dispatch(self, cleared: tuple[ClearedPeriod, ...]) -> Dispatch:
        """The dispatch in user units that belongs to the conic solutions of all periods."""
        dispatch = read_dispatch(self.flow, self.feeder, cleared, self.dt_h, self.value_of_lost_load_usd_per_kwh)
        return replace(dispatch, calendar=self.calendar) if self.calendar else dispatch

    def _open_solvers(self, bidding: IntArray | None = None) -> tuple[PeriodSolver, ...]:
        programs = Programs(self.feeder, self.physics, self.value_of_lost_load_usd_per_kwh, bidding, self.flow)
        solvers = max(1, min(cores(), self.periods // _PERIODS_PER_SOLVER))
        return tuple(PeriodSolver(programs) for _ in range(solvers))

    def _solve(
        self,
        solvers: tuple[PeriodSolver, ...],
        demand_kw: FloatArray,
        periods: IntArray,
        costs: Sequence[BidCost | None] = (),
        starts: Starts = (),
    ) -> tuple[ClearedPeriod, ...]:
        """The periods asked for, shared out to the solvers; `costs` has one of them each, if bids are elastic."""
        none = [None] * periods.size
        jobs = list(zip(periods.tolist(), costs or none, starts or none, strict=True))
        solvers = solvers[: max(1, periods.size // _PERIODS_PER_SOLVER)]
        spans = [[jobs[k] for k in span] for span in np.array_split(np.arange(periods.size), len(solvers))]
        parts = side_by_side(
            lambda own: self._solve_span(own[0], demand_kw, own[1]), list(zip(solvers, spans, strict=True))
        )
        return tuple(period for part in parts for period in part)

    def _solve_span(
        self, solver: PeriodSolver, demand_kw: FloatArray, jobs: Sequence[tuple[int, BidCost | None, Tangent | None]]
    ) -> list[ClearedPeriod]:
        cleared = []
        for t, cost, start in jobs:
            period = solver.solve(Asked(demand_kw[:, t], self.load_kvar[:, t], self._limits[t], cost, start))
            if not period.solution.solved:
                raise ClearingError(t, self.when, period.solution.status)
            cleared.append(period)
        return cleared


class ClearingError(SolverError):
    """The solver gave no answer for a period, not even with shortage allowed at every bus.

    Attributes:
        period: index of the period, from 0.
        when: when the periods are.
        status: Clarabel's word for how it ended.
    """

    def __init__(self, period: int, when: When, status: str) -> None:
        self.period = period
        self.when = when
        self.status = status
        super().__init__(period, when, status)

    def __str__(self) -> str:
        """Where, what, and what to look at."""
        return (
            f"clearing {period_name(self.period, self.when)} ended {self.status}, even with shortage allowed at every "
            "bus; look for voltage limits that exclude the root's voltage beyond what the line ratings let through, "
            "and for loads in W"
        )


def _stacked(roots: Sequence[FloatArray]) -> FloatArray:
    """Factors of all periods, (period, bus, rank), those of lower rank with zeros behind."""
    stacked = np.zeros((len(roots), len(roots[0]), max(root.shape[1] for root in roots)))
    for period, root in zip(stacked, roots, strict=True):
        period[:, : root.shape[1]] = root
    return stacked


def _limits(
    feeder: Feeder, periods: int, least_kw: FloatArray | None, most_kw: FloatArray | None
) -> tuple[FloatArray, FloatArray]:
    """What generators can do, (generator, period) each, kW; those of the tables where nothing else is given."""
    nominal = PowerLimits.of(feeder)
    shape = len(feeder.generators), periods
    found = []
    for name, given, table in (
        ("p_gen_min_kw", least_kw, nominal.least_kw),
        ("p_gen_max_kw", most_kw, nominal.most_kw),
    ):
        array = np.array(np.broadcast_to(table[:, None], shape) if given is None else given, dtype=np.float64)
        if array.shape != shape or not np.isfinite(array).all():
            sentence = f"{name} has shape {array.shape}, but ({shape[0]} generators, {periods} periods) is needed"
            raise InputError(f"{sentence}, in the order of feeder.generators, all of them finite numbers")
        array.setflags(write=False)
        found.append(array)
    wrong = np.argwhere(found[0] > found[1])
    if wrong.size:
        g, t = wrong[0]
        name, low, high = feeder.generators[g].name, found[0][g, t], found[1][g, t]
        sentence = f"generator {name} has p_min_kw {low:g} above p_max_kw {high:g} in period {t + 1}"
        raise InputError(f"{sentence}; swap them or correct one")
    return found[0], found[1]


def _checked(name: str, values: FloatArray | ByBus, feeder: Feeder, *, periods: int | None = None) -> FloatArray:
    rows = _rows(name, values, feeder, periods or 0) if isinstance(values, Mapping) else values
    array = np.array(rows, dtype=np.float64)
    wanted = f"({len(feeder.buses)} buses, {'period' if periods is None else f'{periods} periods'})"
    if array.ndim != 2 or array.shape[0] != len(feeder.buses) or array.shape[1] != (periods or array.shape[1]):
        raise InputError(f"{name} has shape {array.shape}, but {wanted} is needed, buses in the order of feeder.names")
    if array.shape[1] == 0:
        raise InputError(f"{name} has no periods; give at least one column")
    wrong = np.argwhere(~np.isfinite(array))
    if wrong.size:
        n, t = wrong[0]
        raise InputError(f"{name} at bus {feeder.names[n]} in period {t + 1} is {array[n, t]}; give a finite number")
    array.setflags(write=False)
    return array


def _rows(name: str, values: ByBus, feeder: Feeder, periods: int) -> FloatArray:
    """Loads of all buses, (bus, period), of those that are named; so many periods of nothing if none is."""
    rows = {bus: np.asarray(row, dtype=np.float64) for bus, row in values.items()}
    lengths = {row.shape for row in rows.values()}
    if len(lengths) > 1 or any(len(shape) != 1 for shape in lengths):
        told = ", ".join(f"{bus} {row.shape}" for bus, row in list(rows.items())[:_SHOWN])
        raise InputError(f"{name} has rows of the shapes {told}; give each bus one number per period")
    buses = frozenset(feeder.names)
    for bus in rows:
        if bus not in buses:
            known = ", ".join(feeder.names[:_SHOWN]) + (" and more" if len(feeder.names) > _SHOWN else "")
            raise InputError(f"{name} has a row for bus {bus}, but the buses are {known}")
    nothing = np.zeros(next(iter(lengths), (periods,)))
    return np.array([rows.get(bus, nothing) for bus in feeder.names])


def _positive(name: str, value: float) -> float:
    if not (np.isfinite(value) and value > 0):
        raise InputError(f"{name} is {value}; give a finite number above 0")
    return float(value)
