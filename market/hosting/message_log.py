"""Who was told what: every message of a run with its sender, its receiver, its fields and its size."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields, is_dataclass
from typing import Any, NamedTuple

import numpy as np

from ...agents.messages import Bids, Commitment, Deliveries, Offers, Pledges, Quotes, Regrets, axes_of
from ...agents.trade_graph import TradeGraph
from ...network.arrays import IntArray
from ..messages import Needs, PrivateSchedules

PLATFORM, OPERATOR, CERTIFICATE, SCREEN = "platform", "DSO", "certificate", "screen"
"""Who is there beside the prosumers: the certificate adds up regrets, the screen is the person who runs the market."""
_BYTES = 8
_WORDS = {"PriceCurve": "Price curve"}


@dataclass(frozen=True, slots=True)
class Entries:
    """The messages of one kind that were sent at once.

    Attributes:
        round: Number of the round.
        message: What kind of message: "Quote".
        fields: What it holds.
        senders, receivers: Who told whom, (message,).
        sizes: Bytes of numbers in each, (message,).
    """

    round: int
    message: str
    fields: tuple[str, ...]
    senders: tuple[str, ...]
    receivers: tuple[str, ...]
    sizes: IntArray


class _Talk(NamedTuple):
    """What a prosumer is told, or tells, in one exchange: the fields of a message to all that make up its own."""

    message: str
    of: type[Any]
    other: str
    fields: tuple[str, ...]
    by_prosumer: bool


def _told(message: str, of: type[Any], sender: str) -> _Talk:
    return _Talk(message, of, sender, tuple(axes_of(of)), by_prosumer=False)


def _tells(message: str, of: type[Any], receiver: str, *fields: str) -> _Talk:
    return _Talk(message, of, receiver, fields or tuple(axes_of(of)), by_prosumer=True)


_DELIVERY = _told("Delivery", Deliveries, PLATFORM)
_TALKS = {
    "answer": (_told("Quote", Quotes, PLATFORM),),  # what is answered is written down when it arrives
    "arrived": (
        _tells("Offer", Offers, PLATFORM, "power_kw", "price_usd_per_kwh"),
        _tells("Bid while sharing", Offers, PLATFORM, "bid_kw"),
    ),
    "regrets": (_DELIVERY, _tells("Regret", Regrets, CERTIFICATE)),
    "deliver": (
        _DELIVERY,
        _tells("Pledge", Pledges, OPERATOR, "bid_kw"),
        _tells("Regret", Pledges, CERTIFICATE, "regret_usd"),
    ),
    "commit": (_told("Commitment", Commitment, OPERATOR), _tells("Bid", Bids, OPERATOR)),
    "needs": (_tells("Needs", Needs, SCREEN),),
    "schedules": (_DELIVERY, _tells("Schedules", PrivateSchedules, SCREEN)),
}


def _numbers(part: Any) -> int:
    """How many numbers a part of a message holds."""
    if is_dataclass(part):
        return sum(_numbers(getattr(part, cell.name)) for cell in fields(part))
    return int(np.size(part))


class MessageLog:
    """Writes down who tells whom what; it knows the names and shapes of arrays, never what is in them.

    Attributes:
        round: Number of the round that is under way.
    """

    def __init__(
        self,
        graph: TradeGraph,
        periods: int,
        note: Callable[[Entries], None] | None,
        devices: IntArray | None = None,
    ) -> None:
        """Open the ledger.

        Args:
            graph: Who may trade with whom.
            periods: Number of periods.
            note: Told of every entry; None where nobody wants to know, and then nothing is written down.
            devices: How many devices each prosumer has, (prosumer,); none by default.
        """
        self.round = 0
        self._names, self._note, self._periods = graph.names, note, periods
        self._arcs = np.bincount(graph.owner, minlength=len(graph.names))
        self._devices = np.zeros_like(self._arcs) if devices is None else devices

    def asked(self, verb: str, question: Any) -> None:
        """Prosumers were asked something, and have answered: see `hosting.calls.VERBS`."""
        self._write(verb, question.members if isinstance(question, Quotes) else range(len(self._names)))

    def arrived(self, offers: Offers) -> None:
        """Offers have arrived at the platform, which may be later than they were made, or never."""
        self._write("arrived", offers.members)

    def _write(self, talks: str, prosumers: Sequence[int] | IntArray) -> None:
        if self._note is None:
            return
        members = np.array(prosumers, dtype=np.intp)
        names = tuple(self._names[i] for i in members)
        for talk in _TALKS[talks]:
            others = (talk.other,) * len(names)
            senders, receivers = (names, others) if talk.by_prosumer else (others, names)
            axes = axes_of(talk.of)
            sizes = sum(self._size(axes[field]) for field in talk.fields)[members]
            self._note(Entries(self.round, talk.message, talk.fields, senders, receivers, sizes))

    def passed(self, message: Any, sender: str, receiver: str) -> None:
        """A message between the platform and the DSO, called by its type."""
        if self._note is None:
            return
        names = tuple(cell.name for cell in fields(message))
        size = sum(_numbers(getattr(message, name)) for name in names) * _BYTES
        kind = _WORDS.get(type(message).__name__, type(message).__name__)
        self._note(Entries(self.round, kind, names, (sender,), (receiver,), np.array([size])))

    def _size(self, axes: tuple[str, ...]) -> Any:
        """Bytes of each prosumer's part of an array with these axes, (prosumer,)."""
        rows = self._arcs if "arc" in axes else self._devices if "device" in axes else np.ones_like(self._arcs)
        return rows * (self._periods if "period" in axes else 1) * _BYTES
