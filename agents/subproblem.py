"""One prosumer's own problem: (20) while it shares, what it delivers, and what it regrets; exact, by the period."""

from __future__ import annotations

from functools import cached_property

import numpy as np

from ..network.arrays import FloatArray
from .homes import Homes
from .household import Household
from .messages import Deliveries, Delivery, Quote, Quotes
from .plan import Plan
from .problems import Problems


class Subproblem:
    """The problem of one prosumer: a row of `Problems`, for who answers alone.

    Attributes:
        household: The private data.
        cap_kw: Cap of each of its links, (link,).
        withdrawals: Whether its order to the DSO is what it withdraws, trades included, or its bid.
        periods, links, columns: How many it has; columns of devices.
        lets_go: Whether it lets go of Python's lock while it solves, and runs no code of users': then several are best
            solved side by side.
        point: Where the search for the next answer starts: what a kWh from a partner was worth to it, (1, period).
    """

    lets_go = False

    def __init__(
        self,
        household: Household,
        cap_kw: FloatArray,
        fee_usd_per_kwh: FloatArray | None = None,
        *,
        withdrawals: bool = False,
    ) -> None:
        """Lay out the problem.

        Args:
            household: The private data.
            cap_kw: Cap of each of its links, (link,).
            fee_usd_per_kwh: What a kWh on each of them costs both ends together beside its price, (link,); 0 by
                default.
            withdrawals: Whether its order to the DSO is what it withdraws, trades included, or its bid.

        Raises:
            HouseholdShortageError: The household cannot be balanced whatever the others do.
        """
        household.check_balance(float(cap_kw.sum()))
        self.household, self.cap_kw, self.withdrawals = household, cap_kw, withdrawals
        self.periods, self.links, self.columns = household.periods, cap_kw.size, household.columns
        self._fee = np.zeros(cap_kw.size) if fee_usd_per_kwh is None else fee_usd_per_kwh
        self.point: FloatArray = np.zeros((1, self.periods))

    @cached_property
    def _row(self) -> Problems:
        homes = Homes([self.household], self.cap_kw, self._fee, np.array([0, self.links]))
        return Problems(homes, withdrawals=self.withdrawals)

    @property
    def fee_usd_per_kwh(self) -> FloatArray:
        """Its own half of what a kWh on each of its links costs beside its price, (link,)."""
        return self._row.homes.fee_usd_per_kwh

    def share(self, quote: Quote) -> Plan:
        """The answer to a quote: argmin of (20), proximal term and cost of a changed order included."""
        plan, self.point = self._row.share(_quotes(quote), self.point, self._row.homes.everybody)
        return self._own(plan)

    def order_kw(self, bid_kw: FloatArray, trade_kw: FloatArray) -> FloatArray:
        """What is asked of the DSO with a bid, (period,), and trades, (link, period): the bid or the withdrawal."""
        return np.asarray(self._row.order_kw(bid_kw[None], trade_kw)[0])

    def paid(self, told: Delivery) -> Delivery:
        """What a delivery comes to where an order is a bid, see `Problems.paid`; for `deliver` and `least_cost_usd`."""
        paid = self._row.paid(as_deliveries(told))
        return paid.of(0, self._row.homes)

    def deliver(self, paid: Delivery) -> Plan:
        """The best plan with the trades given, see `Problems.deliver`."""
        return self._own(self._row.deliver(as_deliveries(paid)))

    def with_bid(self, plan: Plan, bid_kw: FloatArray) -> Plan:
        """The plan with another bid, (period,): what it adds or lacks is consumed or saved, the trades stay."""
        return self._own(self._row.with_bid(as_plans(plan), bid_kw[None]))

    def between(self, one: Plan, other: Plan, step: float) -> Plan:
        """The plan a step of the way, 0 to 1, from one to another."""
        return one.towards(other, step)

    def best_use(self, plan: Plan) -> Plan:
        """The bid and the trades of a plan put to the best use, see `Problems.best_use`."""
        return self._own(self._row.best_use(as_plans(plan)))

    def least_cost_usd(self, paid: Delivery) -> float:
        """The least cost that this prosumer could reach alone at these prices, without penalty terms, in $; exact."""
        return float(self._row.least_cost_usd(as_deliveries(paid))[0])

    def regret_usd(self, told: Delivery, plan: Plan) -> float:
        """What it could still gain at these prices by leaving this plan, in $, see `Problems.regret_usd`."""
        return float(self._row.regret_usd(as_deliveries(told), as_plans(plan))[0])

    def _own(self, plan: Plan) -> Plan:
        return plan.only(0, slice(None))


def as_plans(plan: Plan) -> Plan:
    """A plan as that of many, without devices."""
    return Plan(plan.bid_kw[None], plan.curtailed_kw[None], plan.elastic_kw[None], plan.trade_kw)


def _quotes(quote: Quote) -> Quotes:
    """A quote as that of many."""
    rho, sigma = quote.penalty_usd_per_kw2h, quote.proximal_usd_per_kw2h
    return Quotes(
        np.zeros(1, dtype=np.intp),
        quote.lmp_usd_per_kwh[None],
        quote.held_bid_kw[None],
        quote.bid_weight_usd_per_kw2h[None],
        quote.price_usd_per_kwh,
        quote.own_kw,
        quote.partner_kw,
        rho,
        float(np.divide(sigma, rho).max(initial=0.0)),
    )


def as_deliveries(told: Delivery) -> Deliveries:
    """A delivery as that of many."""
    shape = told.lmp_usd_per_kwh.shape
    return Deliveries(
        told.lmp_usd_per_kwh[None],
        told.price_usd_per_kwh,
        told.trade_kw,
        np.broadcast_to(told.held_bid_kw, shape)[None],
        np.broadcast_to(told.bid_weight_usd_per_kw2h, shape)[None],
    )
