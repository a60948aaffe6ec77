"""Price takers that answer as one: what they stand by is kept in arrays, a row of which is one prosumer's own."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from ..network.arrays import FloatArray, IntArray, frozen
from .homes import Homes
from .household import Household
from .messages import Deliveries, Offers, Pledges, Quotes
from .plan import Plan
from .problems import Problems
from .subproblem import Subproblem


@dataclass(frozen=True, slots=True, eq=False)
class Standing:
    """What prosumers stand by; a value, never changed in place.

    Attributes:
        plan: What they intended in the last round of sharing, then what they make of the trades agreed there.
        schedule: What they are committed to.
        power_kw: The sharing powers that they offered last, (arc, period).
        order_kw: What they order from the DSO as it stands, (prosumer, period), see `Prosumer.bid_kw`.
        worth_usd_per_kwh: Where the search for their next answers starts, (prosumer, period).
    """

    plan: Plan
    schedule: Plan
    power_kw: FloatArray
    order_kw: FloatArray
    worth_usd_per_kwh: FloatArray

    @classmethod
    def nothing(cls, prosumers: int, arcs: int, periods: int) -> Standing:
        """Nothing planned, offered or ordered yet."""
        home, arc = np.zeros((prosumers, periods)), np.zeros((arcs, periods))
        plan = Plan(home, home, home, arc)
        return cls(plan, plan, arc, home, home)

    @property
    def by_home(self) -> FloatArray:
        """All of it that is of prosumers, (8, prosumer, period)."""
        parts = [[p.bid_kw, p.curtailed_kw, p.elastic_kw] for p in (self.plan, self.schedule)]
        return np.array([*parts[0], *parts[1], self.order_kw, self.worth_usd_per_kwh])

    @property
    def by_arc(self) -> FloatArray:
        """All of it that is of arcs, (3, arc, period)."""
        return np.array([self.plan.trade_kw, self.schedule.trade_kw, self.power_kw])

    @classmethod
    def of(cls, by_home: FloatArray, by_arc: FloatArray) -> Standing:
        """What these stand for."""
        bid, curtailed, elastic, committed_bid, committed_curtailed, committed_elastic, order, worth = by_home
        plan = Plan(bid, curtailed, elastic, by_arc[0])
        schedule = Plan(committed_bid, committed_curtailed, committed_elastic, by_arc[1])
        return cls(plan, schedule, by_arc[2], order, worth)


class Crowd:
    """The price takers of a community: each message to all of them is answered in a few array calls.

    Its arrays have rows for everybody in the community; those of others mean nothing and are filled in by who asks.

    Attributes:
        problems: Everybody's problems.
        members: Who is in the crowd, (member,), in ascending order.
        standing: What they stand by.
    """

    def __init__(self, problems: Problems, members: IntArray) -> None:
        """Gather these of the prosumers of a community."""
        self.problems, self.members = problems, members
        homes = problems.homes
        self.standing = Standing.nothing(homes.count, homes.cap_kw.size, homes.periods)

    @property
    def homes(self) -> Homes:
        """Everybody's private data."""
        return self.problems.homes

    @property
    def is_all(self) -> bool:
        """Whether nobody of the community is left out."""
        return self.members.size == self.homes.count

    def answer(self, quotes: Quotes, asked: IntArray) -> Offers:
        """Algorithm 1, line 5: the offers of these members, by index; rows of others are zero."""
        was, homes = self.standing, self.homes
        plan, worth = self.problems.share(quotes, was.worth_usd_per_kwh, asked, was.plan)
        bid = np.clip(plan.bid_kw, homes.bid_min_kw, homes.bid_max_kw)
        order = self.problems.order_kw(bid, plan.trade_kw)
        if asked.size == homes.count:
            self.standing = replace(was, plan=plan, power_kw=plan.trade_kw, order_kw=order, worth_usd_per_kwh=worth)
            return Offers(quotes.members, plan.trade_kw, quotes.price_usd_per_kwh, order)
        own = np.zeros((homes.count, 1), dtype=bool)
        own[asked] = True
        arcs = np.repeat(own, np.diff(homes.starts), axis=0)
        power, ordered = np.where(arcs, plan.trade_kw, was.power_kw), np.where(own, order, was.order_kw)
        self.standing = replace(was, plan=plan, power_kw=power, order_kw=ordered, worth_usd_per_kwh=worth)
        price, offered = (np.where(arcs, values, 0.0) for values in (quotes.price_usd_per_kwh, power))
        return Offers(quotes.members, offered, price, np.where(own, ordered, 0.0))

    def regrets_usd(self, deliveries: Deliveries) -> FloatArray:
        """What each could gain by leaving its schedule at these prices, (prosumer,)."""
        return self._regretted_usd(self.problems.paid(deliveries), self.standing.schedule)

    def deliver(self, deliveries: Deliveries) -> Pledges:
        """The bids after sharing, and what is regretted of what was agreed."""
        homes, was = self.homes, self.standing
        paid = self.problems.paid(deliveries)
        plan = self.problems.deliver(paid)
        ordered = self.problems.order_kw(was.schedule.bid_kw, was.schedule.trade_kw)
        self.standing = replace(was, plan=plan, order_kw=ordered)
        order, regret = self.problems.order_kw(plan.bid_kw, plan.trade_kw), self._regretted_usd(paid, plan)
        return Pledges(order, regret, plan.excess_kw(homes))

    def _regretted_usd(self, paid: Deliveries, plan: Plan) -> FloatArray:
        """What each could gain by leaving this plan; of nobody, nothing is worked out."""
        if not self.members.size:
            return np.zeros(self.homes.count)
        return self.problems.regret_of_paid_usd(paid, plan)

    def commit(self, step: float) -> FloatArray:
        """The bids that members commit to, (prosumer, period)."""
        was = self.standing
        schedule = was.plan if step == 1.0 else was.schedule.towards(was.plan, step)
        ordered = self.problems.order_kw(schedule.bid_kw, schedule.trade_kw)
        self.standing = replace(was, schedule=schedule, order_kw=ordered)
        return frozen(ordered)


class CrowdSeat:
    """A row of a crowd, as the `Seat` of a prosumer: to be looked at."""

    def __init__(self, household: Household, crowd: Crowd, place: int) -> None:
        """Take the place, a row."""
        self._household, self._crowd, self._place = household, crowd, place

    @property
    def _arcs(self) -> slice:
        return self._crowd.homes.arcs(self._place)

    @property
    def problem(self) -> Subproblem:
        """Its own optimisation problem, made for who asks."""
        homes, arcs = self._crowd.homes, self._arcs
        fee = 2 * homes.fee_usd_per_kwh[arcs]
        return Subproblem(self._household, homes.cap_kw[arcs], fee, withdrawals=self._crowd.problems.withdrawals)

    @property
    def plan(self) -> Plan:
        """What it intends."""
        return self._crowd.standing.plan.only(self._place, self._arcs)

    @property
    def schedule(self) -> Plan:
        """What it is committed to."""
        return self._crowd.standing.schedule.only(self._place, self._arcs)

    @property
    def power_kw(self) -> FloatArray:
        """The sharing powers that it offered last, (link, period)."""
        return self._crowd.standing.power_kw[self._arcs]

    @property
    def bid_kw(self) -> FloatArray:
        """What it orders from the DSO as it stands, (period,)."""
        order: FloatArray = self._crowd.standing.order_kw[self._place]
        return order
