"""A scenario: everything a market needs, checked, and frozen."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Self

from pydantic import PrivateAttr

from ...network.errors import InputError
from ..errors import refuse
from .scenario_rows import ScenarioRows
from .schema import MarketRow
from .tree import PROFILES, Tree

if TYPE_CHECKING:
    from ...agents.behaviour import Behaviour
    from ...agents.household import Household
    from ...agents.trade_graph import Link
    from ...market.energy_market import EnergyMarket
    from ...market.hosting.backend import Backend
    from ...market.hosting.lossy_channel import MessageFaults
    from ...market.hosting.message_log import Entries
    from ...market.settings import MarketSettings
    from ...network.clearing import Clearing
    from ...network.feeder import Feeder
    from ..errors import Problem
    from .building import Building


class Scenario(ScenarioRows):
    """Everything a market needs. Built by `load` from files, or from the same keys in Python; checked in either case.

    Raises:
        ScenarioError: A key or value is wrong (pydantic's ValidationError when built from Python).
    """

    _tree: Tree = PrivateAttr(default_factory=Tree)

    def changed(self, *, alpha_scale: float = 1.0, **market: object) -> Self:
        """The same scenario with every alpha scaled once more, and other settings of the market.

        Raises:
            ScenarioError: A setting is out of its range.
        """
        settings = MarketRow(**{**self.settings.model_dump(), **market})
        changed = self.model_copy(update={"alpha_scale": self.alpha_scale * alpha_scale, "settings": settings})
        changed.build_settings()
        return changed

    def build_feeder(self) -> "Feeder":
        """The feeder, checked.

        Raises:
            ScenarioError: The tables are not a radial feeder.
        """
        return self._building.feeder

    def build_clearing(self) -> "Clearing":
        """The DSO's clearing, with the loads of all buses.

        Raises:
            ScenarioError: The tables are not a radial feeder, or a bus names an unknown profile.
        """
        return self._building.clearing()

    def build_households(self) -> "list[Household]":
        """The prosumers' private data, in the order of the table.

        Raises:
            ScenarioError: Data contradict each other, or a prosumer names an unknown profile.
        """
        return self._building.households

    def build_links(self) -> "list[Link]":
        """Who may trade with whom.

        Raises:
            ScenarioError: A link does not fit the prosumers.
        """
        return self._building.links

    def build_behaviours(self) -> "dict[str, Behaviour]":
        """How prosumers act, by name; those that take prices are left out.

        Raises:
            ScenarioError: A behaviour does not exist, or cannot be made.
        """
        return self._building.behaviours()

    def build_settings(self) -> "MarketSettings":
        """How the market is to be run.

        Raises:
            ScenarioError: A setting is out of its range.
        """
        return self._building.settings

    def build_messages(self) -> "MessageFaults":
        """What happens to quotes and offers.

        Raises:
            ScenarioError: A prosumer that does not exist is away, or messages cannot fail in this case or order.
        """
        return self._building.messages()

    def check(self) -> None:
        """Check everything that can be checked without running the market.

        Raises:
            ScenarioError: Something is wrong.
            InfeasibleScenarioError: A prosumer cannot balance some period, whatever the others do.
        """
        self._building.check()

    def check_horizon(self) -> None:
        """Check what it says of a rolling horizon, if anything; `check` does that as well.

        Raises:
            ScenarioError: Its windows, forecasts or devices do not go together.
        """
        self._building.check_horizon()

    def doubts(self) -> "list[Problem]":
        """The `notes`, what is out of service, and values that may be meant in another unit, with what looks meant."""
        return self._building.doubts()

    def notes(self) -> "list[Problem]":
        """What was read otherwise than it is written: other units and headings, filled values, another step."""
        return list(self._tree.notes)

    def cut(self, first: int, count: int) -> Self:
        """The same scenario with `count` of its periods alone, from the one with index `first` on.

        Raises:
            InputError: They are not all there.
        """
        if not (first >= 0 and count >= 1 and first + count <= self.periods):
            raise InputError(f"there are no periods {first + 1} to {first + count}; the scenario has {self.periods}")
        profiles = {
            name: {str(t): values[str(first + t)] for t in range(1, count + 1)}
            for name, values in self.profiles.items()
        }
        calendar = self.calendar.cut(first, count) if self.calendar else None
        start = calendar.at(0).isoformat(timespec="minutes") if calendar else ""
        cut = self.model_copy(update={"profiles": profiles, "start": start})
        places = {path: place for path, place in self._tree.places.items() if path[:1] != PROFILES or len(path) < 3}
        cut._tree = replace(self._tree, places=places, calendar=calendar)
        return cut

    def check_is_one_market(self) -> None:
        """See that it is one market, and no window after window of them.

        Raises:
            ScenarioError: It has a horizon.
        """
        if self.horizon:
            sentence = (
                "it takes a market for each window, which `gridbazaar run` opens, and `gridbazaar step` one of them"
            )
            cure = "for one market take horizon out (in the file, or by --set horizon=null where that can be said)"
            raise refuse(self._tree.place(("horizon",)), "horizon", f"{sentence}; {cure}")

    def market(
        self,
        rng: int | None = None,
        backend: "Backend | None" = None,
        log: "Callable[[Entries], None] | None" = None,
        behaviours: "Mapping[str, Behaviour] | None" = None,
    ) -> "EnergyMarket":
        """The market, ready to step.

        Args:
            rng: Seed of all randomness; the scenario's own by default.
            backend: Where the prosumers live, such as `Workers(2)`; in this process by default.
            log: Told of every message, who sent it to whom.
            behaviours: How prosumers act, such as those of a market before this one; as the scenario says by default.

        Raises:
            ScenarioError: Something is wrong with the scenario.
            InfeasibleScenarioError: A prosumer cannot balance some period, whatever the others do.
        """
        self.check_is_one_market()
        from ...market.energy_market import EnergyMarket
        from ...market.hosting.options import Hosting

        parts = self._building
        parts.check()
        together = {name: row.community for name, row in self.prosumers.items() if row.community}
        return EnergyMarket(
            parts.clearing(),
            parts.households,
            parts.links,
            settings=parts.settings,
            behaviours=parts.behaviours() if behaviours is None else behaviours,
            rng=self.seed if rng is None else rng,
            hosting=Hosting(backend, together, log),
            messages=parts.messages(),
        )

    @property
    def _building(self) -> "Building":
        """What makes a market of it; that needs numpy, which no wrong key should wait for."""
        from .building import Building

        return Building(self, self._tree)
