"""Where one community lives, as the market sees it: a question in, an answer out, whatever happens in between."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from time import perf_counter
from typing import Protocol

from .backend import Backend, LostError, Transport
from .calls import Call, Reply, call_frame, opened, reply_of
from .community import Community
from .community_server import FAILED, REFUSED, SAVE, found_frame, plain_frame, write_whole
from .incident import Incident, WorkerLostError
from .membership import Membership
from .spec import CommunitySpec

_TIMES = 3
"""A steward that is lost so often in a row at one question is lost for good."""


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


class Proxy(Protocol):
    """Where one community lives.

    Attributes:
        membership: Who lives there.
        effort: What it has cost so far.
    """

    membership: Membership
    effort: Effort

    def ask(self, call: Call) -> None:
        """Hand over a question."""

    def reply(self) -> Reply:
        """The answer to the question that was handed over."""

    def save(self, path: Path) -> None:
        """Begin to save the community into a file."""

    def saved(self) -> None:
        """Wait until it is saved.

        Raises:
            NotPlainError: It cannot be saved.
        """

    def close(self) -> None:
        """Leave."""


class LocalProxy:
    """A community in this process; as `Proxy`."""

    def __init__(self, founding: CommunitySpec, saved: tuple[Path, ...]) -> None:
        self.membership = founding.membership
        self.effort = Effort()
        self.community = Community(founding)
        if saved:
            self.community.recall([path.read_bytes() for path in saved])

    def ask(self, call: Call) -> None:
        """As `Proxy.ask`."""
        start = perf_counter()
        message = getattr(self.community, call.verb)(call.message)
        self._reply = Reply(call.number, message, perf_counter() - start, 0.0)

    def reply(self) -> Reply:
        """As `Proxy.reply`."""
        self.effort.solving_s += self._reply.solving_s
        return self._reply

    def save(self, path: Path) -> None:
        """As `Proxy.save`."""
        self._file = path

    def saved(self) -> None:
        """As `Proxy.saved`."""
        write_whole(self._file, self.community.save())

    def close(self) -> None:
        """As `Proxy.close`."""


class RemoteProxy:
    """A community somewhere else; when its steward is lost, another one lives through what is not saved. As `Proxy`."""

    def __init__(
        self,
        place: Backend,
        founding: CommunitySpec,
        number: int,
        saved: tuple[Path, ...],
        scratch: Path | None,
        tell: Callable[[Incident], None],
    ) -> None:
        """Begin to found the community; `founded` waits until it is.

        Args:
            place: Where it is to live.
            founding: What it is founded with.
            number: Which one it is, from 1.
            saved: Files of communities that it is to go on from.
            scratch: The folder where communities are saved, if nobody needs it when the market is gone.
            tell: Told of every loss.
        """
        self.membership = founding.membership
        self.effort = Effort()
        self._place, self._founding, self._number, self._tell = place, founding, number, tell
        self._saved, self._scratch = saved, scratch
        self._journal: list[Call] = []
        self._carrier: Transport | None = None
        self._lost: LostError | None = None
        self._call = Call(0, "found", None)
        self._file: Path | None = None
        self._owed = False
        found = self._found_frame()
        try:
            self._carrier = place.open()
        except LostError as lost:
            self._lost = lost
        self._send(found)

    def founded(self) -> None:
        """Wait until the community is founded."""
        self._fetch()

    def ask(self, call: Call) -> None:
        """As `Proxy.ask`."""
        start = perf_counter()
        self._call = call
        self._send(call_frame(call))
        self.effort.carrying_s += perf_counter() - start

    def reply(self) -> Reply:
        """As `Proxy.reply`."""
        verb, body, start = self._fetch()
        reply = reply_of(verb, body, self.membership.extent)
        assert reply.number == self._call.number, "an answer to another question"
        if verb in _REMEMBERED:
            self._journal.append(self._call)
        self.effort.solving_s += reply.solving_s
        self.effort.carrying_s += reply.handling_s + perf_counter() - start
        return reply

    def save(self, path: Path) -> None:
        """As `Proxy.save`."""
        self._file = path
        self._call = Call(self._call.number, SAVE, None)
        self._send(plain_frame(SAVE, str(path).encode() if self._place.shares_files else b""))

    def saved(self) -> None:
        """As `Proxy.saved`; what was before needs not be lived through any more."""
        _, body, _ = self._fetch()
        assert self._file is not None
        if not self._place.shares_files:
            write_whole(self._file, body)
        self._saved, self._journal = (self._file,), []

    def close(self) -> None:
        """As `Proxy.close`."""
        if self._carrier is not None:
            self._carrier.close()
            self._carrier = None

    def _send(self, data: bytes) -> None:
        """Send a frame; if there is nobody to take it, that is seen to when the answer is fetched."""
        if self._owed:  # Ctrl-C, say, came before the last answer was fetched
            self._lost = LostError("was interrupted while it answered")
        self._data, self._owed = data, True
        try:
            if self._carrier is not None:
                self._carrier.send(data)
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
        assert self._carrier is not None
        self._carrier.wait()
        start = perf_counter()
        verb, body = opened(self._carrier.receive())
        self._owed = False
        if verb == REFUSED:
            raise pickle.loads(body)  # noqa: S301  # from a steward that this process has started
        if verb == FAILED:
            raise LostError(f"raised {body.decode()}")
        return verb, body, start

    def _replace(self, lost: LostError, times: int) -> None:
        """Found the community once more, and bring it to where it was."""
        place, call = self._place, self._call
        incident = Incident(place.noun, self._number, self.membership.names, call.number, call.verb, str(lost))
        if times >= _TIMES:
            raise WorkerLostError(incident, times) from lost
        self._tell(incident)
        self.close()
        self._owed = False
        pending = self._data
        try:
            self._carrier = place.open()
            if call.verb != "found":
                self._send(self._found_frame())
                self._answer()
            for earlier in self._journal:
                self._send(call_frame(earlier))
                self._answer()
        except LostError as again:
            self._lost, self._data, self._owed = again, pending, False
            return
        self._send(pending)

    def _found_frame(self) -> bytes:
        saved = [path if self._place.shares_files else path.read_bytes() for path in self._saved]
        return found_frame(self._founding, saved, self._scratch)


_REMEMBERED = {"answer", "regrets", "deliver", "commit"}
"""Questions after which a member may answer otherwise than before."""
