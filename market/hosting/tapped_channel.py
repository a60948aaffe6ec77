"""A channel that somebody listens at: what was quoted, and the offers to it as they arrived, numbers and all."""

from __future__ import annotations

from collections.abc import Callable

from ...agents.messages import Offers, Quotes
from .lossy_channel import Channel, ChannelState, MessageFaults

Hear = Callable[[Quotes, Offers], None]
"""Told of quotes, and of offers that answer them: only those of the offers' `members` do."""


class TappedChannel:
    """Carries what another channel carries, to the same bits; for research into what messages give away.

    Attributes:
        faults: What happens to messages.
    """

    def __init__(self, carrier: Channel, hear: Hear) -> None:
        """Listen.

        Args:
            carrier: What carries the messages.
            hear: Told of all offers that arrive.
        """
        self._carrier, self._hear = carrier, hear
        self._quoted: list[Quotes] = []  # since the DSO's announcement: late offers answer old ones
        self.faults: MessageFaults = carrier.faults

    @property
    def state(self) -> ChannelState | None:
        """What is under way."""
        return self._carrier.state

    @state.setter
    def state(self, state: ChannelState) -> None:
        self._carrier.state = state

    def reopen(self) -> None:
        """After an announcement of the DSO, what is under way is of no use any more."""
        self._quoted.clear()
        self._carrier.reopen()

    def blame(self, *, cut_short: bool) -> str:
        """As `LossyChannel.blame`."""
        return self._carrier.blame(cut_short=cut_short)

    def exchange(self, quotes: Quotes, answer: Callable[[Quotes], Offers]) -> list[tuple[int | None, Offers]]:
        """As `LossyChannel.exchange`; what arrives is heard."""
        self._quoted.append(quotes)
        arrived = self._carrier.exchange(quotes, answer)
        for quoted_in, offers in arrived:
            self._hear(self._quoted[-1 if quoted_in is None else quoted_in], offers)
        return arrived
