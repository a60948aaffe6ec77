"""A community: the prosumers that live in one process."""

from collections.abc import Iterator, Sequence

import numpy as np

from ...agents.behaviour import BehaviourError
from ...agents.mesa_library import mesa
from ...agents.messages import (
    Bids,
    Commitment,
    Deliveries,
    Delivery,
    Offers,
    Pledges,
    Quotes,
    Regrets,
)
from ...agents.prosumer import Prosumer
from ..messages import Needs, PrivateSchedules, Question
from .checkpoint import load_memories, save_memories
from .plain import UnsavedError
from .spec import CommunitySpec


class Community(mesa.Model):
    """The prosumers of one process, answering as one: one message in, one message out.

    Messages hold the rows of the members alone, in the order of the membership; see `Membership.cut`.

    Attributes:
        membership: Who lives here.
        prosumers: The agents, in the order of the membership.
    """

    def __init__(self, spec: CommunitySpec) -> None:
        """Set up the community.

        Raises:
            HouseholdShortageError: A household cannot balance some period whatever the others do.
        """
        super().__init__(rng=np.random.default_rng(spec.seeds[0]))
        self.membership = spec.membership
        self.prosumers = [
            self._prosumer(i, spec, rng) for i, rng in enumerate(np.random.default_rng(seed) for seed in spec.seeds)
        ]

    def _prosumer(self, i: int, spec: CommunitySpec, rng: np.random.Generator) -> Prosumer:
        arcs = self.membership.arcs(i)
        cap, fee = self.membership.cap_kw[arcs], self.membership.fee_usd_per_kwh[arcs]
        return Prosumer(self, spec.households[i], cap, spec.behaviours[i], rng, fee, withdrawals=spec.withdrawals)

    def answer(self, quotes: Quotes) -> Offers:
        """Algorithm 1, line 5: the offers of all members that are asked."""
        power, price = np.zeros_like(quotes.own_kw), np.zeros_like(quotes.own_kw)
        bids = np.zeros_like(quotes.held_bid_kw)
        for i in quotes.members:
            offer, bid = self.prosumers[i].answer(quotes.of(i, self.membership))
            arcs = self.membership.arcs(i)
            power[arcs], price[arcs], bids[i] = offer.power_kw, offer.price_usd_per_kwh, bid.power_kw
        return Offers(quotes.members, power, price, bids)

    def regrets(self, deliveries: Deliveries) -> Regrets:
        """What each member could gain by leaving its schedule at these prices."""
        return Regrets(np.array([p.regret(told).usd for p, told in self._told(deliveries)]))

    def deliver(self, deliveries: Deliveries) -> Pledges:
        """The bids after sharing, and what is regretted of what was agreed."""
        said = [p.deliver(told) for p, told in self._told(deliveries)]
        return Pledges(np.array([bid.power_kw for bid, _ in said]), np.array([regret.usd for _, regret in said]))

    def commit(self, commitment: Commitment) -> Bids:
        """The bids that members commit to."""
        return Bids(np.array([p.commit(commitment.step).power_kw for p in self.prosumers]))

    def needs(self, question: Question) -> Needs:
        """What members need and have; for the person at the screen only."""
        del question
        homes = [p.household for p in self.prosumers]
        return Needs(
            np.array([h.fixed_kw + h.elastic_min_kw for h in homes]),
            np.array([h.renewable_kw + h.bid_max_kw for h in homes]),
        )

    def schedules(self, deliveries: Deliveries) -> PrivateSchedules:
        """The members' schedules, valued at these prices; for the person at the screen only."""
        entries = [(p.schedule, p.household, told) for p, told in self._told(deliveries)]
        fees = np.array([home.fees_usd(plan.bid_kw) for plan, home, _ in entries])
        return PrivateSchedules(
            bid_kw=np.array([plan.bid_kw for plan, _, _ in entries]),
            curtailed_kw=np.array([plan.curtailed_kw for plan, _, _ in entries]),
            elastic_kw=np.array([plan.elastic_kw for plan, _, _ in entries]),
            fixed_kw=np.array([home.fixed_kw for _, home, _ in entries]),
            renewable_kw=np.array([home.renewable_kw for _, home, _ in entries]),
            trade_kw=np.concatenate([plan.trade_kw for plan, _, _ in entries]),
            cost_usd=np.array([plan.cost_usd(home, told.lmp_usd_per_kwh) for plan, home, told in entries]),
            grid_fee_usd=fees[:, 0],
            feed_in_fee_usd=fees[:, 1],
            payment_usd=np.array([plan.payment_usd(home, told.price_usd_per_kwh) for plan, home, told in entries]),
            utility_usd=np.array([home.utility_usd(plan.elastic_kw) for plan, home, _ in entries]),
            violation_kw=np.array([plan.violation_kw(home) for plan, home, _ in entries]),
        )

    def save(self) -> bytes:
        """All that the members' next answers depend on, private data aside.

        Raises:
            UnsavedError: A behaviour remembers what cannot be kept, or fails to say what it does.
        """
        try:
            return save_memories(self.prosumers)
        except UnsavedError:
            raise
        except Exception as error:  # a user's code may raise anything
            raise UnsavedError(f"prosumers cannot be saved: {BehaviourError.told(error)}") from error

    def recall(self, saved: Sequence[bytes]) -> None:
        """Go on from where the members were saved, in this community or in others."""
        load_memories(self.prosumers, saved)

    def _told(self, deliveries: Deliveries) -> Iterator[tuple[Prosumer, Delivery]]:
        """Each member with its own part of a message to all."""
        return ((p, deliveries.of(i, self.membership)) for i, p in enumerate(self.prosumers))
