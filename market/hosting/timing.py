"""Where the time of a run went, and whether fewer workers would have been faster."""

from __future__ import annotations

from dataclasses import dataclass

from .incident import Incident
from .misbehaviour import Misbehaviour

_CLEARLY = 0.9
"""Fewer workers are advised where they would take less than this part of the time."""


@dataclass
class Effort:
    """What a community has cost so far, in seconds.

    Attributes:
        solving_s: Time that its members took.
        carrying_s: Packing, sending, fetching and unpacking, at both ends.
        asked_s: Time between its questions and the answers of all that were asked with it.
    """

    solving_s: float = 0.0
    carrying_s: float = 0.0
    asked_s: float = 0.0

    @property
    def waiting_s(self) -> float:
        """When nothing was done for it or by it: while the market was busy with others, or they were slower."""
        return max(self.asked_s - self.solving_s - self.carrying_s, 0.0)


@dataclass(frozen=True, slots=True)
class Timing:
    """What communities cost, in seconds.

    Attributes:
        noun: What serves a community, "worker process"; empty for this process.
        cores: How many cores they share.
        prosumers: How many live in each community.
        efforts: What each has cost.
    """

    noun: str
    cores: int
    prosumers: tuple[int, ...]
    efforts: tuple[Effort, ...]

    @property
    def asked_s(self) -> float:
        """Between questions and the answers of all."""
        return max(effort.asked_s for effort in self.efforts)

    @property
    def solving_s(self) -> float:
        """Time that all members took, one after the other."""
        return sum(effort.solving_s for effort in self.efforts)

    @property
    def carrying_s(self) -> float:
        """Carrying, to all communities."""
        return sum(effort.carrying_s for effort in self.efforts)

    def expected_s(self, communities: int) -> float:
        """What so many would take: the work shared by as many cores as there are, and their part of the carrying.

        0 stands for this process, where nothing is carried.
        """
        crowded = max(len(self.efforts) / self.cores, 1.0)  # more than there are cores have taken turns
        alone = self.solving_s / crowded
        if communities == 0:
            return alone
        return alone / min(communities, self.cores) + self.carrying_s / len(self.efforts) * communities

    @property
    def advice(self) -> str:
        """How many would be faster, in a sentence; empty where none is."""
        if not self.noun:
            return ""
        fewer = min(range(len(self.efforts)), key=self.expected_s)
        if self.expected_s(fewer) > _CLEARLY * self.asked_s:
            return ""
        who = f"{fewer} of them" if fewer else "this process alone"
        return (
            f"{who} would be faster: prosumers took {self.asked_s:.2g} s to answer, and would take about "
            f"{self.expected_s(fewer):.2g} s"
        )


@dataclass(frozen=True, slots=True)
class HostingReport:
    """Where the prosumers lived.

    Attributes:
        timing: What it took to ask their communities.
        incidents: Who of those that serve them was lost on the way, and replaced.
        unsaved_because: Why prosumers could not be saved on the way, if they could not; empty otherwise.
        misbehaved: Whose behaviour failed on the way, and what was done about it.
    """

    timing: Timing
    incidents: tuple[Incident, ...]
    unsaved_because: str
    misbehaved: tuple[Misbehaviour, ...] = ()
