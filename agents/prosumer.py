"""The prosumer agent."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Protocol, TypeVar

import numpy as np

from ..network.arrays import FloatArray, frozen
from ..network.errors import GridbazaarError
from .behaviour import Behaviour, BehaviourError
from .household import Household
from .mesa_library import mesa
from .messages import Bid, Delivery, Offer, Quote, Regret
from .plan import Plan
from .subproblem import Subproblem

Told = TypeVar("Told", Quote, Delivery)


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
        return cls(problem, plan, plan, plan.trade_kw, nothing)


class Prosumer(mesa.Agent):
    """A home, shop or plant that trades: it owns its private data and answers with offers, bids and one regret.

    What the other agents may use are the methods; `household`, `plan` and `schedule` are its own. `power_kw` and
    `bid_kw` are what it has published of them.

    Attributes:
        household: Its private data.
        behaviour: How it acts.
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
        behaviour: Behaviour,
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
            behaviour: How it acts.
            rng: Its own randomness.
            fee_usd_per_kwh: What a kWh on each of its links costs both ends together beside its price, (link,).
            withdrawals: Whether the DSO clears for what it withdraws, trades included, and not for its bid.
            problem: How it solves its own problem.
        """
        behaviour.rng = rng
        self.household, self.behaviour = household, behaviour
        fee = np.zeros(cap_kw.size) if fee_usd_per_kwh is None else fee_usd_per_kwh
        declared = problem(self._declared(), cap_kw, fee + 2 * self._spread(), withdrawals=withdrawals)
        self._move_in(model, household, behaviour, OwnSeat.of(declared))
        same = declared.household is household
        self._real = declared if same else Subproblem(household, cap_kw, fee, withdrawals=withdrawals)

    @classmethod
    def seated(cls, model: mesa.Model, household: Household, behaviour: Behaviour, seat: Seat) -> Prosumer:
        """One that has a seat already: a price taker, for whom its crowd answers, and that can be looked at."""
        prosumer = cls.__new__(cls)
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
        """What really comes of its schedule: what was bid and traded, put to the best use of its real household."""
        if self._real is self.problem:
            return self.schedule
        return self._real.best_use(self.schedule)

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
        believed = self._believed(quote)
        self._own.plan = self._ask("answer", believed, self.problem)
        if not isinstance(self.plan, Plan):
            raise self._wrong(
                "answer", f"returned {type(self.plan).__name__}; return a Plan, as problem.share(quote) does"
            )
        offer = self._ask("offer", believed, self.plan)
        if not isinstance(offer, Offer):
            raise self._wrong("offer", f"returned {type(offer).__name__}; return Offer(power_kw, price_usd_per_kwh)")
        shape = quote.price_usd_per_kwh.shape
        power = self._array("offer", "power_kw", offer.power_kw, shape)
        price = self._array("offer", "price_usd_per_kwh", offer.price_usd_per_kwh, shape)
        over = np.abs(power) - self.problem.cap_kw[:, None]
        if over.max(initial=0.0) > 1e-6:
            raise self._wrong(
                "offer", f"power_kw exceeds the cap of a link (15) by {over.max():.4g} kW; clip it to the cap"
            )
        planned = self._array("answer", "the plan's bid_kw", self.plan.bid_kw, quote.lmp_usd_per_kwh.shape)
        self._own.power_kw, self._own.bid_kw = power, self.problem.order_kw(self._within_limits(planned), power)
        return Offer(power, price), Bid(self.bid_kw)

    def regret(self, delivery: Delivery, plan: Plan | None = None) -> Regret:
        """What it could still gain at these prices by leaving its schedule: cost of the schedule less the least cost.

        Never below zero by more than the solver's error, and zero for everybody at an equilibrium (see
        `market.proof.certificate`); see `Problems.regret_usd`.

        Args:
            delivery: The prices; its trades are not looked at.
            plan: Another schedule to judge by them than the one it is committed to.
        """
        believed = self._believed(delivery)
        return Regret(self.problem.regret_usd(believed, self.schedule if plan is None else plan))

    def deliver(self, delivery: Delivery) -> tuple[Bid, Regret]:
        """After Algorithm 1: re-solve with the trades fixed, bid for what is needed (26), and tell what is regretted.

        It is committed to nothing yet: see `commit`.

        Raises:
            BehaviourError: Its behaviour failed.
        """
        believed = self._believed(delivery)
        self._own.plan = plan = self.problem.deliver(self.problem.paid(believed))
        asked = self._array("bid", "the bid", self._ask("bid", believed, plan), plan.bid_kw.shape)
        bid = self._within_limits(asked)
        if not np.array_equal(bid, plan.bid_kw):
            self._own.plan = self.problem.with_bid(plan, bid)
        self._own.bid_kw = self._order(self.schedule)
        return Bid(frozen(self._order(self.plan))), self.regret(delivery, self.plan)

    def commit(self, step: float = 1.0) -> Bid:
        """Commit to what was delivered last, or go only a `step` of the way there (`damped`), and bid for that."""
        self._own.schedule = self.plan if step == 1.0 else self.schedule.towards(self.plan, step)
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
        links = self.problem.links
        rows = np.cumsum([3 + links, 3 + links, links, 1])
        plan, schedule, power, bid, self.problem.point = np.split(memory, rows)
        self._own.plan, self._own.schedule = Plan.of(plan), Plan.of(schedule)
        self._own.power_kw, self._own.bid_kw = power, bid[0]

    def _declared(self) -> Household:
        """The household that its behaviour declares."""
        declared: object = self._ask("declare", self.household)
        if not isinstance(declared, Household):
            raise self._wrong("declare", f"returned {type(declared).__name__}; return a Household")
        if (declared.name, declared.periods, declared.dt_h) != (self.name, self.household.periods, self.household.dt_h):
            raise self._wrong("declare", "changed the name or the periods; change limits, loads or the utility alone")
        return declared

    def _spread(self) -> float:
        """What its behaviour asks beside prices."""
        spread = self._ask("spread_usd_per_kwh", self.household)
        if not (isinstance(spread, int | float) and 0 <= spread < np.inf):
            raise self._wrong("spread_usd_per_kwh", f"returned {spread!r}; return a number of at least 0")
        return float(spread)

    def _believed(self, told: Told) -> Told:
        lmp = self._ask("believe", told.lmp_usd_per_kwh)
        return replace(told, lmp_usd_per_kwh=self._array("believe", "its series", lmp, told.lmp_usd_per_kwh.shape))

    def _ask(self, verb: str, *told: object) -> Any:
        try:
            return getattr(self.behaviour, verb)(*told)
        except GridbazaarError:
            raise
        except Exception as error:  # a user's code may raise anything; it is passed on with its cause and its place
            raise self._wrong(verb, BehaviourError.told(error)) from error

    def _array(self, verb: str, what: str, values: object, shape: tuple[int, ...]) -> FloatArray:
        try:
            array = np.asarray(values, dtype=float)
        except (TypeError, ValueError):
            raise self._wrong(verb, f"{what} is not an array of numbers") from None
        if array.shape != shape:
            raise self._wrong(verb, f"{what} has shape {array.shape}; {shape} is needed")
        if not np.isfinite(array).all():
            raise self._wrong(verb, f"{what} has a value that is not a finite number")
        return array

    def _wrong(self, verb: str, problem: str) -> BehaviourError:
        return BehaviourError(self.name, type(self.behaviour).__name__, verb, problem)
