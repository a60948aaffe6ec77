"""Workers that hang are killed, so that nobody waits for them for ever."""

from __future__ import annotations

import threading
from contextlib import suppress
from typing import Any, Protocol

_LOOKS_S = 0.2  # between two looks


class Watched(Protocol):
    """What is looked after: a process that may owe an answer.

    Attributes:
        process: The process.
        hung: Whether it was killed because it did not answer.
    """

    process: Any
    hung: bool

    def is_late(self, patience_s: float) -> bool:
        """Whether it has owed an answer for longer than this."""


class Watchdog:
    """Kills workers that do not answer in time, so that nobody waits for them for ever.

    Attributes:
        patience_s: How long one answer may take.
    """

    def __init__(self, patience_s: float) -> None:
        self.patience_s = patience_s
        self._watched: set[Watched] = set()
        self._stopped = threading.Event()
        self._thread: threading.Thread | None = None

    def watch(self, transport: Watched) -> None:
        """Look after a worker from now on."""
        self._watched.add(transport)
        if self._thread is None:
            self._stopped = threading.Event()
            self._thread = threading.Thread(target=self._look, name="gridbazaar watchdog", daemon=True)
            self._thread.start()

    def forget(self, transport: Watched) -> None:
        """Look after it no more."""
        self._watched.discard(transport)
        if not self._watched and self._thread is not None:
            self._stopped.set()
            self._thread = None

    def _look(self) -> None:
        stopped = self._stopped
        while not stopped.wait(min(_LOOKS_S, self.patience_s / 4)):
            for transport in tuple(self._watched):
                if transport.is_late(self.patience_s):
                    transport.hung = True
                    with suppress(OSError, ValueError):  # it may just have ended by itself
                        transport.process.kill()
