"""A community: the prosumers that live in one process."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import mesa
import numpy as np

from ..agents.arrays import FloatArray
from ..agents.behaviour import Behaviour, PriceTaker
from ..agents.household import Household
from ..agents.messages import Deliveries, Offers, Quotes
from ..agents.prosumer import Prosumer
from ..agents.trade_graph import TradeGraph
from ..network.errors import InputError
from .shortfall import Shortfall, find_shortfall


@dataclass(frozen=True, slots=True)
class Books:
    """What the prosumers' private books say, for the person at the screen; no agent of the market ever reads them.

    Attributes:
        bid_kw, curtailed_kw, elastic_kw: The schedules, (prosumer, period).
        trade_kw: (arc, period).
        cost_usd: F_i of (11) at the LMPs asked for, (prosumer,).
        payment_usd: What each pays for its trades at the prices asked for, (prosumer,).
        utility_usd: (12), (prosumer,).
        violation_kw: By how much an elastic load leaves its limits, (prosumer,).
    """

    bid_kw: FloatArray
    curtailed_kw: FloatArray
    elastic_kw: FloatArray
    trade_kw: FloatArray
    cost_usd: FloatArray
    payment_usd: FloatArray
    utility_usd: FloatArray
    violation_kw: FloatArray


class Community(mesa.Model):
    """The prosumers of one process, answering as one: one message in, one message out.

    Attributes:
        prosumers: The agents, in the order of the trade graph's names.
    """

    def __init__(
        self,
        households: Sequence[Household],
        graph: TradeGraph,
        behaviours: Mapping[str, Behaviour] | None = None,
        rng: np.random.SeedSequence | int | None = None,
    ) -> None:
        """Found the community; the only time that private data is handed over.

        Args:
            households: The private data, in the order of the trade graph's names.
            graph: Who may trade with whom.
            behaviours: How the named prosumers act; all others are price takers.
            rng: Seed of all randomness; each prosumer gets its own child.

        Raises:
            InputError: A behaviour is meant for nobody, or for more than one.
            HouseholdShortageError: A household cannot balance some period whatever the others do.
        """
        seed = rng if isinstance(rng, np.random.SeedSequence) else np.random.SeedSequence(rng)
        super().__init__(rng=np.random.default_rng(seed))
        self.graph = graph
        self.periods = households[0].periods
        chosen = behaviours or {}
        _check_behaviours(chosen, graph.names)
        self.prosumers = [
            Prosumer(
                self,
                household,
                graph.cap_kw[graph.link[graph.arcs(i)]],
                chosen.get(household.name, PriceTaker()),
                np.random.default_rng(child),
            )
            for i, (household, child) in enumerate(zip(households, seed.spawn(len(households)), strict=True))
        ]

    def answer(self, quotes: Quotes) -> Offers:
        """Algorithm 1, line 5: the offers of all members that are asked."""
        power, price = np.zeros_like(quotes.own_kw), np.zeros_like(quotes.own_kw)
        bids = np.zeros_like(quotes.held_bid_kw)
        for i in quotes.members:
            offer, bid = self.prosumers[i].answer(quotes.of(i, self.graph))
            arcs = self.graph.arcs(i)
            power[arcs], price[arcs], bids[i] = offer.power_kw, offer.price_usd_per_kwh, bid.power_kw
        return Offers(quotes.members, power, price, bids)

    def regrets(self, deliveries: Deliveries) -> FloatArray:
        """What each prosumer could gain by leaving its schedule at these prices, (prosumer,) in $."""
        return np.array([p.regret(deliveries.of(i, self.graph)).usd for i, p in enumerate(self.prosumers)])

    def deliver(self, deliveries: Deliveries) -> tuple[FloatArray, FloatArray]:
        """The bids after sharing, (prosumer, period) in kW, and what is regretted of what was agreed, (prosumer,)."""
        told = [p.deliver(deliveries.of(i, self.graph)) for i, p in enumerate(self.prosumers)]
        return np.array([bid.power_kw for bid, _ in told]), np.array([regret.usd for _, regret in told])

    def commit(self, step: float = 1.0) -> FloatArray:
        """The bids that prosumers commit to, (prosumer, period): what was delivered, or a step of the way there."""
        return np.array([p.commit(step).power_kw for p in self.prosumers])

    def shortfall(self) -> Shortfall | None:
        """Whether members together must go short; for the person at the screen only."""
        return find_shortfall([p.household for p in self.prosumers], self.graph)

    def books(self, deliveries: Deliveries) -> Books:
        """The prosumers' schedules, valued at these prices; for the person at the screen only."""
        told = [deliveries.of(i, self.graph) for i in range(len(self.prosumers))]
        homes = [p.household for p in self.prosumers]
        plans = [p.schedule for p in self.prosumers]
        return Books(
            np.array([plan.bid_kw for plan in plans]),
            np.array([plan.curtailed_kw for plan in plans]),
            np.array([plan.elastic_kw for plan in plans]),
            np.concatenate([plan.trade_kw for plan in plans]),
            np.array([s.cost_usd(h, d.lmp_usd_per_kwh) for s, h, d in zip(plans, homes, told, strict=True)]),
            np.array([s.payment_usd(h, d.price_usd_per_kwh) for s, h, d in zip(plans, homes, told, strict=True)]),
            np.array([h.utility_usd(s.elastic_kw) for s, h in zip(plans, homes, strict=True)]),
            np.array([s.violation_kw(h) for s, h in zip(plans, homes, strict=True)]),
        )


def _check_behaviours(behaviours: Mapping[str, Behaviour], names: Sequence[str]) -> None:
    """Refuse behaviours that name nobody, and one object that is to serve two: it would mix up their state and rng."""
    owner: dict[int, str] = {}
    for name, behaviour in behaviours.items():
        if name not in names:
            raise InputError(f"there is a behaviour for {name}, but the prosumers are {', '.join(names)}")
        other = owner.setdefault(id(behaviour), name)
        if other != name:
            raise InputError(f"{other} and {name} share one behaviour object; give each its own")
