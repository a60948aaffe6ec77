"""Messages of Algorithm 1 that come late, get lost, are old, noisy, or rounded: for research, seeded.

Only quotes and offers are unreliable. What the DSO announces, deliveries, bids, commitments and regrets are confirmed
messages: they are repeated until they are answered, as contracts are.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from ...agents.messages import Offers, Quotes
from ...agents.trade_graph import TradeGraph
from ...network.arrays import BoolArray, FloatArray, IntArray
from ..settings import Case, MarketSettings, Order, SettingsError

_HALF = 0.5
_ECHO = 5.0
"""Of noise, what partners disagree by over noise_kw sqrt(ln numbers): 2, and the echo of the rounds before."""


@dataclass(frozen=True, slots=True)
class Absence:
    """When a prosumer is away: it answers no quote.

    Attributes:
        from_round: Its first round away, counted over all rounds of Algorithm 1 of a run, from 1.
        rounds: How many rounds it is away.
    """

    from_round: int
    rounds: int


@dataclass(frozen=True, slots=True)
class MessageFaults:
    """What happens to the quotes and offers of Algorithm 1.

    Attributes:
        delay_rounds: An offer comes up to so many rounds late, each number equally likely.
        loss: Probability that a quote is lost, and likewise an offer.
        stale_rounds: A quote is up to so many rounds old, each number equally likely.
        quantum_kw: Offered powers, and bids while sharing, are rounded towards zero to multiples of this; 0 for not at
            all.
        away: Who is away, and when.
        noise_kw: Standard deviation of the Gaussian noise on offered powers, which stay within the caps of links, and
            on bids while sharing; it is there before powers are rounded. Each number of each message has its own.

    Raises:
        SettingsError: A value is out of its range.
    """

    delay_rounds: int = 0
    loss: float = 0.0
    stale_rounds: int = 0
    quantum_kw: float = 0.0
    away: Mapping[str, Absence] = field(default_factory=dict)
    noise_kw: float = 0.0

    def __post_init__(self) -> None:
        for key in ("delay_rounds", "stale_rounds"):
            if np.isfinite(getattr(self, key)) and getattr(self, key) != int(getattr(self, key)):
                raise SettingsError(f"messages.{key}", f"{getattr(self, key)} is not a whole number; write one")
        for key in ("delay_rounds", "stale_rounds", "quantum_kw", "noise_kw"):
            if not (np.isfinite(getattr(self, key)) and getattr(self, key) >= 0):
                raise SettingsError(f"messages.{key}", f"{getattr(self, key)} must be a finite number of at least 0")
        if not 0 <= self.loss < 1:
            raise SettingsError(
                "messages.loss", f"{self.loss} must be at least 0 and below 1; when all is lost, nobody agrees"
            )
        for name, absence in self.away.items():
            for key, least in (("from_round", 1), ("rounds", 0)):
                if getattr(absence, key) < least:
                    raise SettingsError(f"messages.away.{name}.{key}", f"must be at least {least}; rounds count from 1")

    def __bool__(self) -> bool:
        """Whether anything happens to any message."""
        return any((self.delay_rounds, self.loss, self.stale_rounds, self.quantum_kw, self.noise_kw, self.away))

    def resolution_kw(self, numbers: int) -> float:
        """Closer than this the ends of a link cannot be seen to agree, kW.

        That is a quantum (a little more: rounded sums are inexact). The largest of so many sums of two offers has noise
        of about 2 noise_kw sqrt(ln numbers), as of normal numbers; prices carry it into the next offers, where it comes
        again. Closer than that, penalties would grow with noise for ever.

        Args:
            numbers: How many powers are told in a round.
        """
        return 1.01 * self.quantum_kw + _ECHO * self.noise_kw * float(np.sqrt(np.log(max(numbers, 2))))

    def blame(self, round_: int, *, cut_short: bool) -> str:
        """What of it keeps partners from agreeing, and the cure; empty if nothing of it does.

        Args:
            round_: The last round of Algorithm 1 of the run.
            cut_short: Whether partners had not agreed by then.
        """
        away = sorted(name for name, a in self.away.items() if a.from_round <= round_ < a.from_round + a.rounds)
        if away and cut_short:
            is_away = "was" if len(away) == 1 else "were"
            return f"{' and '.join(away)} {is_away} still away: shorten messages.away, or raise market.max_rounds"
        if self.quantum_kw or self.noise_kw:
            return self._blame_inexact()
        if not cut_short:
            return ""
        if self.loss > _HALF:
            return f"{self.loss:.0%} of quotes and of offers are lost: lower messages.loss, or raise market.max_rounds"
        if self:
            return "messages come late, old or not at all: raise market.max_rounds, or lower the values of messages"
        return ""

    def _blame_inexact(self) -> str:
        """What offered powers are, that keeps partners from agreeing, and the cure."""
        if self.quantum_kw > self.noise_kw:
            return f"offered powers are rounded to {self.quantum_kw:g} kW: lower messages.quantum_kw"
        return f"offered powers carry noise of {self.noise_kw:g} kW: lower messages.noise_kw"


class DirectChannel:
    """Carries quotes to prosumers and their offers back, all of them, at once.

    Attributes:
        faults: What happens to messages: nothing.
        state: What is under way: nothing.
    """

    faults = MessageFaults()
    state: ChannelState | None = None

    def reopen(self) -> None:
        """After an announcement of the DSO nothing is under way."""

    def blame(self, *, cut_short: bool) -> str:
        """What of it kept partners from agreeing: nothing."""
        del cut_short
        return ""

    def exchange(self, quotes: Quotes, answer: Callable[[Quotes], Offers]) -> list[tuple[int | None, Offers]]:
        """The offers to these quotes; as `LossyChannel.exchange`."""
        return [(None, answer(quotes))]


@dataclass(frozen=True, slots=True, eq=False)
class ChannelState:
    """What is under way between the platform and the prosumers; a value, never changed in place.

    Attributes:
        rounds: Rounds of Algorithm 1 so far, over the whole run.
        now: Rounds since the DSO's announcement, from 0; -1 before the first.
        quotes: The last quotes, the newest last.
        under_way: By the round of its arrival: offers, and in which round that was quoted what they answer.
        chance: Where the random numbers stand.
    """

    rounds: int
    now: int
    quotes: tuple[Quotes, ...]
    under_way: dict[int, tuple[tuple[int, Offers], ...]]
    chance: dict[str, Any]


class LossyChannel:
    """Carries quotes to prosumers and their offers back, as badly as it is told to.

    Attributes:
        faults: What happens to messages.
        state: What is under way.
    """

    def __init__(self, faults: MessageFaults, graph: TradeGraph, seed: np.random.SeedSequence) -> None:
        """Open for business.

        Args:
            faults: What happens to messages.
            graph: Who may trade with whom.
            seed: What happens to which.

        Raises:
            SettingsError: Somebody is away who does not exist.
        """
        for name in faults.away:
            if name not in graph.names:
                known = ", ".join(graph.names)
                raise SettingsError(f"messages.away.{name}", f"is no prosumer; the prosumers are {known}")
        self.faults = faults
        self._graph, self._rng = graph, np.random.default_rng(seed)
        self.state = ChannelState(0, -1, (), {}, dict(self._rng.bit_generator.state))

    def reopen(self) -> None:
        """After an announcement of the DSO, what is under way is of no use any more."""
        self.state = replace(self.state, now=-1, quotes=(), under_way={})

    def blame(self, *, cut_short: bool) -> str:
        """What of it kept partners from agreeing in the last step, in words; as `MessageFaults.blame`."""
        return self.faults.blame(self.state.rounds, cut_short=cut_short)

    def exchange(self, quotes: Quotes, answer: Callable[[Quotes], Offers]) -> list[tuple[int | None, Offers]]:
        """Hand out the quotes of a round, and bring what offers arrive in it.

        Args:
            quotes: The platform's quotes to everybody.
            answer: How prosumers answer.

        Returns:
            The offers, and since the announcement in which round (from 0) that was quoted what they answer; None for
            this one.
        """
        was = self.state
        now, told = was.now + 1, (*was.quotes, quotes)[-1 - self.faults.stale_rounds :]
        self._rng.bit_generator.state = was.chance
        reached, age, arrives = self._fate(now, was.rounds + 1)
        coming = dict(was.under_way)
        for old in np.unique(age[reached]):
            members = np.flatnonzero(reached & (age == old))
            offers = self._rounded(self._noisy(answer(replace(told[-1 - int(old)], members=members))))
            for when in sorted(set(arrives[members].tolist()) - {_LOST}):
                those = members[arrives[members] == when]
                coming[when] = (*coming.get(when, ()), (now - int(old), replace(offers, members=those)))
        arrived = sorted(coming.pop(now, ()), key=lambda arrival: arrival[0])
        chance = dict(self._rng.bit_generator.state)
        self.state = ChannelState(was.rounds + 1, now, told, coming, chance)
        return list(arrived)

    def _fate(self, now: int, round_: int) -> tuple[BoolArray, IntArray, IntArray]:
        """Whom a quote reaches, how old it is, and in which round the offer arrives, (prosumer,) each."""
        people, faults = len(self._graph.names), self.faults
        quote, offer = self._rng.random((2, people)) < faults.loss
        age = np.minimum(self._rng.integers(0, faults.stale_rounds + 1, people), now)
        late = self._rng.integers(0, faults.delay_rounds + 1, people)
        return ~quote & ~self._away(round_), age, np.where(offer, _LOST, now + late)

    def _away(self, round_: int) -> BoolArray:
        """Who is away in a round, counted over the whole run, (prosumer,)."""
        away = np.zeros(len(self._graph.names), dtype=bool)
        for name, absence in self.faults.away.items():
            away[self._graph.names.index(name)] = absence.from_round <= round_ < absence.from_round + absence.rounds
        return away

    def _noisy(self, offers: Offers) -> Offers:
        """The offers with noise on every power, the same wherever prosumers live."""
        if not self.faults.noise_kw:
            return offers
        power, bid = (
            np.asarray(exact + self._rng.normal(0.0, self.faults.noise_kw, exact.shape))
            for exact in (offers.power_kw, offers.bid_kw)
        )
        cap = self._graph.cap_kw[self._graph.link][:, None]
        return replace(offers, power_kw=np.clip(power, -cap, cap), bid_kw=bid)

    def _rounded(self, offers: Offers) -> Offers:
        if not self.faults.quantum_kw:
            return offers
        return replace(offers, power_kw=self._steps(offers.power_kw), bid_kw=self._steps(offers.bid_kw))

    def _steps(self, power_kw: FloatArray) -> FloatArray:
        """Rounded towards zero: no cap is exceeded, and partners come closer than by rounding to the nearest."""
        return np.asarray(np.trunc(power_kw / self.faults.quantum_kw) * self.faults.quantum_kw)


_LOST = -1


def check_faults(faults: MessageFaults, settings: MarketSettings) -> None:
    """Refuse unreliable messages where there are none, or where nobody can do without the newest.

    Raises:
        SettingsError: The case or the order is not one for them.
    """
    if not faults:
        return
    if settings.case is Case.CENTRAL:
        raise SettingsError("messages", "mean nothing in market.case 2, where nobody exchanges any; leave them out")
    if settings.order is not Order.PROXIMAL_JACOBI:
        raise SettingsError(
            "messages",
            f"cannot fail in market.order {settings.order}: it needs the newest ones; use order proximal_jacobi",
        )


Channel = DirectChannel | LossyChannel


def channel_of(faults: MessageFaults, graph: TradeGraph, seed: np.random.SeedSequence) -> Channel:
    """What carries the messages of Algorithm 1."""
    return LossyChannel(faults, graph, seed) if faults else DirectChannel()
