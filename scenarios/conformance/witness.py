"""Who stands beside a behaviour and sees what it is asked, what it answers, and what becomes public of it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from time import perf_counter
from typing import Any

from ...agents.behaviour import Behaviour
from ...agents.misdeed import Misdeed
from ...agents.prosumer import Prosumer
from ...market.energy_market import EnergyMarket
from ...network.arrays import FloatArray

HOOKS = ("declare", "spread_usd_per_kwh", "believe", "answer", "offer", "bid")
"""What a behaviour is asked."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A question to a behaviour.

    Attributes:
        told: What it was told.
        answer: What it answered.
        seconds: How long that took.
    """

    told: tuple[Any, ...]
    answer: Any
    seconds: float


class Witness:
    """Sees what a behaviour is asked and answers.

    Attributes:
        behaviour: The behaviour.
        asked: Every question that it answered, by hook.
        misdeeds: What it failed in.
        published: What became public of its prosumer, (name, values by period), after every round.
        prosumer: Its prosumer.
    """

    def __init__(self, behaviour: Behaviour) -> None:
        """Stand beside this one."""
        self.behaviour = behaviour
        self.asked: dict[str, list[Asked]] = defaultdict(list)
        self.misdeeds: list[Misdeed] = []
        self.published: list[tuple[str, FloatArray]] = []
        self.prosumer: Prosumer | None = None
        for hook in HOOKS:
            if behaviour.overrides(hook):
                setattr(behaviour, hook, partial(self._see, hook, getattr(behaviour, hook)))

    def _see(self, hook: str, answering: Callable[..., Any], *told: Any) -> Any:
        start = perf_counter()
        answer = answering(*told)
        self.asked[hook].append(Asked(told, answer, perf_counter() - start))
        return answer

    def round_ended(self, market: EnergyMarket, seat: int) -> None:
        """Take note of what has become public in a round, and of what failed."""
        prosumer = market.prosumers[seat]
        assert isinstance(prosumer, Prosumer)
        self.prosumer = prosumer
        self.misdeeds += market.communities.misbehaviour.misdeeds
        names = [
            f"sharing power of {market.graph.links[link].name}" for link in market.graph.link[market.graph.arcs(seat)]
        ]
        self.published += [("its bid", prosumer.bid_kw), *zip(names, prosumer.power_kw, strict=True)]
        if self.asked["offer"]:
            offered = getattr(self.asked["offer"][-1].answer, "price_usd_per_kwh", ())
            self.published += [("a price that it offers", row) for row in offered]
