"""All communities as one: what the market asks of its prosumers, wherever they live."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from time import monotonic, perf_counter
from typing import Any, TypeVar

import numpy as np

from ...agents.household import Household
from ...agents.messages import Bids, Commitment, Deliveries, Offers, Pledges, Quotes, Regrets, axes_of
from ...agents.trade_graph import TradeGraph
from ...network.arrays import FloatArray
from ...network.errors import GridbazaarError
from ..messages import Needs, PrivateSchedules, Question
from .backend import Backend
from .calls import VERBS, Call
from .checkpoint import CommunitiesState
from .community import Community
from .incident import Incident
from .membership import Membership
from .message_log import MessageLog
from .misbehaviour import MisbehaviourLog
from .options import Hosting
from .plain import UnsavedError
from .proxy import LocalProxy, Proxy, RemoteProxy
from .spec import CommunitySpec
from .timing import HostingReport, Timing

Answer = TypeVar("Answer")
_EVERY_S = 1.0
"""Communities are saved when as much time has gone since they were; what came after is lived through once more."""


class Communities:
    """The prosumers of a market: one message in, one message out, whoever carries them.

    Attributes:
        specs: What each community is set up with.
        hosting: Where they live.
        proxies: Where each community lives.
        calls: How many calls have been made.
        incidents: Whom the market has lost so far.
        misbehaviour: Whose behaviour has failed, and in what.
        unsaved_because: Why communities cannot be saved, if they cannot.
        log: Where messages are written down.
    """

    def __init__(self, specs: Sequence[CommunitySpec], graph: TradeGraph, hosting: Hosting) -> None:
        """Set up all communities.

        Args:
            specs: What each is set up with.
            graph: Who may trade with whom.
            hosting: Where they live, and who is told of what they say.

        Raises:
            HouseholdShortageError: A household cannot balance some period whatever the others do.
            WorkerLostError: A community could not be set up.
        """
        self.specs, self.hosting = tuple(specs), hosting
        self.calls = 0
        self.incidents: list[Incident] = []
        self.misbehaviour = MisbehaviourLog(graph.names)
        self.unsaved_because = ""
        self.proxies: list[Proxy] = []
        backend = hosting.backend
        devices = np.zeros(len(graph.names), dtype=np.intp)
        for spec in specs:
            devices[spec.membership.members] = [len(home.devices) for home in spec.households]
        everybody, periods = np.arange(len(graph.names)), specs[0].membership.periods
        self._extent = Membership.of(graph, everybody, periods, devices).extent
        self.log = MessageLog(graph, periods, hosting.log, devices)
        self._scratch = TemporaryDirectory(prefix="gridbazaar-") if backend is not None else None
        self._noun, self._cores = (backend.noun, backend.cores) if backend else ("", 1)
        self._saved_at, self._last_save = 0, monotonic()
        self.close: Callable[[], object] = weakref.finalize(self, _close, self.proxies, backend, self._scratch)
        try:
            self._set_up(backend)
        except BaseException:
            self.close()
            raise

    def _set_up(self, backend: Backend | None) -> None:
        if backend is None:
            self.proxies += [LocalProxy(spec) for spec in self.specs]
            self.misbehaviour.note([proxy.ready() for proxy in self.proxies], self.log.round)
            return
        scratch = Path(self._scratch.name) if self._scratch else None
        remote: list[RemoteProxy] = []
        for number, spec in enumerate(self.specs, start=1):
            remote.append(RemoteProxy(backend, spec, number, scratch, self.incidents.append))
            self.proxies.append(remote[-1])
        self.misbehaviour.note([proxy.ready() for proxy in remote], self.log.round)

    @property
    def report(self) -> HostingReport:
        """Where the prosumers live, and what communities have cost so far."""
        members = tuple(len(proxy.membership.names) for proxy in self.proxies)
        timing = Timing(self._noun, self._cores, members, tuple(replace(proxy.effort) for proxy in self.proxies))
        return HostingReport(timing, tuple(self.incidents), self.unsaved_because, self.misbehaviour.so_far)

    @property
    def homes(self) -> dict[str, Household]:
        """Everybody's private data; for the person at the screen only."""
        return {home.name: home for spec in self.specs for home in spec.households}

    def begin(self, number: int) -> None:
        """Begin a round of the market."""
        if self.log.round:
            self.misbehaviour.forget_misdeeds()
        self.log.round = number

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

    def schedules(self, deliveries: Deliveries) -> PrivateSchedules:
        """Everybody's schedules, valued at these prices; for the person at the screen only."""
        told: PrivateSchedules = self._look("schedules", deliveries)
        return told

    @property
    def here(self) -> list[Community]:
        """The communities that live in this process."""
        return [proxy.community for proxy in self.proxies if isinstance(proxy, LocalProxy)]

    # --- how it is carried -------------------------------------------------------------------------------------------

    def _ask(self, verb: str, message: Any) -> Any:
        """Ask for something after which prosumers may answer otherwise than before."""
        self.calls += 1
        return self._look(verb, message)

    def _look(self, verb: str, message: Any) -> Any:
        """Ask, and write down that it was asked."""
        reply = self._carry(Call(self.calls, verb, message))
        self.log.asked(verb, message)
        return reply

    def _carry(self, call: Call) -> Any:
        """Hand out the parts of a question and put the answers together."""
        start = perf_counter()
        asked = [proxy for proxy in self.proxies if _concerns(call.message, proxy)]
        for proxy in asked:
            proxy.ask(Call(call.number, call.verb, proxy.membership.cut(call.message)))
        replies = _all_of(proxy.reply for proxy in asked)
        self.misbehaviour.note([reply.misdeeds for reply in replies], self.log.round)
        parts = [reply.message for reply in replies]
        whole = parts[0] if asked[0].membership.whole else self._joined(call, asked, parts)
        for proxy in asked:
            proxy.effort.asked_s += perf_counter() - start
        return whole

    def _joined(self, call: Call, proxies: Sequence[Proxy], parts: Sequence[Any]) -> Any:
        kind = VERBS[call.verb][1]
        empty = {name: np.zeros([self._extent[axis] for axis in axes]) for name, axes in axes_of(kind).items()}
        if hasattr(call.message, "members"):
            empty["members"] = call.message.members
        whole = kind(**empty)
        for proxy, part in zip(proxies, parts, strict=True):
            proxy.membership.paste(part, whole)
        return whole

    # --- what is kept ------------------------------------------------------------------------------------------------

    def snapshot(self) -> CommunitiesState:
        """What all prosumers remember, and all behaviours with their random numbers.

        Raises:
            UnsavedError: A behaviour remembers what cannot be kept.
        """
        for proxy in self.proxies:
            proxy.save(None)
        return CommunitiesState(self.calls, tuple(_all_of(proxy.saved for proxy in self.proxies)))

    def restore(self, state: CommunitiesState) -> None:
        """Let all prosumers go on from there; they may have lived in other communities."""
        for proxy in self.proxies:
            proxy.recall(state.saved)
        _all_of(proxy.recalled for proxy in self.proxies)
        self.calls = state.calls

    def save(self, folder: Path, name: str) -> tuple[Path, ...]:
        """Save every community into a file of its own, `name-1of2.npz`, written by the process that it lives in.

        Raises:
            UnsavedError: A behaviour remembers what cannot be kept.
        """
        count = len(self.proxies)
        files = tuple(folder / f"{name}-{k}of{count}.npz" for k in range(1, count + 1))
        for proxy, file in zip(self.proxies, files, strict=True):
            proxy.save(file)
        _all_of(proxy.saved for proxy in self.proxies)
        self._saved_at, self._last_save = self.calls, monotonic()
        return files

    def keep(self) -> None:
        """Save all communities now and then, so that nobody has to live through much when a server is lost."""
        due = self.calls > self._saved_at and monotonic() - self._last_save >= _EVERY_S
        if self._scratch is None or not due or self.unsaved_because:
            return
        old = set(Path(self._scratch.name).glob("*.npz"))
        try:
            files = self.save(Path(self._scratch.name), str(self.calls))
        except UnsavedError as error:
            self.unsaved_because = str(error)
            return
        for file in old.difference(files):
            file.unlink(missing_ok=True)


def _concerns(message: Any, proxy: Proxy) -> bool:
    """Whether anybody in a community is asked."""
    return not isinstance(message, Quotes) or proxy.membership.asked(message.members).size > 0


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


def _close(proxies: list[Proxy], backend: Backend | None, scratch: TemporaryDirectory[str] | None) -> None:
    for proxy in proxies:
        proxy.close()
    if backend is not None:
        backend.close()
    if scratch is not None:
        scratch.cleanup()
