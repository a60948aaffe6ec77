"""Where one community lives, as the market sees it: a question in, an answer out, whatever happens in between."""

from __future__ import annotations

import pickle
from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import count
from pathlib import Path
from time import perf_counter
from typing import Protocol

from ...agents.misdeed import Misdeed
from .backend import Backend, LostError, Transport
from .calls import Call, Reply, call_frame, joined, opened, reply_of
from .community import Community
from .files import write_whole
from .frames import FAILED, RECALL, REFUSED, SAVE, SET_UP, plain_frame, set_up_frame, unreported
from .incident import Incident, WorkerLostError
from .membership import Membership
from .spec import CommunitySpec
from .timing import Effort

_TIMES = 3
"""A server that is lost so often in a row at one question is lost for good."""


class Proxy(Protocol):
    """Where one community lives.

    Attributes:
        membership: Who lives there.
        effort: What it has cost so far.
    """

    membership: Membership
    effort: Effort

    def ready(self) -> tuple[Misdeed, ...]:
        """Wait until the community is set up; what behaviours have failed in as they moved in."""

    def ask(self, call: Call) -> None:
        """Hand over a question."""

    def reply(self) -> Reply:
        """The answer to the question that was handed over."""

    def save(self, path: Path | None) -> None:
        """Begin to save the community, into a file or into the answer."""

    def saved(self) -> bytes:
        """Wait until it is saved; what was saved, where there is no file.

        Raises:
            UnsavedError: It cannot be saved.
        """

    def recall(self, saved: Sequence[bytes]) -> None:
        """Begin to let the members go on from where they stand among those saved."""

    def recalled(self) -> None:
        """Wait until they have."""

    def close(self) -> None:
        """Leave."""


class LocalProxy:
    """A community in this process; as `Proxy`."""

    def __init__(self, spec: CommunitySpec) -> None:
        self.membership = spec.membership
        self.effort = Effort()
        self.community = Community(spec)

    def ready(self) -> tuple[Misdeed, ...]:
        """As `Proxy.ready`."""
        return self.community.misdeeds()

    def ask(self, call: Call) -> None:
        """As `Proxy.ask`."""
        start = perf_counter()
        message = getattr(self.community, call.verb)(call.message)
        self._reply = Reply(call.number, message, perf_counter() - start, 0.0, self.community.misdeeds())

    def reply(self) -> Reply:
        """As `Proxy.reply`."""
        self.effort.solving_s += self._reply.solving_s
        return self._reply

    def save(self, path: Path | None) -> None:
        """As `Proxy.save`."""
        self._file = path

    def saved(self) -> bytes:
        """As `Proxy.saved`."""
        content = self.community.save()
        if self._file is None:
            return content
        write_whole(self._file, content)
        return b""

    def recall(self, saved: Sequence[bytes]) -> None:
        """As `Proxy.recall`."""
        self.community.recall(saved)

    def recalled(self) -> None:
        """As `Proxy.recalled`."""

    def close(self) -> None:
        """As `Proxy.close`."""
        self.community.close()


class RemoteProxy:
    """A community somewhere else; when its server is lost, another one lives through what is not saved. As `Proxy`."""

    def __init__(
        self,
        backend: Backend,
        spec: CommunitySpec,
        number: int,
        scratch: Path | None,
        tell: Callable[[Incident], None],
    ) -> None:
        """Begin to set up the community; `ready` waits until it is.

        Args:
            backend: Where it is to live.
            spec: What it is set up with.
            number: Which one it is, from 1.
            scratch: The folder where communities are saved, if nobody needs it when the market is gone.
            tell: Told of every loss.
        """
        self.membership = spec.membership
        self.effort = Effort()
        self._backend, self._spec, self._number, self._tell = backend, spec, number, tell
        self._saved: tuple[Path | bytes, ...] = ()
        self._scratch = scratch
        self._replay: list[Call] = []
        self._transport: Transport | None = None
        self._lost: LostError | None = None
        self._call = Call(0, SET_UP, None)
        self._file: Path | None = None
        self._owed = False
        self._misdeeds: tuple[Misdeed, ...] = ()
        begin = self._set_up_frame()
        try:
            self._transport = backend.open()
        except LostError as lost:
            self._lost = lost
        self._send(begin)

    def ready(self) -> tuple[Misdeed, ...]:
        """As `Proxy.ready`."""
        self._fetch()
        return self._misdeeds

    def ask(self, call: Call) -> None:
        """As `Proxy.ask`."""
        start = perf_counter()
        self._call = call
        self._send(call_frame(call))
        self.effort.carrying_s += perf_counter() - start

    def reply(self) -> Reply:
        """As `Proxy.reply`."""
        verb, body, start = self._fetch()
        reply = replace(reply_of(verb, body, self.membership.extent), misdeeds=self._misdeeds)
        assert reply.number == self._call.number, "an answer to another question"
        if verb in _REMEMBERED:
            self._replay.append(self._call)
        self.effort.solving_s += reply.solving_s
        self.effort.carrying_s += reply.handling_s + perf_counter() - start
        return reply

    def save(self, path: Path | None) -> None:
        """As `Proxy.save`."""
        self._file = path
        self._call = Call(self._call.number, SAVE, None)
        by_itself = path is not None and self._backend.shares_files
        self._send(plain_frame(SAVE, str(path).encode() if by_itself else b""))

    def saved(self) -> bytes:
        """As `Proxy.saved`; what was before needs not be lived through any more."""
        _, body, _ = self._fetch()
        if self._file is not None and not self._backend.shares_files:
            write_whole(self._file, body)
        self._saved, self._replay = (self._file or body,), []
        return b"" if self._file else body

    def recall(self, saved: Sequence[bytes]) -> None:
        """As `Proxy.recall`."""
        self._call = Call(self._call.number, RECALL, None)
        self._send(plain_frame(RECALL, joined(saved)))
        self._saved, self._replay = tuple(saved), []

    def recalled(self) -> None:
        """As `Proxy.recalled`."""
        self._fetch()

    def close(self) -> None:
        """As `Proxy.close`."""
        if self._transport is not None:
            self._transport.close()
            self._transport = None

    def _send(self, data: bytes) -> None:
        """Send a frame; if there is nobody to take it, that is seen to when the answer is fetched."""
        if self._owed:  # Ctrl-C, say, came before the last answer was fetched
            self._lost = LostError("was interrupted while it answered")
        self._data, self._owed = data, True
        try:
            if self._transport is not None:
                self._transport.send(data)
        except LostError as lost:
            self._lost = lost

    def _fetch(self) -> tuple[str, bytes, float]:
        """The answer to the frame that was sent, and when it was there."""
        for times in count(1):
            try:
                return self._answer()
            except LostError as lost:
                self._replace(lost, times)
        raise AssertionError  # the loop has no other end

    def _answer(self) -> tuple[str, bytes, float]:
        lost, self._lost = self._lost, None
        if lost is not None:
            raise lost
        assert self._transport is not None
        self._transport.wait()
        start = perf_counter()
        answer, self._misdeeds = unreported(self._transport.receive())
        verb, body = opened(answer)
        self._owed = False
        if verb == REFUSED:
            raise pickle.loads(body)  # noqa: S301  # from a server that this process has started
        if verb == FAILED:
            raise LostError(f"raised {body.decode()}")
        return verb, body, start

    def _replace(self, lost: LostError, times: int) -> None:
        """Set up the community once more, and bring it to where it was."""
        backend, call = self._backend, self._call
        incident = Incident(backend.noun, self._number, self.membership.names, call.number, call.verb, str(lost))
        if times >= _TIMES:
            raise WorkerLostError(incident, times) from lost
        self._tell(incident)
        self.close()
        self._owed = False
        pending = self._data
        try:
            self._transport = backend.open()
            if call.verb != SET_UP:
                self._send(self._set_up_frame())
                self._answer()
            for earlier in self._replay:
                self._send(call_frame(earlier))
                self._answer()
        except LostError as again:
            self._lost, self._data, self._owed = again, pending, False
            return
        self._send(pending)

    def _set_up_frame(self) -> bytes:
        shares = self._backend.shares_files
        saved = [one if isinstance(one, bytes) or shares else one.read_bytes() for one in self._saved]
        return set_up_frame(self._spec, saved, self._scratch)


_REMEMBERED = {"answer", "regrets", "deliver", "commit"}
"""Questions after which a member may answer otherwise than before."""
