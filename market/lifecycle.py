"""How a market is copied, travels, and is closed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from copy import deepcopy
from dataclasses import dataclass, replace
from html import escape
from typing import Any, Self

import numpy as np

from ..agents.behaviour import Behaviour
from ..agents.household import Household
from ..agents.mesa_library import forget, mesa
from ..agents.operator import SystemOperator
from ..agents.platform import SharingPlatform
from ..agents.trade_graph import Link, TradeGraph
from ..network.arrays import FloatArray
from ..network.clearing import Clearing
from .hosting.communities import Communities
from .hosting.lossy_channel import DirectChannel, LossyChannel, MessageFaults
from .hosting.options import Hosting
from .hosting.tapped_channel import TappedChannel
from .methods.fixed_point import FixedPoint
from .outcome import Ending
from .proof.stopping_rule import StoppingRule
from .record import standing
from .rounds import Phase, Round
from .settings import MarketSettings
from .state import MarketState


@dataclass(frozen=True, slots=True, eq=False)
class Blueprint:
    """What a market was opened with, but for the prosumers: see `EnergyMarket.__init__`."""

    clearing: Clearing
    links: tuple[Link, ...]
    settings: MarketSettings
    faults: MessageFaults
    seed: np.random.SeedSequence


class Lifecycle(mesa.Model):
    """A Mesa model that can be snapped, restored, opened anew, and so be copied and travel.

    Attributes: those of `EnergyMarket`, and
        blueprint: What the market was opened with.
    """

    settings: MarketSettings
    graph: TradeGraph
    operator: SystemOperator
    platform: SharingPlatform
    communities: Communities
    proof: StoppingRule
    method: FixedPoint
    channel: DirectChannel | LossyChannel | TappedChannel
    phase: Phase
    rounds: int
    bid_kw: FloatArray
    sharing_rounds: tuple[int, ...]
    ending: Ending
    last: Round | None
    datacollector: mesa.DataCollector
    seconds: dict[str, float]

    @property
    def iteration(self) -> int:
        """Outer step of Algorithm 2, from 1; 0 before the first clearing."""
        return len(self.sharing_rounds)

    def __init__(self, blueprint: Blueprint) -> None:
        """Begin a model of this blueprint."""
        super().__init__(rng=np.random.default_rng(blueprint.seed))
        self.blueprint = blueprint

    def snapshot(self, *, prosumers: bool = True) -> MarketState:
        """All that the market remembers, what prosumers do included unless that is not asked for; nobody changes it.

        Raises:
            UnsavedError: A behaviour remembers what cannot be kept.
        """
        return MarketState(
            phase=self.phase,
            rounds=self.rounds,
            bid_kw=self.bid_kw,
            sharing_rounds=self.sharing_rounds,
            ending=self.ending,
            last=self.last,
            operator=self.operator.state,
            platform=self.platform.state,
            proof=self.proof.state,
            method=self.method.state,
            channel=self.channel.state,
            communities=self.communities.snapshot() if prosumers else None,
            misbehaved=self.communities.misbehaviour.so_far,
            chance=(self.rng.bit_generator.state, self.random.getstate()),
            collected={name: tuple(column) for name, column in self.datacollector.model_vars.items()},
            seconds=dict(self.seconds),
        )

    def restore(self, state: MarketState) -> None:
        """Go on from a snapshot of this market, or of another one of the same scenario, with the same bits."""
        if state.communities is not None:
            self.communities.restore(state.communities)
        self.communities.misbehaviour.so_far = state.misbehaved
        if state.rounds:
            self.communities.misbehaviour.forget_misdeeds()
        self.phase, self.rounds = state.phase, state.rounds
        self.running = state.phase is not Phase.ENDED
        self.bid_kw, self.sharing_rounds = state.bid_kw, state.sharing_rounds
        self.ending, self.last = state.ending, state.last
        self.operator.restore(state.operator)
        self.platform.state, self.proof.state = state.platform, state.proof
        self.method.state, self.channel.state = state.method, state.channel
        self.rng.bit_generator.state, chance = state.chance
        self.random.setstate(chance)
        self.steps = state.rounds  # Mesa's own count
        self.seconds = dict(state.seconds)
        for name in self.datacollector.model_vars.keys() & state.collected.keys():
            self.datacollector.model_vars[name] = list(state.collected[name])

    def copy(self) -> Self:
        """Another market that goes on from here, with the same bits; on workers it starts workers of its own.

        Raises:
            UnsavedError: A behaviour remembers what cannot be kept.
        """
        state = self.snapshot()
        twin = type(self)._opened(self.blueprint, *self._people())
        try:
            twin.restore(state)
        except BaseException:
            twin.close()
            raise
        return twin

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        memo[id(self)] = twin = self.copy()
        return twin

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[object, ...]]:
        state = self.snapshot()
        return _arrived, (type(self), self.blueprint, *self._people(), state)

    def _people(self) -> tuple[tuple[Household, ...], dict[str, Behaviour], Hosting]:
        """The prosumers as they moved in, and where they live; nobody is told of a copy's messages."""
        specs = self.communities.specs
        homes = {home.name: home for spec in specs for home in spec.households}
        behaviours = {
            name: deepcopy(behaviour)
            for spec in specs
            for name, behaviour in zip(spec.membership.names, spec.behaviours, strict=True)
        }
        hosting = replace(self.communities.hosting, log=None)
        return tuple(homes[name] for name in self.graph.names), behaviours, hosting

    @classmethod
    def _opened(
        cls,
        blueprint: Blueprint,
        households: tuple[Household, ...],
        behaviours: Mapping[str, Behaviour],
        hosting: Hosting,
    ) -> Self:
        """A market of this blueprint, at its beginning."""
        return cls(  # type: ignore[call-arg]
            blueprint.clearing,  # type: ignore[arg-type]
            households,
            blueprint.links,
            settings=blueprint.settings,
            behaviours=behaviours,
            rng=np.random.SeedSequence(blueprint.seed.entropy, spawn_key=blueprint.seed.spawn_key),
            hosting=hosting,
            messages=blueprint.faults,
        )

    def __str__(self) -> str:
        """Where it stands, in words."""
        return standing(self)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self}>"

    def _repr_html_(self) -> str:
        """Where it stands, in a notebook."""
        return f"<p>{escape(str(self))}</p>"

    def close(self) -> None:
        """Let go of workers and of what they saved, and let the memory of a market go that nobody uses any more."""
        self.communities.close()
        forget(self)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _arrived(kind: type[Lifecycle], blueprint: Blueprint, *parts: Any) -> Lifecycle:
    """A market that travelled."""
    *people, state = parts
    market = kind._opened(blueprint, *people)
    market.restore(state)
    return market
