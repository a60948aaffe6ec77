"""The problem of a prosumer with devices: (20) by an interior point method, deliveries exact, regrets bounded."""

from __future__ import annotations

from dataclasses import replace
from functools import cached_property

import numpy as np
import scipy.sparse as sp

from ..network.arrays import FloatArray
from ..network.errors import SolverError
from .banded_interior_point import LONG
from .devices.device import DeviceError
from .devices.fleet import BROKEN
from .household import Household, HouseholdError
from .household_program import HouseholdProgram
from .interior_point import InteriorPoint, Point
from .least_cost import LeastCost
from .messages import Delivery, Quote
from .plan import Plan
from .problems import Problems
from .subproblem import Subproblem, as_deliveries, as_plans

_DEAR = 20.0, 2e4
"""What a kW out of limits costs in a delivery, in the dearest prices there: more than what most devices would pay for
one, and more than what all would whose hours add up, asked for where the first is paid."""
_UNPAID = 1e-6  # of the size: less is not out of limits


class DeviceSubproblem(Subproblem):
    """One prosumer's problem with devices.

    With what its devices do given, what is left is a household without devices whose load is less by what they inject:
    there deliveries are exact, period by period, as those of a `Subproblem`.

    Attributes:
        point: Empty: no answer depends on what was answered before.
    """

    def __init__(
        self,
        household: Household,
        cap_kw: FloatArray,
        fee_usd_per_kwh: FloatArray | None = None,
        *,
        withdrawals: bool = False,
    ) -> None:
        """Lay out the problem; arguments and errors as of `Subproblem`.

        Raises:
            DeviceShortageError: A device cannot keep its limits, or the household cannot with its devices.
        """
        super().__init__(household, cap_kw, fee_usd_per_kwh, withdrawals=withdrawals)
        self.lets_go = self.periods >= LONG and household.fleet.is_of_stores
        self.point = np.zeros((0, self.periods))

    def share(self, quote: Quote) -> Plan:
        """The answer to a quote: argmin of (20), proximal term and cost of a changed order included."""
        penalty = quote.penalty_usd_per_kw2h + quote.proximal_usd_per_kw2h
        pull = quote.proximal_usd_per_kw2h * quote.own_kw - quote.penalty_usd_per_kw2h * quote.partner_kw
        held = quote.bid_weight_usd_per_kw2h * quote.held_bid_kw
        program = self._answered.program
        prices = program.prices(quote.lmp_usd_per_kwh - held, quote.price_usd_per_kwh - pull)
        weight = np.vstack([quote.bid_weight_usd_per_kw2h, penalty])
        return program.plan(self._answered.solve(weight, prices).columns)

    def deliver(self, paid: Delivery) -> Plan:
        """The best plan with the trades given and the bid still held, see `Problems.deliver`.

        Devices make the LMPs of different hours tie, and would go all or nothing for a hair; so what devices do is
        found with the cost of leaving the held bid, then mended to be exact, and the rest follows without it.

        Raises:
            HouseholdError: A device cannot mend what it is to do.
        """
        try:
            found = self.household.fleet.mended(self._delivered.device_of(paid))
        except DeviceError as error:
            raise HouseholdError.of_device(self.household.name, error) from error
        return self._with(found, self._left(found).deliver(as_deliveries(paid)))

    def with_bid(self, plan: Plan, bid_kw: FloatArray) -> Plan:
        """The plan with another bid, (period,): what it adds or lacks is consumed or saved, trades and devices stay."""
        return self._with(plan.device, self._left(plan.device).with_bid(as_plans(plan), bid_kw[None]))

    def between(self, one: Plan, other: Plan, step: float) -> Plan:
        """The plan a step of the way: stores that charge in one and discharge in the other do not do both, if lossless.

        What stores inject is what it was. Devices of another kind do what is between, as that of users' own could be
        mended to something else.
        """
        plan, fleet = one.towards(other, step), self.household.fleet
        return replace(plan, device=fleet.mended(plan.device)) if fleet.is_of_stores else plan

    def best_use(self, plan: Plan) -> Plan:
        """Bid, trades and devices of a plan put to the best use, see `Problems.best_use`."""
        return self._with(plan.device, self._left(plan.device).best_use(as_plans(plan)))

    def least_cost_usd(self, paid: Delivery) -> float:
        """What this prosumer cannot spend less than at these prices, without penalty terms, in $; tight."""
        return self._bound.usd(paid)

    def regret_usd(self, told: Delivery, plan: Plan) -> float:
        """What it could still gain at these prices by leaving this plan, in $, see `Problems.regret_usd`."""
        paid, row = self.paid(told), self._row
        payment = row.payments_usd(as_plans(plan), paid.price_usd_per_kwh) + row.sharing_fees_usd(as_plans(plan))
        kept = plan.kept_cost_usd(self.household, paid.lmp_usd_per_kwh)
        out = plan.violation_kw(self.household) > 1e-3 * row.homes.size_kw[0]
        out = out or self.household.fleet.breach(plan.device) > BROKEN
        return np.inf if out else float(kept + payment[0]) - self.least_cost_usd(paid)

    @property
    def _size_kw(self) -> float:
        return float(self._row.homes.size_kw[0])

    @cached_property
    def _answered(self) -> _Scaled:
        program = HouseholdProgram(self.household, self.cap_kw, self.fee_usd_per_kwh, withdrawals=self.withdrawals)
        return _Scaled(program, self._size_kw, elastic=False)

    @cached_property
    def _delivered(self) -> _GivenTrades:
        return _GivenTrades(self.household, self._size_kw)

    @cached_property
    def _bound(self) -> _Bound:
        return _Bound(self.household, self.cap_kw, self.fee_usd_per_kwh, self._size_kw)

    def _left(self, device: FloatArray) -> Problems:
        """The problem that devices leave when they do this."""
        homes = self._row.homes.drawing_less(self.household.fleet.injection_kw(device)[None])
        return Problems(homes, withdrawals=self.withdrawals)

    def _with(self, device: FloatArray, plan: Plan) -> Plan:
        """A plan of that problem, with them."""
        return Plan(plan.bid_kw[0], plan.curtailed_kw[0], plan.elastic_kw[0], plan.trade_kw, device)


class _Scaled:
    """A household's program for an interior point method, scaled by the size of its powers and its marginal utility.

    In its balance (13) something may be missing or too much, at a price that is only paid where nothing else is left.
    """

    def __init__(self, program: HouseholdProgram, size_kw: float, *, elastic: bool) -> None:
        self.program, self._size_kw, self._usd = program, size_kw, program.household.beta_usd_per_kwh
        periods = program.periods
        self._curved = (program.curved[:, None] * periods + np.arange(periods)).ravel()
        self._columns, self._slack = program.blocks * periods, 2 * periods if elastic else 0
        rows = sp.csr_array(program.rows)
        low, high = program.low, program.high
        if elastic:
            one, nothing = sp.eye_array(periods), sp.csr_array((low.size - periods, self._slack))
            either = sp.vstack([sp.hstack([one, -one]), nothing])
            own = sp.hstack([sp.csr_array((self._slack, self._columns)), sp.eye_array(self._slack)])
            rows = sp.csr_array(sp.vstack([sp.hstack([rows, either]), own]))
            low = np.concatenate([low, np.zeros(self._slack)])
            high = np.concatenate([high, np.full(self._slack, np.inf)])
        self._low, self._high = low / size_kw, high / size_kw
        self._solver = InteriorPoint(rows, self._low, self._high, periods)

    def solve(self, weight: FloatArray, prices: FloatArray, more_kw: FloatArray | None = None) -> Point:
        """The minimum in kW, and the multipliers in $/kWh.

        Args:
            weight: Of the order, then of the trades, (1 + link, period).
            prices: As of `HouseholdProgram.prices`.
            more_kw: What is added to what (13) must bring, (period,).
        """
        quadratic = np.zeros(self._columns + self._slack)
        quadratic[self._curved] = self.program.curvature(weight) * (self._size_kw / self._usd)
        low, high = self._low, self._high
        if more_kw is not None:
            low, high = low.copy(), high.copy()
            low[: more_kw.size] += more_kw / self._size_kw
            high[: more_kw.size] += more_kw / self._size_kw
        for dear in _DEAR:
            slack = np.full(self._slack, dear * float(np.abs(prices).max()))
            try:
                point = self._solver.solve(quadratic, np.concatenate([prices, slack]) / self._usd, low, high)
            except SolverError as error:
                raise SolverError(f"prosumer {self.program.household.name}: {error}") from error
            if point.columns[self._columns :].max(initial=0.0) <= _UNPAID:
                break
        return Point(point.columns[: self._columns] * self._size_kw, point.multipliers * self._usd)


class _GivenTrades:
    """What devices do once trades are given."""

    def __init__(self, household: Household, size_kw: float) -> None:
        none = np.zeros(0)
        self._scaled = _Scaled(HouseholdProgram(household, none, none), size_kw, elastic=True)
        self._none = np.zeros((0, household.periods))

    def device_of(self, paid: Delivery) -> FloatArray:
        """Columns of devices, (column, period), not yet exact."""
        periods = self._scaled.program.periods
        weight = np.broadcast_to(paid.bid_weight_usd_per_kw2h, periods)[None]
        held = weight[0] * np.broadcast_to(paid.held_bid_kw, periods)
        prices = self._scaled.program.prices(paid.lmp_usd_per_kwh - held, self._none)
        point = self._scaled.solve(weight, prices, -paid.trade_kw.sum(axis=0))
        return self._scaled.program.device(point.columns)


class _Bound:
    """The least cost at prices, from the multipliers of a solution."""

    def __init__(self, household: Household, cap_kw: FloatArray, fee_usd_per_kwh: FloatArray, size_kw: float) -> None:
        self._scaled = _Scaled(HouseholdProgram(household, cap_kw, fee_usd_per_kwh), size_kw, elastic=False)
        self._dual = LeastCost(household, cap_kw, fee_usd_per_kwh)
        self._weight = np.zeros((1 + cap_kw.size, household.periods))

    def usd(self, paid: Delivery) -> float:
        """The bound."""
        program = self._scaled.program
        prices = program.prices(paid.lmp_usd_per_kwh, paid.price_usd_per_kwh)
        found = self._scaled.solve(self._weight, prices).multipliers
        tied = found[found.size - program.household.fleet.row_low.size :]
        return self._dual.usd(paid, found[: program.periods], tied)
