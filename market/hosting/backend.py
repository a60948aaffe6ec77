"""What a place where communities can live has to offer: somebody who carries bytes to each of them."""

from __future__ import annotations

from typing import Protocol


class LostError(Exception):
    """Whoever serves a community is gone, does not answer, or failed; the sentence says how."""


class Transport(Protocol):
    """Carries frames to the server of one community, and its answers back, one at a time."""

    def send(self, data: bytes) -> None:
        """Hand over a frame.

        Raises:
            LostError: There is nobody to take it.
        """

    def wait(self) -> None:
        """Wait until the answer can be fetched.

        Raises:
            LostError: There will be none.
        """

    def receive(self) -> bytes:
        """Fetch the answer.

        Raises:
            LostError: There will be none.
        """

    def close(self) -> None:
        """Let the server go, whatever it is doing."""


class Backend(Protocol):
    """Where communities can live outside this process.

    Attributes:
        noun: What serves one community there: "worker process", "Ray actor".
        shares_files: Whether servers see the files of this machine.
        cores: How many cores communities share there.
    """

    noun: str
    shares_files: bool

    @property
    def cores(self) -> int:
        """As above."""

    def communities(self, prosumers: int) -> int:
        """Into how many communities so many prosumers should be divided; asked before any is opened."""

    def open(self) -> Transport:
        """A transport to a new server, which serves no community yet.

        Raises:
            LostError: None could be started.
        """

    def close(self) -> None:
        """Leave the place as it was found."""
