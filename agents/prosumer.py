"""The prosumer agent."""

from dataclasses import replace

import mesa
import numpy as np

from .arrays import FloatArray, frozen
from .behaviour import Behaviour
from .household import Household
from .messages import Bid, Delivery, Offer, Quote, Regret
from .subproblem import Plan, Subproblem


class Prosumer(mesa.Agent):
    """A home, shop or plant that trades: it owns its private data and answers with offers, bids and one regret.

    What the other agents may use are the methods; `household`, `plan` and `schedule` are its own.

    Attributes:
        household: Its private data.
        behaviour: How it acts.
        plan: What it intended in the last round of sharing.
        schedule: What it is committed to: its last bid, its trades, and what it consumes with them.
    """

    def __init__(
        self,
        model: mesa.Model,
        household: Household,
        cap_kw: FloatArray,
        behaviour: Behaviour,
        rng: np.random.Generator,
    ) -> None:
        """Move in.

        Args:
            model: The community it lives in.
            household: Its private data.
            cap_kw: Cap of each of its links, (link,).
            behaviour: How it acts.
            rng: Its own randomness.
        """
        super().__init__(model)
        self.household = household
        self.behaviour = behaviour
        self.behaviour.rng = rng
        self.problem = Subproblem(household, cap_kw)
        nothing = np.zeros(household.periods)
        self.plan = self.schedule = Plan(nothing, nothing, nothing, np.zeros((cap_kw.size, household.periods)))

    @property
    def name(self) -> str:
        """Its name."""
        return self.household.name

    @property
    def bus(self) -> str:
        """The bus it is connected to."""
        return self.household.bus

    def answer(self, quote: Quote) -> Offer:
        """Algorithm 1, line 5: solve (20) at the quote and publish sharing power and price, nothing else."""
        believed = replace(quote, lmp_usd_per_kwh=self.behaviour.believe(quote.lmp_usd_per_kwh))
        self.plan = self.behaviour.answer(believed, self.problem)
        return self.behaviour.offer(believed, self.plan)

    def regret(self, delivery: Delivery) -> Regret:
        """What it could still gain at these prices by leaving its schedule: cost of the schedule less the least cost.

        Never below zero by more than rounding, and zero for everybody at an equilibrium (model: certificate).
        """
        believed = self._believed(delivery)
        bound = self.problem.least_cost_usd(believed)
        payment = self.schedule.payment_usd(self.household, delivery.price_usd_per_kwh)
        return Regret(self.schedule.cost_usd(self.household, believed.lmp_usd_per_kwh) + payment - bound)

    def deliver(self, delivery: Delivery) -> Bid:
        """After Algorithm 1: commit to the trades, re-solve with them fixed, and bid for what is needed (26)."""
        believed = self._believed(delivery)
        self.plan = self.problem.deliver(believed)
        bid = np.clip(self.behaviour.bid(believed, self.plan), 0.0, self.household.bid_max_kw)
        changed = not np.array_equal(bid, self.plan.bid_kw)
        self.schedule = self.problem.with_bid(self.plan, bid) if changed else self.plan
        return Bid(frozen(bid))

    def _believed(self, delivery: Delivery) -> Delivery:
        return replace(delivery, lmp_usd_per_kwh=self.behaviour.believe(delivery.lmp_usd_per_kwh))
