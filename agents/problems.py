"""The problems of many prosumers side by side: answers, deliveries and regrets, each in a few calls for all of them.

One prosumer alone is a row of these arrays, computed in the same way to the same bits (`Subproblem`).
"""

from __future__ import annotations

import numpy as np

from ..network.arrays import FloatArray, IntArray
from . import knapsack
from .homes import Homes
from .messages import Deliveries, Quotes
from .plan import Plan
from .rows import run_rows


class Problems:
    """What follows from the private data of some prosumers at given prices.

    Where an order to the DSO is the bid, messages are taken as they are. Where it is what is withdrawn, trades
    included, LMPs are paid on trades as well and sharing prices are mark-ups on them (`paid`).

    Attributes:
        homes: The private data.
        withdrawals: Whether orders to the DSO are what prosumers withdraw, or their bids.
    """

    def __init__(self, homes: Homes, *, withdrawals: bool) -> None:
        """Lay out the problems of these."""
        self.homes, self.withdrawals = homes, withdrawals
        self._arcs = homes.starts, homes.cap_kw, homes.fee_usd_per_kwh
        self._most_links = int(np.diff(homes.starts).max(initial=0))

    def share(
        self, quotes: Quotes, start: FloatArray, asked: IntArray, before: Plan | None = None
    ) -> tuple[Plan, FloatArray]:
        """The answers to quotes: argmin of (20), proximal term and cost of a changed order included.

        Args:
            quotes: What they are told.
            start: Where to begin to look for what a kWh from a partner is worth to each, (prosumer, period).
            asked: Who answers, by index.
            before: The plans of those who do not; they may be anything if that is not given.

        Returns:
            The plans, and that worth.
        """
        found, trade = (
            np.empty((4, self.homes.count, self.homes.periods)),
            np.empty((self.homes.cap_kw.size, self.homes.periods)),
        )
        if before and asked.size < self.homes.count:
            found[:], trade[:] = (start, before.bid_kw, before.curtailed_kw, before.elastic_kw), before.trade_kw
        rules = self.withdrawals, quotes.proximal
        told = start, quotes.lmp_usd_per_kwh, quotes.held_bid_kw, quotes.bid_weight_usd_per_kw2h
        links = quotes.price_usd_per_kwh, quotes.own_kw, quotes.partner_kw, quotes.penalty_usd_per_kw2h
        inputs, room = (self.homes.cells, self._arcs, rules, told, links), (5, self._most_links)
        run_rows(
            knapsack.share_rows, asked, inputs, (found, trade), cells=asked.size * self.homes.periods, scratch=room
        )
        return Plan(found[1], found[2], found[3], trade), found[0]

    def order_kw(self, bid_kw: FloatArray, trade_kw: FloatArray) -> FloatArray:
        """What is asked of the DSO with bids, (prosumer, period), and trades, (arc, period): the bid or withdrawal."""
        return np.asarray(bid_kw + self.homes.by_home(trade_kw)) if self.withdrawals else bid_kw

    def paid(self, told: Deliveries) -> Deliveries:
        """What deliveries come to where an order is a bid: the LMP of a trade is in its price, no trade in the order.

        What plans cost and the least cost are for such deliveries, whatever an order is.
        """
        if not self.withdrawals:
            return told
        return Deliveries(
            told.lmp_usd_per_kwh,
            told.price_usd_per_kwh + self.homes.owned(told.lmp_usd_per_kwh),
            told.trade_kw,
            told.held_bid_kw - self.homes.by_home(told.trade_kw),
            told.bid_weight_usd_per_kw2h,
        )

    def deliver(self, paid: Deliveries) -> Plan:
        """The best plans with the trades given, see `knapsack.kept`: what prosumers do once sharing has ended."""
        homes, terms = self.homes, (paid.lmp_usd_per_kwh, paid.held_bid_kw, paid.bid_weight_usd_per_kw2h)
        found = np.empty((3, homes.count, homes.periods))
        inputs = homes.cells, homes.starts, (*terms, paid.trade_kw)
        run_rows(knapsack.kept_rows, homes.everybody, inputs, (found,), cells=homes.count * homes.periods // 4)
        return Plan(found[0], found[1], found[2], paid.trade_kw)

    def with_bid(self, plan: Plan, bid_kw: FloatArray) -> Plan:
        """The plan with other bids: what these add or lack is consumed or saved, the trades stay."""
        have = self._supply(plan.trade_kw) + bid_kw - plan.curtailed_kw
        return self._balanced(
            bid_kw, plan.trade_kw, np.clip(have, self.homes.elastic_min_kw, self.homes.elastic_max_kw)
        )

    def best_use(self, plan: Plan) -> Plan:
        """The bids and trades of plans put to the best use: all is consumed that is worth something, as limits allow.

        Where they leave no way to balance (13) within all limits, the elastic load leaves its own.
        """
        homes, useful = self.homes, self.homes.beta_usd_per_kwh / (2 * self.homes.alpha_usd_per_kw2h)
        return self._balanced(plan.bid_kw, plan.trade_kw, np.clip(useful, homes.elastic_min_kw, homes.elastic_max_kw))

    def _supply(self, trade_kw: FloatArray) -> FloatArray:
        return np.asarray(self.homes.by_home(trade_kw) - self.homes.net_kw)

    def _balanced(self, bid: FloatArray, trade: FloatArray, elastic: FloatArray) -> Plan:
        have = self._supply(trade) + bid
        curtailed = np.clip(have - elastic, 0.0, self.homes.renewable_kw)
        return Plan(bid, curtailed, have - curtailed, trade)

    def least_cost_usd(self, paid: Deliveries) -> FloatArray:
        """The least that each could spend alone at these prices, without penalty terms, (prosumer,) in $.

        Exact, and never above the truth but for rounding.
        """
        cost = np.empty(self.homes.count)
        prices, room = (paid.lmp_usd_per_kwh, paid.price_usd_per_kwh), (3, 3 + 2 * self._most_links)
        inputs = self.homes.cells, self._arcs, prices
        cells = self.homes.count * self.homes.periods
        run_rows(knapsack.least_rows, self.homes.everybody, inputs, (cost,), cells=cells, scratch=room)
        return self.homes.dt_h * cost

    def regret_usd(self, told: Deliveries, plan: Plan) -> FloatArray:
        """What each could still gain at these prices by leaving its plan: its cost less the least cost, (prosumer,).

        Where trades drive an elastic load out of the limits (14), what is over is worth nothing and what is missing
        costs its first kWh's utility or the LMP, whichever is dearer. It is inf for a plan that cannot be held: out of
        its limits by more than a thousandth of the prosumer's size.

        Args:
            told: The prices; trades in it are not looked at.
            plan: The plans.
        """
        return self.regret_of_paid_usd(self.paid(told), plan)

    def regret_of_paid_usd(self, paid: Deliveries, plan: Plan) -> FloatArray:
        """As `regret_usd`, of what deliveries come to (`paid`)."""
        payment = self.payments_usd(plan, paid.price_usd_per_kwh) + self.sharing_fees_usd(plan)
        regret = plan.kept_cost_usd(self.homes, paid.lmp_usd_per_kwh) + payment - self.least_cost_usd(paid)
        return np.where(plan.violation_kw(self.homes) > 1e-3 * self.homes.size_kw, np.inf, regret)

    def payments_usd(self, plan: Plan, price_usd_per_kwh: FloatArray) -> FloatArray:
        """What trades cost each at these prices, (arc, period), in $; negative for a seller; (prosumer,)."""
        return self.homes.dt_h * self.homes.by_home((price_usd_per_kwh * plan.trade_kw).sum(axis=1))

    def sharing_fees_usd(self, plan: Plan) -> FloatArray:
        """Their own half of the fees of their trades, (prosumer,) in $."""
        fees = self.homes.fee_usd_per_kwh
        if not fees.any():
            return np.zeros(self.homes.count)
        return self.homes.dt_h * self.homes.by_home(fees * np.abs(plan.trade_kw).sum(axis=1))
