"""What of its rounds and messages a run keeps on disk, and what says that there is one."""

from dataclasses import dataclass, fields
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..files.scenario_rows import ScenarioRows

MANIFEST = "manifest.json"
"""The file that makes a folder a results folder."""
ARRAYS = (
    "regret_by_prosumer_usd",
    "bid_kw",
    "lmp_usd_per_kwh",
    "power_kw",
    "price_usd_per_kwh",
    "penalty_usd_per_kw2h",
)
"""What a `Round` has of every prosumer and link."""
_FEW_BYTES = 2**16


class Kept(StrEnum):
    """What is on disk of every round of a run."""

    ALL = "all"
    SUMMARY = "summary"
    NONE = "none"

    @property
    def columns(self) -> tuple[str, ...]:
        """The fields of a `Round` that are kept."""
        if self is Kept.NONE:
            return ()
        from ...market.rounds import Round  # which imports numpy, for which help does not wait

        names = (field.name for field in fields(Round))
        return tuple(name for name in names if self is Kept.ALL or name not in ARRAYS)

    @classmethod
    def by_size(cls, scenario: "ScenarioRows") -> "Kept":
        """What is kept unless somebody asks: everything while the arrays of a round take less than 64 KiB."""
        return cls.ALL if bytes_of_arrays(scenario) <= _FEW_BYTES else cls.SUMMARY


def bytes_of_arrays(scenario: "ScenarioRows") -> int:
    """What the arrays of one round take: of every prosumer, of every link and of both its ends."""
    people, links, periods = len(scenario.prosumers), len(scenario.links), scenario.periods
    return 8 * (people * (1 + 2 * periods) + links * 4 * periods)


@dataclass(frozen=True, slots=True)
class Notes:
    """What is written down while a run goes on.

    Attributes:
        rounds: What is kept of every round; by size if nobody asks.
        messages: Whether every message is written down.
    """

    rounds: Kept | None = None
    messages: bool = False
