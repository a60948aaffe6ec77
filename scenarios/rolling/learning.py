"""What behaviours that learn take with them from one window to the next."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from ...agents.behaviour import Behaviour, close_all
from ...agents.behaviour_errors import BehaviourError
from ...market.energy_market import EnergyMarket
from ...market.hosting.checkpoint import behaviours_in
from ...market.hosting.plain import from_plain, to_plain
from ..errors import refuse
from ..files.scenario import Scenario

Memories = Mapping[str, Any]
"""What each that learns remembers, by prosumer, as JSON has it."""
Acted = Mapping[str, tuple[dict[str, object], dict[str, Any]]]
"""What each remembers when a window has ended, and where its random numbers stand."""


class Learning:
    """Tells those that learn what a window has cost, and lets them begin the next one with what they remember.

    That is every behaviour that overrides `learn`. What they remember when a window has ended is read from where they
    live, so that it is the same wherever that is; it is told what is kept of the window has cost in this process.

    Attributes:
        names: Who learns.
    """

    def __init__(self, scenario: Scenario) -> None:
        """Find out who learns.

        Raises:
            ScenarioError: Somebody does, and windows are to leave folders that could be run again.
        """
        self._scenario = scenario
        made = scenario.build_behaviours()
        self.names = tuple(name for name, behaviour in made.items() if behaviour.overrides("learn"))
        close_all(made.values())
        if self.names and scenario.horizon and scenario.horizon.keep_windows:
            sentence = f"{self.names[0]} learns from window to window, and no folder of a window could tell what"
            raise refuse("", "horizon.keep_windows", f"{sentence}; set it to false, or give it another behaviour")

    def behaviours(self, memories: Memories) -> dict[str, Behaviour] | None:
        """The behaviours of a window, which go on from what they remember; None where nobody learns.

        Raises:
            BehaviourError: One cannot.
        """
        if not self.names:
            return None
        made = self._scenario.build_behaviours()
        try:
            for name, memory in memories.items():
                _asked(name, made[name], "restore_state", from_plain(memory))
        except BehaviourError:
            close_all(made.values())
            raise
        return made

    def ended(self, market: EnergyMarket) -> Acted:
        """What those that learn remember when a window has ended, whose market is still open.

        Raises:
            UnsavedError: A behaviour remembers what cannot be kept.
        """
        kept = behaviours_in(market.communities.snapshot().saved) if self.names else {}
        return {name: kept[name] for name in self.names if name in kept}

    def learnt(self, acted: Acted, own_cost_usd: Mapping[str, float], before: Memories) -> Memories:
        """What is remembered once they have been told what a window has cost them.

        Args:
            acted: What they remembered when it had ended.
            own_cost_usd: What it has cost each prosumer.
            before: What was remembered when it began, which stays for those that were excluded from the market.

        Raises:
            BehaviourError: One cannot learn.
            UnsavedError: One remembers what cannot be kept.
        """
        found, made = dict(before), self._scenario.build_behaviours() if acted else {}
        try:
            for name, (state, chance) in acted.items():
                found[name] = _remembered(name, made[name], state, chance, own_cost_usd[name])
        finally:
            close_all(made.values())
        return found


def _remembered(name: str, behaviour: Behaviour, state: Any, chance: Any, own_cost_usd: float) -> Any:
    """What one remembers that was in this state once it knows what that has cost it, as JSON has it."""
    behaviour.rng = np.random.default_rng(0)
    behaviour.rng.bit_generator.state = chance
    _asked(name, behaviour, "restore_state", state)
    _asked(name, behaviour, "learn", own_cost_usd)
    remembered = _asked(name, behaviour, "saved_state")
    return to_plain(remembered, f"behaviour {type(behaviour).__name__} of {name}")


def _asked(name: str, behaviour: Behaviour, hook: str, *told: object) -> Any:
    """What a behaviour answers.

    Raises:
        BehaviourError: It fails.
    """
    try:
        return getattr(behaviour, hook)(*told)
    except Exception as error:  # a user's code may raise anything; it is told with its place
        raise BehaviourError(name, type(behaviour).__name__, hook, BehaviourError.told(error)) from error
