"""Who lives in which community, and which rows of the market's arrays are theirs."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, TypeVar

import numpy as np

from ...agents.messages import Quotes, axes_of
from ...agents.trade_graph import TradeGraph
from ...network.arrays import FloatArray, IntArray

Message = TypeVar("Message")


@dataclass(frozen=True)
class Membership:
    """The prosumers of one community, and where they and their arcs stand in the arrays of the whole market.

    Attributes:
        names: The members, in the order of the market.
        members: Their indices in the market, (member,).
        arcs_of_market: The arcs that they own, by index in the market, (arc,); sorted by owner.
        cap_kw, fee_usd_per_kwh: Cap and fee of the links of these, (arc,).
        starts: Where the arcs of each member begin here, (member + 1,).
        devices_of_market: The devices that they own, by index in the market, (device,); sorted by owner.
        periods: Number of periods.
        whole: Whether they are all prosumers of the market.
    """

    names: tuple[str, ...]
    members: IntArray
    arcs_of_market: IntArray
    cap_kw: FloatArray
    fee_usd_per_kwh: FloatArray
    starts: IntArray
    devices_of_market: IntArray
    periods: int
    whole: bool

    @classmethod
    def of(cls, graph: TradeGraph, members: IntArray, periods: int, devices: IntArray | None = None) -> Membership:
        """The membership of these prosumers, by index in ascending order.

        Args:
            graph: Who may trade with whom.
            members: Who they are.
            periods: Number of periods.
            devices: How many devices each prosumer of the market has, (prosumer,); none by default.
        """
        counts = np.zeros(len(graph.names), dtype=np.intp) if devices is None else devices
        owner = np.repeat(np.arange(counts.size), counts)
        slices = [graph.arcs(int(i)) for i in members]
        arcs = np.concatenate([np.arange(s.start, s.stop) for s in slices]).astype(np.intp)
        starts = np.cumsum([0, *(s.stop - s.start for s in slices)])
        names = tuple(graph.names[i] for i in members)
        whole = len(names) == len(graph.names)
        links = graph.link[arcs]
        cap, fee = graph.cap_kw[links], graph.fee_usd_per_kwh[links]
        return cls(names, members, arcs, cap, fee, starts, np.flatnonzero(np.isin(owner, members)), periods, whole)

    def arcs(self, member: int) -> slice:
        """The arcs that a member owns, here."""
        return slice(int(self.starts[member]), int(self.starts[member + 1]))

    @property
    def extent(self) -> dict[str, int]:
        """How long each axis of a message is, by its name."""
        rows = {"prosumer": len(self.names), "arc": self.arcs_of_market.size, "device": self.devices_of_market.size}
        return {**rows, "period": self.periods}

    def asked(self, members: IntArray) -> IntArray:
        """Which of the market's prosumers, in ascending order, are members, by index here."""
        return members if self.whole else np.flatnonzero(np.isin(self.members, members, assume_unique=True))

    def cut(self, message: Message) -> Message:
        """What of a message to all concerns the members."""
        if self.whole:
            return message
        cells = {name: getattr(message, name)[rows] for name, rows in self._rows(message)}
        if isinstance(message, Quotes):
            cells["members"] = self.asked(message.members)
        return replace(message, **cells)  # type: ignore[type-var]  # every message is a dataclass

    def paste(self, part: Any, whole: Any) -> None:
        """Write a message of the members into that of all."""
        for name, rows in self._rows(part):
            getattr(whole, name)[rows] = getattr(part, name)

    def _rows(self, message: Any) -> list[tuple[str, IntArray]]:
        rows = {"prosumer": self.members, "arc": self.arcs_of_market, "device": self.devices_of_market}
        return [(name, rows[axes[0]]) for name, axes in axes_of(message).items() if axes]
