"""Many households side by side: price takers' answers, deliveries and regrets, each in a few calls for all of them.

One prosumer alone is a row of these arrays, computed in the same way to the same bits (`Subproblem`).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..network.arrays import FloatArray, IntArray
from . import knapsack
from .household import Household, Valuation
from .messages import Deliveries, Quotes
from .plan import Plan
from .rows import run_rows
from .trade_graph import sums_by_owner

_KNOWN = 1e-6  # $/kWh: LMPs next to nothing are known no better
_SMALLEST_KW = 1.0  # a smaller household is out of its limits when it is so by a thousandth of this
_NUMBERS = 10  # of a home in a period, see `knapsack.share`


class Homes(Valuation):
    """The private data of some prosumers, and what follows from them at given prices.

    Where an order to the DSO is the bid, messages are taken as they are. Where it is what is withdrawn, trades
    included, LMPs are paid on trades as well and sharing prices are mark-ups on them (`paid`).

    Attributes:
        count, periods: How many prosumers and periods.
        everybody: All of them, by index, (prosumer,).
        cap_kw, fee_usd_per_kwh: Cap of each of their arcs, and their own half of its fee, (arc,).
        starts: Where the arcs of each begin, (prosumer + 1,).
        withdrawals: Whether orders to the DSO are what they withdraw, or their bids.
        size_kw: The largest load or forecast of each, (prosumer,); limits of bids and links say nothing of it.
        net_kw, renewable_kw, elastic_min_kw, elastic_max_kw, bid_min_kw, bid_max_kw: As of `Household`, with net what
            is fixed less renewables, (prosumer, period).
        alpha_usd_per_kw2h, beta_usd_per_kwh, grid_fee_usd_per_kwh, feed_in_fee_usd_per_kwh: (prosumer, 1).
        dt_h: Length of a period in hours.
    """

    def __init__(
        self,
        households: Sequence[Household],
        cap_kw: FloatArray,
        fee_usd_per_kwh: FloatArray,
        starts: IntArray,
        *,
        withdrawals: bool,
    ) -> None:
        """Put them side by side.

        Args:
            households: The private data; at least one, with periods alike.
            cap_kw: Cap of each of their arcs, (arc,), sorted by owner.
            fee_usd_per_kwh: What a kWh on each costs both ends together beside its price, (arc,).
            starts: Where the arcs of each begin, (prosumer + 1,).
            withdrawals: Whether orders to the DSO are what they withdraw, or their bids.
        """
        self.count, self.periods, self.dt_h = len(households), households[0].periods, households[0].dt_h
        self.cap_kw, self.fee_usd_per_kwh, self.starts = cap_kw, fee_usd_per_kwh / 2, starts
        self.withdrawals = withdrawals
        self._cells = np.empty((self.count, self.periods, _NUMBERS))
        for cell, home in zip(self._cells, households, strict=True):
            cell[:, 0], cell[:, 1] = home.fixed_kw - home.renewable_kw, home.renewable_kw
            cell[:, 2], cell[:, 3], cell[:, 4] = home.elastic_min_kw, home.elastic_max_kw, home.beta_usd_per_kwh
            cell[:, 5], cell[:, 6] = home.bid_min_kw, home.bid_max_kw
            cell[:, 7], cell[:, 8] = home.grid_fee_usd_per_kwh, home.feed_in_fee_usd_per_kwh
            cell[:, 9] = 2 * home.alpha_usd_per_kw2h
        (
            self.net_kw,
            self.renewable_kw,
            self.elastic_min_kw,
            self.elastic_max_kw,
            _,
            self.bid_min_kw,
            self.bid_max_kw,
        ) = (self._cells[:, :, k] for k in range(7))
        self.beta_usd_per_kwh, self.grid_fee_usd_per_kwh, self.feed_in_fee_usd_per_kwh, bend = (
            self._cells[:, :1, k] for k in (4, 7, 8, 9)
        )
        self.alpha_usd_per_kw2h = bend / 2
        own = (self.net_kw + self.renewable_kw, self.renewable_kw, self.elastic_max_kw)
        self.size_kw = np.maximum(np.max([series.max(axis=1) for series in own], axis=0), _SMALLEST_KW)
        self.everybody: IntArray = np.arange(self.count)
        self._sums = sums_by_owner(starts)
        self._arcs = starts, cap_kw, self.fee_usd_per_kwh
        self._most_links = int(np.diff(starts).max(initial=0))

    def check_balance(self, households: Sequence[Household]) -> None:
        """Refuse households, these, that cannot balance some period (13): see `Household.check_balance`.

        Raises:
            HouseholdShortageError: Of the first that cannot.
        """
        caps = self.by_home(self.cap_kw)
        missing = (self.net_kw + self.elastic_min_kw - self.bid_max_kw).max(axis=1) - caps
        for i in np.flatnonzero(missing > 0).tolist():
            households[i].check_balance(float(caps[i]))

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
        found, trade = np.empty((4, self.count, self.periods)), np.empty((self.cap_kw.size, self.periods))
        if before and asked.size < self.count:
            found[:], trade[:] = (start, before.bid_kw, before.curtailed_kw, before.elastic_kw), before.trade_kw
        rules = self.withdrawals, quotes.proximal
        told = start, quotes.lmp_usd_per_kwh, quotes.held_bid_kw, quotes.bid_weight_usd_per_kw2h
        links = quotes.price_usd_per_kwh, quotes.own_kw, quotes.partner_kw, quotes.penalty_usd_per_kw2h
        inputs, room = (self._cells, self._arcs, rules, told, links), (5, self._most_links)
        run_rows(knapsack.share_rows, asked, inputs, (found, trade), cells=asked.size * self.periods, scratch=room)
        return Plan(found[1], found[2], found[3], trade), found[0]

    def order_kw(self, bid_kw: FloatArray, trade_kw: FloatArray) -> FloatArray:
        """What is asked of the DSO with bids, (prosumer, period), and trades, (arc, period): the bid or withdrawal."""
        return np.asarray(bid_kw + self.by_home(trade_kw)) if self.withdrawals else bid_kw

    def arcs(self, prosumer: int) -> slice:
        """The arcs that a prosumer owns."""
        return slice(int(self.starts[prosumer]), int(self.starts[prosumer + 1]))

    def arcs_of(self, prosumers: IntArray) -> IntArray:
        """The arcs that these own, (arc,)."""
        first, links = self.starts[prosumers], self.starts[prosumers + 1] - self.starts[prosumers]
        return np.repeat(first - np.cumsum(links) + links, links) + np.arange(links.sum())

    def by_home(self, values: FloatArray) -> FloatArray:
        """Sums over the arcs of each, (prosumer, ...), of (arc, ...)."""
        return np.asarray(self._sums @ values)

    def _owned(self, values: FloatArray) -> FloatArray:
        """What is of prosumers, (prosumer, period), as (arc, period)."""
        return np.repeat(values, np.diff(self.starts), axis=0)

    def paid(self, told: Deliveries) -> Deliveries:
        """What deliveries come to where an order is a bid: the LMP of a trade is in its price, no trade in the order.

        What plans cost and the least cost are for such deliveries, whatever an order is.
        """
        if not self.withdrawals:
            return told
        return Deliveries(
            told.lmp_usd_per_kwh,
            told.price_usd_per_kwh + self._owned(told.lmp_usd_per_kwh),
            told.trade_kw,
            told.held_bid_kw - self.by_home(told.trade_kw),
            told.bid_weight_usd_per_kw2h,
        )

    def deliver(self, paid: Deliveries) -> Plan:
        """The best plans with the trades given: what prosumers do once sharing has ended.

        With the trades given each period is one scalar problem: buy up to where the marginal utility is the LMP and the
        grid fee, or sell down to where it is the LMP less the fee on feed-in, and curtail what is worth nothing. The
        plan balances (13) exactly. Where the trades leave no way to do so within all limits, the elastic load leaves
        its own by as much as it must (`Plan.violation_kw`).

        Where power is worth nothing, as much may be sold as curtailed, and an LMP that is off by a hair would decide
        for all or nothing. There the bid is held where the last quote held it.
        """
        supply = self._supply(paid.trade_kw)
        buy, sell = self._prices_of_bids(paid)
        bid = np.maximum(self._needed(buy, supply), 0.0) + np.minimum(self._needed(sell, supply), 0.0)
        bid = np.clip(self._held(bid, paid, supply), self.bid_min_kw, self.bid_max_kw)
        return self._balanced(bid, paid.trade_kw, self._consumed(np.zeros_like(bid)))

    def _prices_of_bids(self, paid: Deliveries) -> tuple[FloatArray, FloatArray]:
        """What a kWh costs that is bought of the DSO, and what one brings that is sold to it, (prosumer, period)."""
        lmp = paid.lmp_usd_per_kwh
        return lmp + self.grid_fee_usd_per_kwh, lmp - self.feed_in_fee_usd_per_kwh

    def _consumed(self, price: FloatArray) -> FloatArray:
        """The elastic load whose marginal utility is this, (prosumer, period)."""
        wanted = (self.beta_usd_per_kwh - price) / (2 * self.alpha_usd_per_kw2h)
        return np.clip(wanted, self.elastic_min_kw, self.elastic_max_kw)

    def _needed(self, price: FloatArray, supply: FloatArray) -> FloatArray:
        """The bid that this price calls for, (prosumer, period): below 0, renewables are curtailed to make room."""
        paid_to_take = np.where(price < 0, self.renewable_kw, 0.0)
        return self._consumed(price) + paid_to_take - supply

    def _held(self, bid: FloatArray, paid: Deliveries, supply: FloatArray) -> FloatArray:
        """The bid, moved across the step of the curtailment no further than a held one would be, (prosumer, period).

        The step is at the shadow price 0, from nothing curtailed to everything. There a held bid is at
        `held - price / weight`, with a price that is not known from nothing as nothing.
        """
        weight = paid.bid_weight_usd_per_kw2h
        steps = (weight > 0) & (self.renewable_kw > 0)
        if not steps.any():
            return bid
        told = (price - np.clip(price, -_KNOWN, _KNOWN) for price in self._prices_of_bids(paid))
        bought, sold = (paid.held_bid_kw - price / np.where(steps, weight, 1.0) for price in told)
        held = np.clip(np.maximum(bought, 0.0) + np.minimum(sold, 0.0), self.bid_min_kw, self.bid_max_kw)
        low = self._needed(np.zeros_like(bid), supply)
        high = low + self.renewable_kw
        least = np.where(held < low, -np.inf, np.minimum(held, high))
        most = np.where(held > high, np.inf, np.maximum(held, low))
        return np.where(steps, np.clip(bid, least, most), bid)

    def with_bid(self, plan: Plan, bid_kw: FloatArray) -> Plan:
        """The plan with other bids: what these add or lack is consumed or saved, the trades stay."""
        have = self._supply(plan.trade_kw) + bid_kw - plan.curtailed_kw
        return self._balanced(bid_kw, plan.trade_kw, np.clip(have, self.elastic_min_kw, self.elastic_max_kw))

    def _supply(self, trade_kw: FloatArray) -> FloatArray:
        return np.asarray(self.by_home(trade_kw) - self.net_kw)

    def _balanced(self, bid: FloatArray, trade: FloatArray, elastic: FloatArray) -> Plan:
        have = self._supply(trade) + bid
        curtailed = np.clip(have - elastic, 0.0, self.renewable_kw)
        return Plan(bid, curtailed, have - curtailed, trade)

    def least_cost_usd(self, paid: Deliveries) -> FloatArray:
        """The least that each could spend alone at these prices, without penalty terms, (prosumer,) in $.

        Exact, and never above the truth but for rounding.
        """
        cost = np.empty(self.count)
        prices, room = (paid.lmp_usd_per_kwh, paid.price_usd_per_kwh), (3, 3 + 2 * self._most_links)
        inputs = self._cells, self._arcs, prices
        cells = self.count * self.periods
        run_rows(knapsack.least_rows, self.everybody, inputs, (cost,), cells=cells, scratch=room)
        return self.dt_h * cost

    def regret_usd(self, told: Deliveries, plan: Plan) -> FloatArray:
        """What each could still gain at these prices by leaving its plan: its cost less the least cost, (prosumer,).

        Where trades drive an elastic load out of the limits (14), what is over is worth nothing and what is missing
        costs its first kWh's utility or the LMP, whichever is dearer. It is inf for a plan that cannot be held: out of
        its limits by more than a thousandth of the prosumer's size.

        Args:
            told: The prices; trades in it are not looked at.
            plan: The plans.
        """
        paid = self.paid(told)
        payment = self.payments_usd(plan, paid.price_usd_per_kwh) + self.sharing_fees_usd(plan)
        regret = plan.kept_cost_usd(self, paid.lmp_usd_per_kwh) + payment - self.least_cost_usd(paid)
        return np.where(plan.violation_kw(self) > 1e-3 * self.size_kw, np.inf, regret)

    def payments_usd(self, plan: Plan, price_usd_per_kwh: FloatArray) -> FloatArray:
        """What trades cost each at these prices, (arc, period), in $; negative for a seller; (prosumer,)."""
        return self.dt_h * self.by_home((price_usd_per_kwh * plan.trade_kw).sum(axis=1))

    def sharing_fees_usd(self, plan: Plan) -> FloatArray:
        """Their own half of the fees of their trades, (prosumer,) in $."""
        return self.dt_h * self.by_home(self.fee_usd_per_kwh * np.abs(plan.trade_kw).sum(axis=1))
