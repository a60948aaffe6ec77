"""A small market in which one prosumer acts on the behaviour that is tried."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

from ...agents.behaviour import Behaviour
from ...agents.containment_rules import OnMisbehaviour
from ...market.energy_market import EnergyMarket
from ...market.hosting.options import Hosting
from ..errors import refuse
from ..files.loading import load
from ..files.scenario import Scenario
from ..files.tree import did_you_mean
from .witness import Witness

if TYPE_CHECKING:
    from ...market.hosting.backend import Backend

PATIENCE_S = 10.0
"""How long one answer may take in a trial."""
SHORT: dict[str, Any] = {"max_rounds": 12, "max_iterations": 3}
"""So many rounds show every phase of a market, and sharing that goes on after a delivery."""
_SEED = 5


@dataclass(frozen=True)
class Trial:
    """Opens markets in which everybody takes prices but one.

    Attributes:
        make: What makes the behaviour.
        scenario: The scenario.
        prosumer: Whose behaviour it is.
    """

    make: Callable[[], Behaviour]
    scenario: Scenario
    prosumer: str

    @classmethod
    def of(cls, make: Callable[[], Behaviour], scenario: str = "", prosumer: str = "") -> Trial:
        """The trial of a behaviour in a scenario (ieee33 by default), as this prosumer's, or as the first one's.

        Raises:
            ScenarioError: There is no such scenario or prosumer.
        """
        return cls(make, *opened(scenario or "ieee33", prosumer))

    def market(self, behaviour: Behaviour, backend: Backend | None = None, **settings: Any) -> EnergyMarket:
        """A market with this behaviour, at its beginning.

        Args:
            behaviour: A new one.
            backend: Where prosumers live; in this process by default.
            settings: Those of the market that differ from the scenario's.
        """
        chosen = replace(self.scenario.build_settings(), **{"answer_timeout_s": PATIENCE_S} | settings)
        return EnergyMarket(
            self.scenario.build_clearing(),
            self.scenario.build_households(),
            self.scenario.build_links(),
            settings=chosen,
            behaviours={self.prosumer: behaviour},
            rng=_SEED,
            hosting=Hosting(backend),
        )

    @cached_property
    def witness(self) -> Witness:
        """Who has seen what the behaviour was asked, and answered, in a short market that goes on whatever it does."""
        witness = Witness(self.make())
        with self.market(witness.behaviour, on_misbehaviour=OnMisbehaviour.LAST, **SHORT) as market:
            seat = list(self.scenario.prosumers).index(self.prosumer)
            while market.running:
                market.step()
                witness.round_ended(market, seat)
        return witness


def opened(scenario: str, prosumer: str) -> tuple[Scenario, str]:
    """A scenario, checked, and one of its prosumers: this one, or the first.

    Raises:
        ScenarioError: There is no such scenario or prosumer.
    """
    loaded = load(scenario)
    loaded.check()
    names = list(loaded.prosumers)
    if prosumer and prosumer not in names:
        raise refuse(f"--prosumer {prosumer}", "", f"there is no prosumer {prosumer}{did_you_mean(prosumer, names)}")
    return loaded, prosumer or names[0]
