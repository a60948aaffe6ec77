"""A community: the prosumers that live in one process."""

from collections.abc import Callable, Sequence
from typing import TypeVar

import numpy as np

from ...agents.behaviour import PriceTaker, close_all
from ...agents.behaviour_errors import BehaviourError
from ...agents.containment import Containment
from ...agents.crowd import Crowd, CrowdSeat
from ...agents.homes import Homes
from ...agents.mesa_library import forget, mesa
from ...agents.messages import (
    Bids,
    Commitment,
    Deliveries,
    Offers,
    Pledges,
    Quotes,
    Regrets,
)
from ...agents.misdeed import Misdeed
from ...agents.plan import Plan
from ...agents.problems import Problems
from ...agents.prosumer import Prosumer
from ...agents.subproblem import Subproblem
from ...network.arrays import FloatArray
from ...network.cores import side_by_side
from ..messages import Needs, PrivateSchedules, Question
from .checkpoint import load_memories, save_memories
from .plain import UnsavedError
from .spec import CommunitySpec, problem_of

Answer = TypeVar("Answer")


class Community(mesa.Model):
    """The prosumers of one process, answering as one: one message in, one message out.

    Price takers answer in one call for all (`Crowd`), whoever acts on a behaviour or a solver of its own one by one.
    Messages hold the rows of the members alone, in the order of the membership; see `Membership.cut`.

    Attributes:
        membership: Who lives here.
        prosumers: The agents, in the order of the membership.
        crowd: The price takers.
        others: All others, by their place in the membership.
    """

    def __init__(self, spec: CommunitySpec) -> None:
        """Set up the community.

        Raises:
            HouseholdShortageError: A household cannot balance some period whatever the others do.
        """
        super().__init__(rng=np.random.default_rng(spec.seeds[0]))
        self.membership = members = spec.membership
        homes = Homes(spec.households, members.cap_kw, members.fee_usd_per_kwh, members.starts)
        homes.check_balance(spec.households)
        plain = spec.problem is Subproblem
        people = zip(spec.households, spec.behaviours, strict=True)
        alike = [plain and type(behaviour) is PriceTaker and not home.devices for home, behaviour in people]
        self.crowd = Crowd(Problems(homes, withdrawals=spec.withdrawals), np.flatnonzero(alike))
        self.others: dict[int, Prosumer] = {}
        self.prosumers: list[Prosumer] = []
        for i, joins in enumerate(alike):
            if joins:
                home = spec.households[i]
                seat = CrowdSeat(home, self.crowd, i)
                self.prosumers.append(Prosumer.seated(self, home, spec.behaviours[i], seat))
            else:
                self.others[i] = self._alone(i, spec)
                self.prosumers.append(self.others[i])

    def _alone(self, i: int, spec: CommunitySpec) -> Prosumer:
        arcs, rng = self.membership.arcs(i), np.random.default_rng(spec.seeds[i])
        cap, fee = self.membership.cap_kw[arcs], self.membership.fee_usd_per_kwh[arcs]
        home = spec.households[i]
        behaviour = Containment(home.name, spec.behaviours[i], spec.rules)
        problem = problem_of(home, spec.problem)
        return Prosumer(self, home, cap, behaviour, rng, fee, withdrawals=spec.withdrawals, problem=problem)

    def misdeeds(self) -> tuple[Misdeed, ...]:
        """What behaviours have failed in since this was asked last."""
        found: list[Misdeed] = []
        for prosumer in self.others.values():
            found += prosumer.containment.misdeeds
            prosumer.containment.misdeeds = []
        return tuple(found)

    def close(self) -> None:
        """Let behaviours let go of what they hold outside, and let the memory of a community go that nobody uses."""
        close_all(prosumer.behaviour for prosumer in self.others.values())
        forget(self)

    def answer(self, quotes: Quotes) -> Offers:
        """Algorithm 1, line 5: the offers of all members that are asked."""
        asked = quotes.members
        plain = asked if self.crowd.is_all else np.intersect1d(asked, self.crowd.members, assume_unique=True)
        offers = self.crowd.answer(quotes, plain)
        others = [i for i in self.others if i in asked]
        if not others:
            return offers
        power, price, bids = (values.copy() for values in (offers.power_kw, offers.price_usd_per_kwh, offers.bid_kw))
        answers = self._each(others, lambda i: self.others[i].answer(quotes.of(i, self.membership)))
        for i, (offer, bid) in answers:
            arcs = self.membership.arcs(i)
            power[arcs], price[arcs], bids[i] = offer.power_kw, offer.price_usd_per_kwh, bid.power_kw
        return Offers(quotes.members, power, price, bids)

    def regrets(self, deliveries: Deliveries) -> Regrets:
        """What each member could gain by leaving its schedule at these prices."""
        usd = self.crowd.regrets_usd(deliveries)
        regrets = self._each(list(self.others), lambda i: self.others[i].regret(deliveries.of(i, self.membership)))
        for i, regret in regrets:
            usd[i] = regret.usd
        return Regrets(usd)

    def deliver(self, deliveries: Deliveries) -> Pledges:
        """The bids after sharing, and what is regretted of what was agreed."""
        pledges = self.crowd.deliver(deliveries)
        bids = pledges.bid_kw.copy() if self.others else pledges.bid_kw
        told = self._each(list(self.others), lambda i: self.others[i].deliver(deliveries.of(i, self.membership)))
        for i, (bid, regret) in told:
            bids[i], pledges.regret_usd[i] = bid.power_kw, regret.usd
            pledges.excess_kw[i] = self.others[i].plan.excess_kw(self.others[i].problem.household)
        return Pledges(bids, pledges.regret_usd, pledges.excess_kw)

    def _each(self, members: Sequence[int], act: Callable[[int], Answer]) -> list[tuple[int, Answer]]:
        """What each of these does, in their order; side by side where no code of users' is run for it.

        Each answers from what is its own, so that it does not matter who is first.
        """
        apart = [i for i in members if self.others[i].problem.lets_go and type(self.others[i].behaviour) is PriceTaker]
        done = dict(zip(apart, side_by_side(act, apart), strict=True))
        return [(i, done[i] if i in done else act(i)) for i in members]

    def commit(self, commitment: Commitment) -> Bids:
        """The bids that members commit to."""
        bids = self.crowd.commit(commitment.step)
        if self.others:
            bids = bids.copy()
        for i, prosumer in self.others.items():
            bids[i] = prosumer.commit(commitment.step).power_kw
        return Bids(bids)

    def needs(self, question: Question) -> Needs:
        """What members need and have; for the person at the screen only."""
        del question
        homes = [p.household for p in self.prosumers]
        return Needs(
            np.array([h.fixed_kw + h.elastic_min_kw for h in homes]),
            np.array([h.renewable_kw + h.bid_max_kw + (h.fleet.most_kw if h.devices else 0.0) for h in homes]),
        )

    def schedules(self, deliveries: Deliveries) -> PrivateSchedules:
        """The members' schedules, valued at these prices; for the person at the screen only."""
        plan, homes = self._schedule, self.crowd.homes
        devices_usd, devices_kw, flows = self._devices()
        grid_fee, feed_in_fee = homes.fees_usd(plan.bid_kw)
        return PrivateSchedules(
            bid_kw=plan.bid_kw,
            curtailed_kw=plan.curtailed_kw,
            elastic_kw=plan.elastic_kw,
            fixed_kw=np.array([p.household.fixed_kw for p in self.prosumers]),
            renewable_kw=np.array([p.household.renewable_kw for p in self.prosumers]),
            trade_kw=plan.trade_kw,
            cost_usd=plan.cost_usd(homes, deliveries.lmp_usd_per_kwh) + devices_usd,
            grid_fee_usd=grid_fee,
            feed_in_fee_usd=feed_in_fee,
            payment_usd=self.crowd.problems.payments_usd(plan, deliveries.price_usd_per_kwh),
            utility_usd=homes.utility_usd(plan.elastic_kw),
            violation_kw=plan.violation_kw(homes),
            devices_usd=devices_usd,
            devices_kw=devices_kw,
            charge_kw=flows[0],
            discharge_kw=flows[1],
            energy_kwh=flows[2],
            both_kw=flows[3],
        )

    def _devices(self) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Of what devices do: cost, (prosumer,), what they put into (13), (prosumer, period), and (4, device, period).

        The last are what each takes, gives and holds, and what it does both ways at once.
        """
        homes = self.crowd.homes
        usd, kw = np.zeros(homes.count), np.zeros((homes.count, homes.periods))
        flows = [np.zeros((4, 0, homes.periods))]
        for i, prosumer in self.others.items():
            if prosumer.household.devices:
                fleet, does = prosumer.household.fleet, prosumer.schedule.device
                usd[i], kw[i] = fleet.cost_usd(does), fleet.injection_kw(does)
                flows.append(np.concatenate([fleet.flows(does), fleet.both_kw(does)[None]]))
        return usd, kw, np.concatenate(flows, axis=1)

    @property
    def _schedule(self) -> Plan:
        """The schedules of all members as one plan, with what really comes of those that declare otherwise."""
        plan = self.crowd.standing.schedule
        if not self.others:
            return plan
        kinds = ("bid_kw", "curtailed_kw", "elastic_kw", "trade_kw")
        bid, curtailed, elastic, trade = (getattr(plan, kind).copy() for kind in kinds)
        for i, prosumer in self.others.items():
            own = prosumer.realised
            bid[i], curtailed[i], elastic[i] = own.bid_kw, own.curtailed_kw, own.elastic_kw
            trade[self.membership.arcs(i)] = own.trade_kw
        return Plan(bid, curtailed, elastic, trade)

    def save(self) -> bytes:
        """All that the members' next answers depend on, private data aside.

        Raises:
            UnsavedError: A behaviour remembers what cannot be kept, or fails to say what it does.
        """
        try:
            return save_memories(self.crowd, [p.name for p in self.prosumers], list(self.others.values()))
        except UnsavedError:
            raise
        except Exception as error:  # a user's code may raise anything
            raise UnsavedError(f"prosumers cannot be saved: {BehaviourError.told(error)}") from error

    def recall(self, saved: Sequence[bytes]) -> None:
        """Go on from where the members were saved, in this community or in others."""
        load_memories(self.crowd, [p.name for p in self.prosumers], list(self.others.values()), saved)
