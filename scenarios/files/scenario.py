"""A scenario: everything a market needs, checked, and frozen."""

from collections import Counter
from collections.abc import Callable
from typing import TYPE_CHECKING, Self

from pydantic import Field, PrivateAttr, field_validator, model_validator
from pydantic_core import PydanticCustomError

from .schema import Count, FeederRow, LinkRow, MarketRow, MessagesRow, Number, Profile, ProsumerRow, Row
from .source import Tree

if TYPE_CHECKING:
    from ...agents.household import Household
    from ...agents.trade_graph import Link
    from ...market.energy_market import EnergyMarket
    from ...market.hosting.backend import Backend
    from ...market.hosting.lossy_channel import MessageFaults
    from ...market.hosting.message_log import Entries
    from ...market.settings import MarketSettings
    from ...network.clearing import Clearing
    from ...network.feeder import Feeder
    from .building import Building


class Scenario(Row):
    """Everything a market needs. Built by `load` from files, or from the same keys in Python; checked in either case.

    Raises:
        ScenarioError: A key or value is wrong (pydantic's ValidationError when built from Python).
    """

    title: str = ""
    dt_h: Number = Field(1.0, gt=0, le=24, description="length of a period, hours")
    seed: Count = Field(0, ge=0)
    alpha_scale: Number = Field(1.0, gt=0, description="multiplies every prosumer's alpha")
    profiles: dict[str, Profile] = Field({})
    feeder: FeederRow
    prosumers: dict[str, ProsumerRow]
    links: dict[str, LinkRow] = Field({})
    settings: MarketRow = Field(MarketRow(), alias="market")
    messages: MessagesRow = MessagesRow()
    _tree: Tree = PrivateAttr(default_factory=Tree)

    @field_validator("profiles")
    @classmethod
    def _complete(cls, profiles: dict[str, Profile]) -> dict[str, Profile]:
        lengths = {name: max(map(_period, values), default=0) for name, values in profiles.items()}
        counts = Counter(lengths.values())
        usual = max(counts, key=lambda length: (counts[length], length), default=1)
        for name, values in profiles.items():
            missing = [t for t in range(1, usual + 1) if str(t) not in values]
            if lengths[name] > usual:
                sentence = f"there are {lengths[name]} values where other profiles have {usual}; take out what is over"
            elif missing:
                more = f", and {len(missing) - 1} more" if len(missing) > 1 else ""
                sentence = f"there is no value for hour (period) {missing[0]} of {usual}; add it{more}"
            else:
                continue
            raise PydanticCustomError("value_error", "{error}", {"error": sentence, "row": name})
        return profiles

    @model_validator(mode="after")
    def _has_prosumers(self) -> Self:
        if not self.prosumers:
            raise ValueError("a market needs at least one prosumer; add one to the table prosumers")
        return self

    @property
    def periods(self) -> int:
        """Number of periods, that of the profiles; 1 without any."""
        return max((len(values) for values in self.profiles.values()), default=1)

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
        return self._building.feeder()

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
        return self._building.households()

    def build_links(self) -> "list[Link]":
        """Who may trade with whom.

        Raises:
            ScenarioError: A link does not fit the prosumers.
        """
        return self._building.links()

    def build_settings(self) -> "MarketSettings":
        """How the market is to be run.

        Raises:
            ScenarioError: A setting is out of its range.
        """
        return self._building.settings()

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

    def market(
        self,
        rng: int | None = None,
        backend: "Backend | None" = None,
        log: "Callable[[Entries], None] | None" = None,
    ) -> "EnergyMarket":
        """The market, ready to step.

        Args:
            rng: Seed of all randomness; the scenario's own by default.
            backend: Where the prosumers live, such as `Workers(2)`; in this process by default.
            log: Told of every message, who sent it to whom.

        Raises:
            ScenarioError: Something is wrong with the scenario.
            InfeasibleScenarioError: A prosumer cannot balance some period, whatever the others do.
        """
        return self._building.market(rng, backend, log)

    @property
    def _building(self) -> "Building":
        """What makes a market of it; that needs numpy, which no wrong key should wait for."""
        from .building import Building

        return Building(self, self._tree)


def _period(key: str) -> int:
    if not (key.isdigit() and key[0] != "0"):
        raise ValueError(f"{key!r} is not the number of an hour (period); they count from 1")
    return int(key)
