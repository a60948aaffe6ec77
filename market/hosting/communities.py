"""All communities as one: what the market asks of its prosumers, wherever they live."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from time import monotonic, perf_counter
from typing import Any, TypeVar

import numpy as np

from ...agents.arrays import FloatArray
from ...agents.messages import Bids, Commitment, Deliveries, Offers, Pledges, Quotes, Regrets, axes_of
from ...agents.trade_graph import TradeGraph
from ...network.errors import GridbazaarError
from .backend import Backend
from .calls import VERBS, Call, flat, lifted
from .community import Community, Needs, PrivateSchedules, Question
from .diary import ReplayError, saved_name
from .incident import Incident
from .membership import Membership
from .message_log import MessageLog
from .options import Hosting
from .plain import UnsavedError
from .proxy import LocalProxy, Proxy, RemoteProxy
from .spec import CommunitySpec
from .timing import Timing

Answer = TypeVar("Answer")
_EVERY_S = 1.0
"""Communities are saved when as much time has gone since they were; what came after is lived through once more."""


class Communities:
    """The prosumers of a market: one message in, one message out, whoever carries them.

    Attributes:
        homes: Where each community lives.
        calls: How many calls have been made.
        incidents: Whom the market has lost so far.
        unsaved_because: Why communities cannot be saved, if they cannot.
    """

    def __init__(self, community_specs: Sequence[CommunitySpec], graph: TradeGraph, hosting: Hosting) -> None:
        """Found all communities.

        Args:
            foundings: What each is founded with.
            graph: Who may trade with whom.
            hosting: Where they live, and what is kept of what they say.

        Raises:
            HouseholdShortageError: A household cannot balance some period whatever the others do.
            WorkerLostError: A community could not be founded.
        """
        self.calls = 0
        self.incidents: list[Incident] = []
        self.unsaved_because = ""
        self.homes: list[Proxy] = []
        place, diary = hosting.place, hosting.diary
        self._extent = Membership.of(graph, np.arange(len(graph.names)), community_specs[0].membership.periods).extent
        self._diary = diary
        self._ledger = MessageLog(graph, self._extent["period"], hosting.ledger) if hosting.ledger else None
        self._scratch = TemporaryDirectory(prefix="gridbazaar-") if place is not None and diary is None else None
        self._noun, self._cores = (place.noun, place.cores) if place else ("", 1)
        self._files: tuple[Path, ...] = diary.saved if diary else ()
        self._saved_at = diary.saved_at if diary else 0
        self._last_save = monotonic()
        self.close: Callable[[], object] = weakref.finalize(self, _close, self.homes, place, self._scratch)
        try:
            self._found(community_specs, place, diary.saved if diary else ())
        except BaseException:
            self.close()
            raise

    def _found(self, community_specs: Sequence[CommunitySpec], place: Backend | None, saved: tuple[Path, ...]) -> None:
        if place is None:
            self.homes += [LocalProxy(founding, saved) for founding in community_specs]
            return
        scratch = Path(self._scratch.name) if self._scratch else None
        remote: list[RemoteProxy] = []
        for number, founding in enumerate(community_specs, start=1):
            remote.append(RemoteProxy(place, founding, number, saved, scratch, self.incidents.append))
            self.homes.append(remote[-1])
        for home in remote:
            home.founded()

    @property
    def timing(self) -> Timing:
        """What communities have cost so far."""
        return Timing.of(self.homes, self._noun, self._cores)

    @property
    def ledger(self) -> MessageLog | None:
        """Where messages are written down; None where nobody wants to know, or where this one already is."""
        return None if self.relives else self._ledger

    def begin_round(self, number: int) -> None:
        """Write down messages as those of this round from now on."""
        if self._ledger:
            self._ledger.round = number

    @property
    def relives(self) -> bool:
        """Whether the next answer stands in the diary already."""
        return self._diary is not None and self.calls + 1 in self._diary.past

    # --- what the market asks ----------------------------------------------------------------------------------------

    def answer(self, quotes: Quotes) -> Offers:
        """Algorithm 1, line 5: the offers of all prosumers that are asked."""
        told: Offers = self._ask("answer", quotes)
        return told

    def regrets(self, deliveries: Deliveries) -> FloatArray:
        """What each prosumer could gain by leaving its schedule at these prices, (prosumer,) in $."""
        told: Regrets = self._ask("regrets", deliveries)
        return told.usd

    def deliver(self, deliveries: Deliveries) -> Pledges:
        """The bids after sharing, and what is regretted of what was agreed."""
        told: Pledges = self._ask("deliver", deliveries)
        return told

    def commit(self, step: float = 1.0) -> FloatArray:
        """The bids that prosumers commit to, (prosumer, period): what was delivered, or a step of the way there."""
        told: Bids = self._ask("commit", Commitment(step))
        return told.power_kw

    def needs(self) -> Needs:
        """What everybody needs and has; for the person at the screen only."""
        told: Needs = self._look("needs", Question())
        return told

    def books(self, deliveries: Deliveries) -> PrivateSchedules:
        """Everybody's schedules, valued at these prices; for the person at the screen only."""
        told: PrivateSchedules = self._look("books", deliveries)
        return told

    @property
    def here(self) -> list[Community]:
        """The communities that live in this process."""
        return [home.community for home in self.homes if isinstance(home, LocalProxy)]

    # --- how it is carried -------------------------------------------------------------------------------------------

    def _ask(self, verb: str, message: Any) -> Any:
        """Ask, and note the answer; or look it up where the run was here before."""
        self.calls += 1
        past = self._diary.past.get(self.calls) if self._diary else None
        if past is not None and past[0] != verb:
            raise ReplayError(f"call {self.calls} to the prosumers")
        if past is not None and self.calls <= self._saved_at:
            return lifted(VERBS[verb][1], past[1], self._extent)
        reply = self._carry(Call(self.calls, verb, message))
        if past is not None and not np.array_equal(flat(reply), past[1], equal_nan=True):
            raise ReplayError(f"call {self.calls} to the prosumers")
        if past is None and self._diary:
            self._diary.note(self.calls, verb, flat(reply))
        if past is None and self._ledger:
            self._ledger.asked(verb, message)
        return reply

    def _look(self, verb: str, message: Any) -> Any:
        """Ask for something that changes nobody and that no other agent will ever know."""
        if self.ledger:
            self.ledger.asked(verb, message)
        return self._carry(Call(self.calls, verb, message))

    def _carry(self, call: Call) -> Any:
        """Hand out the parts of a question and put the answers together."""
        start = perf_counter()
        asked = [home for home in self.homes if _concerns(call.message, home)]
        for home in asked:
            home.ask(Call(call.number, call.verb, home.membership.cut(call.message)))
        parts = [reply.message for reply in _all_of(home.reply for home in asked)]
        whole = parts[0] if asked[0].membership.whole else self._joined(call, asked, parts)
        for home in asked:
            home.effort.asked_s += perf_counter() - start
        return whole

    def _joined(self, call: Call, homes: Sequence[Proxy], parts: Sequence[Any]) -> Any:
        kind = VERBS[call.verb][1]
        empty = {name: np.zeros([self._extent[axis] for axis in axes]) for name, axes in axes_of(kind).items()}
        if hasattr(call.message, "members"):
            empty["members"] = call.message.members
        whole = kind(**empty)
        for home, part in zip(homes, parts, strict=True):
            home.membership.paste(part, whole)
        return whole

    # --- what is kept ------------------------------------------------------------------------------------------------

    def keep(self) -> None:
        """Save all communities now and then, so that nobody has to live through much when a steward is lost."""
        folder = self._diary.folder if self._diary else self._scratch and Path(self._scratch.name)
        done = self.calls <= self._saved_at or self.relives
        if not folder or done or self.unsaved_because or monotonic() - self._last_save < _EVERY_S:
            return
        count = len(self.homes)
        files = tuple(folder / saved_name(self.calls, k, count) for k in range(1, count + 1))
        for home, file in zip(self.homes, files, strict=True):
            home.save(file)
        try:
            _all_of(home.saved for home in self.homes)
        except UnsavedError as error:
            self.unsaved_because = str(error)
            return
        for old in self._files:
            old.unlink(missing_ok=True)
        self._files, self._saved_at, self._last_save = files, self.calls, monotonic()


def _concerns(message: Any, home: Proxy) -> bool:
    """Whether anybody in a community is asked."""
    return not isinstance(message, Quotes) or bool(home.membership.asked(message.members))


def _all_of(answers: Iterable[Callable[[], Answer]]) -> list[Answer]:
    """Fetch the answers of all, also when one is an error, so that none is left to be taken for another."""
    fetched, errors = [], []
    for answer in answers:
        try:
            fetched.append(answer())
        except GridbazaarError as error:
            errors.append(error)
    if errors:
        raise errors[0]
    return fetched


def _close(homes: list[Proxy], place: Backend | None, scratch: TemporaryDirectory[str] | None) -> None:
    for home in homes:
        home.close()
    if place is not None:
        place.close()
    if scratch is not None:
        scratch.cleanup()
