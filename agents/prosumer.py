"""The prosumer agent."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Protocol, TypeVar

import numpy as np

from ..network.arrays import FloatArray, frozen
from .behaviour import Behaviour, PriceTaker
from .containment import Containment, ExcludedError
from .containment_rules import THE_RUN_ENDS
from .household import Household
from .mesa_library import mesa
from .messages import Bid, Delivery, Offer, Quote, Regret
from .plan import Plan
from .subproblem import Subproblem

Answer = TypeVar("Answer")


class Seat(Protocol):
    """Where what a prosumer stands by is kept: by itself, or as a row of a crowd; see `Prosumer`."""

    @property
    def problem(self) -> Subproblem:
        """Its own optimisation problem."""

    @property
    def plan(self) -> Plan:
        """What it intends."""

    @property
    def schedule(self) -> Plan:
        """What it is committed to."""

    @property
    def power_kw(self) -> FloatArray:
        """What it offered last, (link, period)."""

    @property
    def bid_kw(self) -> FloatArray:
        """What it orders from the DSO, (period,)."""


@dataclass
class OwnSeat:
    """The `Seat` of a prosumer that answers by itself; it begins with nothing planned."""

    problem: Subproblem
    plan: Plan
    schedule: Plan
    power_kw: FloatArray
    bid_kw: FloatArray

    @classmethod
    def of(cls, problem: Subproblem) -> OwnSeat:
        """Begin."""
        nothing = np.zeros(problem.periods)
        plan = Plan(nothing, nothing, nothing, np.zeros((problem.links, problem.periods)))
        if problem.columns:
            plan = replace(plan, device=problem.household.fleet.idle())
        return cls(problem, plan, plan, plan.trade_kw, nothing)


_TAKES_PRICES = Containment("", PriceTaker(), THE_RUN_ENDS)
"""Of all price takers: nothing is asked of their behaviour, so that there is nothing to contain."""


class Prosumer(mesa.Agent):
    """A home, shop or plant that trades: it owns its private data and answers with offers, bids and one regret.

    What the other agents may use are the methods; `household`, `plan` and `schedule` are its own. `power_kw` and
    `bid_kw` are what it has published of them.

    Attributes:
        household: Its private data.
        behaviour: How it acts.
        containment: What stands between its behaviour and the market.
        problem: Its own optimisation problem, of the household that its behaviour declares.
        plan: What it intended in the last round of sharing, then what it makes of the trades agreed there.
        schedule: What it is committed to: its last bid, its trades, and what it consumes with them.
        power_kw: The sharing powers that it offered last, (link, period).
        bid_kw: What it orders from the DSO as it stands, (period,): beside its last offer, or once sharing has ended,
            of its schedule. Its bid, or where trades load the wires what it withdraws.
    """

    def __init__(
        self,
        model: mesa.Model,
        household: Household,
        cap_kw: FloatArray,
        behaviour: Behaviour | Containment,
        rng: np.random.Generator,
        fee_usd_per_kwh: FloatArray | None = None,
        *,
        withdrawals: bool = False,
        problem: type[Subproblem] = Subproblem,
    ) -> None:
        """Move in.

        Args:
            model: The community it lives in; the market makes those of its own process agents of its own.
            household: Its private data.
            cap_kw: Cap of each of its links, (link,).
            behaviour: How it acts; contained, or an error ends it (`BehaviourError`).
            rng: Its own randomness.
            fee_usd_per_kwh: What a kWh on each of its links costs both ends together beside its price, (link,).
            withdrawals: Whether the DSO clears for what it withdraws, trades included, and not for its bid.
            problem: How it solves its own problem.
        """
        if isinstance(behaviour, Behaviour):
            behaviour = Containment(household.name, behaviour, THE_RUN_ENDS)
        self.containment = behaviour
        self.containment.behaviour.rng = rng
        fee = np.zeros(cap_kw.size) if fee_usd_per_kwh is None else fee_usd_per_kwh
        home = self.containment.declare(household, float(cap_kw.sum()))
        spread = self.containment.spread_usd_per_kwh(household)
        self._own_problem = self._declared = problem(household, cap_kw, fee, withdrawals=withdrawals)
        if not self.containment.excluded and (home is not household or spread > 0):
            self._declared = problem(home, cap_kw, fee + 2 * spread, withdrawals=withdrawals)
        self._move_in(model, household, self.containment.behaviour, OwnSeat.of(self._declared))

    @classmethod
    def seated(cls, model: mesa.Model, household: Household, behaviour: Behaviour, seat: Seat) -> Prosumer:
        """One that has a seat already: a price taker, for whom its crowd answers, and that can be looked at."""
        prosumer = cls.__new__(cls)
        prosumer.containment = _TAKES_PRICES
        prosumer._move_in(model, household, behaviour, seat)
        return prosumer

    @property
    def _own(self) -> OwnSeat:
        """Its own seat, which it alone changes."""
        assert isinstance(self._seat, OwnSeat), f"{self.name} answers with its crowd"
        return self._seat

    def _move_in(self, model: mesa.Model, household: Household, behaviour: Behaviour, seat: Seat) -> None:
        mesa.Agent.__init__(self, model)
        self.household, self.behaviour, self._seat = household, behaviour, seat

    @property
    def problem(self) -> Subproblem:
        """Its own optimisation problem."""
        return self._seat.problem

    @property
    def plan(self) -> Plan:
        """What it intended in the last round of sharing, then what it makes of the trades agreed there."""
        return self._seat.plan

    @property
    def schedule(self) -> Plan:
        """What it is committed to: its last bid, its trades, and what it consumes with them."""
        return self._seat.schedule

    @property
    def power_kw(self) -> FloatArray:
        """The sharing powers that it offered last, (link, period)."""
        return self._seat.power_kw

    @property
    def bid_kw(self) -> FloatArray:
        """What it orders from the DSO as it stands, (period,), see the class."""
        return self._seat.bid_kw

    @property
    def realised(self) -> Plan:
        """What really comes of its schedule: what was bid and traded, put to the best use of its real household.

        Its devices do what was planned.
        """
        if self.problem.household is self.household:
            return self.schedule
        return self._own_problem.best_use(self.schedule)

    @property
    def name(self) -> str:
        """Its name."""
        return self.household.name

    @property
    def bus(self) -> str:
        """The bus it is connected to."""
        return self.household.bus

    def answer(self, quote: Quote) -> tuple[Offer, Bid]:
        """Algorithm 1, line 5: solve (20) at the quote and publish sharing power and price, nothing else.

        The bid that its plan needs goes to the DSO, so that LMPs may follow bids while prosumers share.

        Raises:
            BehaviourError: Its behaviour failed, or offers what it cannot.
        """
        return self._whatever_happens(self._answer, quote)

    def _answer(self, quote: Quote) -> tuple[Offer, Bid]:
        believed = self.containment.believe(quote)
        self._own.plan = self.containment.answer(believed, self.problem)
        offer = self.containment.offer(believed, self.plan, self.problem.cap_kw)
        self._own.power_kw = offer.power_kw
        self._own.bid_kw = self.problem.order_kw(self._within_limits(self.plan.bid_kw), offer.power_kw)
        return offer, Bid(self.bid_kw)

    def regret(self, delivery: Delivery, plan: Plan | None = None) -> Regret:
        """What it could still gain at these prices by leaving its schedule: cost of the schedule less the least cost.

        Never below zero by more than the solver's error, and zero for everybody at an equilibrium (see
        `market.proof.certificate`); see `Problems.regret_usd`.

        Args:
            delivery: The prices; its trades are not looked at.
            plan: Another schedule to judge by them than the one it is committed to.
        """
        return self._whatever_happens(self._regret, delivery, plan)

    def _regret(self, delivery: Delivery, plan: Plan | None) -> Regret:
        believed = self.containment.believe(delivery)
        return Regret(self.problem.regret_usd(believed, self.schedule if plan is None else plan))

    def deliver(self, delivery: Delivery) -> tuple[Bid, Regret]:
        """After Algorithm 1: re-solve with the trades fixed, bid for what is needed (26), and tell what is regretted.

        It is committed to nothing yet: see `commit`.

        Raises:
            BehaviourError: Its behaviour failed.
        """
        return self._whatever_happens(self._deliver, delivery)

    def _deliver(self, delivery: Delivery) -> tuple[Bid, Regret]:
        believed = self.containment.believe(delivery)
        self._own.plan = plan = self.problem.deliver(self.problem.paid(believed))
        bid = self._within_limits(self.containment.bid(believed, plan))
        if not np.array_equal(bid, plan.bid_kw):
            self._own.plan = self.problem.with_bid(plan, bid)
        self._own.bid_kw = self._order(self.schedule)
        return Bid(frozen(self._order(self.plan))), self._regret(delivery, self.plan)

    def commit(self, step: float = 1.0) -> Bid:
        """Commit to what was delivered last, or go only a `step` of the way there (`damped`), and bid for that."""
        self._own.schedule = self.plan if step == 1.0 else self.problem.between(self.schedule, self.plan, step)
        self._own.bid_kw = self._order(self.schedule)
        return Bid(frozen(self.bid_kw))

    def _order(self, plan: Plan) -> FloatArray:
        return self.problem.order_kw(plan.bid_kw, plan.trade_kw)

    def _within_limits(self, bid_kw: FloatArray) -> FloatArray:
        """The bid within (17)."""
        home = self.problem.household
        return np.clip(bid_kw, home.bid_min_kw, home.bid_max_kw)

    def memory(self) -> FloatArray:
        """All that it remembers, but for its private data and its behaviour, (row, period).

        Plan, schedule, powers and order; then the point where its next search starts.
        """
        return np.vstack([self.plan.powers, self.schedule.powers, self.power_kw, self.bid_kw, self.problem.point])

    def recall(self, memory: FloatArray) -> None:
        """Go on from a `memory`, to the last bit."""
        links, columns = self.problem.links, self.problem.columns
        planned = 3 + links + columns
        plan, schedule, power, bid, self.problem.point = np.split(memory, np.cumsum([planned, planned, links, 1]))
        self._own.plan, self._own.schedule = Plan.of(plan, columns), Plan.of(schedule, columns)
        self._own.power_kw, self._own.bid_kw = power, bid[0]

    def resume(self, kept: dict[str, Any]) -> None:
        """Go on from what its containment `kept`, before `recall`."""
        self.containment.restore(kept)
        self._own.problem = self._own_problem if self.containment.excluded else self._declared

    def _whatever_happens(self, act: Callable[..., Answer], *told: object) -> Answer:
        """What it does; once more if its behaviour is excluded on the way: it is a price taker of its own home then.

        What is bid and traded stays, and is put to the best use there.
        """
        try:
            return act(*told)
        except ExcludedError:
            home = self._own_problem
            if self.problem is not home:
                self._own.problem = home
                self._own.plan, self._own.schedule = home.best_use(self.plan), home.best_use(self.schedule)
        return act(*told)
