"""Communities in worker processes of this machine, by the standard library's pipes.

Where there is a fork server, it loads what workers need once, and each worker then starts in some hundredths of a
second; elsewhere processes are spawned. A worker serves one community until the market closes its pipe.
"""

from __future__ import annotations

import multiprocessing as mp
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from multiprocessing import resource_tracker
from multiprocessing.context import ForkServerContext, SpawnContext
from time import monotonic
from types import ModuleType

from ...network.cores import cores
from ...network.errors import InputError
from .backend import LostError
from .environment import environment
from .shared_pipe import SharedPipe, clear, shared_folder
from .watchdog import Watchdog
from .worker import live

_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
_ONE_STARTS = threading.Lock()
_GRACE_S = 2.0  # for a worker to end by itself when its pipe is closed


@dataclass(frozen=True)
class Workers:
    """Worker processes on this machine, one for each community.

    Attributes:
        count: How many, at most as many as there are prosumers.
        patience_s: A worker that takes longer than this for one answer is taken to hang, and replaced.

    Raises:
        InputError: There are none, or no patience.
    """

    count: int
    patience_s: float = 120.0
    noun = "worker process"
    shares_files = True
    _watchdog: Watchdog = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if not isinstance(self.count, int):
            raise InputError(f"{self.count!r} is no number of workers; give a whole one")
        if self.count < 1:
            raise InputError(f"{self.count} workers cannot serve anybody; ask for at least 1, or leave --workers out")
        if not self.patience_s > 0:
            raise InputError(f"a patience of {self.patience_s:g} s leaves no time to answer; give some seconds")
        object.__setattr__(self, "_watchdog", Watchdog(self.patience_s))

    def __reduce__(self) -> tuple[type[Workers], tuple[int, float]]:
        """What travels, or is copied, has a watchdog of its own."""
        return Workers, (self.count, self.patience_s)

    @property
    def cores(self) -> int:
        """Those of this machine that this process may use."""
        return cores()

    def communities(self, prosumers: int) -> int:
        """As many as there are workers."""
        return min(self.count, prosumers)

    def open(self) -> WorkerTransport:
        """Start a worker; as `Backend.open`."""
        return WorkerTransport(self._watchdog)

    def close(self) -> None:
        """Nothing to do: each worker is closed by itself."""


class WorkerTransport:
    """A worker process and the pipe to it; long frames lie in memory that both share.

    Attributes:
        process: The process.
        asked_at: When it was asked what it has not answered yet; None while it waits.
        hung: Whether it was killed because it did not answer.
    """

    def __init__(self, watchdog: Watchdog) -> None:
        context: ForkServerContext | SpawnContext = mp.get_context("spawn")
        if "forkserver" in mp.get_all_start_methods():
            context = mp.get_context("forkserver")
            context.set_forkserver_preload([live.__module__])
        ours, theirs = context.Pipe()
        self._folder = shared_folder()
        self._pipe = SharedPipe(ours, self._folder, "market")
        self.process = context.Process(target=live, args=(theirs, self._folder), name="gridbazaar worker", daemon=True)
        try:
            with _as_workers_start():
                self.process.start()
        except (OSError, EOFError) as error:  # EOF: Ctrl-C has ended the fork server while it was starting
            raise LostError(f"could not be started: {error or 'the fork server is gone'}") from error
        except AssertionError:  # what multiprocessing says to a daemonic process
            cure = "such as a worker of a multiprocessing.Pool, cannot start workers; leave them out there"
            raise InputError(f"a daemonic process, {cure}") from None
        finally:
            theirs.close()  # the worker has its own; with this one open its death would go unnoticed
            if self.process.pid is None:
                clear(self._folder)
        self.asked_at: float | None = None
        self.hung = False
        self._watchdog = watchdog
        self._watchdog.watch(self)

    def send(self, data: bytes) -> None:
        """As `Transport.send`."""
        self.asked_at = monotonic()
        try:
            self._pipe.send(data)
        except OSError:
            raise self._lost() from None

    def wait(self) -> None:
        """As `Transport.wait`."""
        try:
            self._pipe.pipe.poll(None)
        except OSError:
            raise self._lost() from None

    def receive(self) -> bytes:
        """As `Transport.receive`."""
        try:
            data = self._pipe.receive()
        except (EOFError, OSError):
            raise self._lost() from None
        self.asked_at = None
        return data

    def close(self) -> None:
        """As `Transport.close`: at once if it is at work."""
        self._watchdog.forget(self)
        self._pipe.pipe.close()
        if self.asked_at is not None:
            self.process.kill()
        self.process.join(_GRACE_S)
        if self.process.is_alive():
            self.process.kill()
            self.process.join()
        self.process.close()
        clear(self._folder)

    def is_late(self, patience_s: float) -> bool:
        """Whether it has been asked long ago and its answer is not even waiting to be fetched."""
        asked_at = self.asked_at
        if asked_at is None or monotonic() - asked_at <= patience_s:
            return False
        try:
            return not self._pipe.pipe.poll()
        except (OSError, ValueError):  # it has just been closed
            return False

    def _lost(self) -> LostError:
        self.process.join(_GRACE_S)
        code = self.process.exitcode
        if self.hung:
            return LostError(f"did not answer within {self._watchdog.patience_s:g} s")
        if code is not None and code < 0:
            return LostError(f"was killed by {signal.Signals(-code).name}")
        return LostError(f"ended with exit code {code}")


@contextmanager
def _ctrl_c_later() -> Iterator[None]:
    """Ctrl-C goes to all processes of a terminal: hold it back here, and from the fork server that starts meanwhile."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    resource_tracker.ensure_running()  # which would let Ctrl-C through when it starts
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


@contextmanager
def _as_workers_start() -> Iterator[None]:
    """One thread for each solver, and no second run of the user's script, which workers do not need."""
    with _ONE_STARTS, _ctrl_c_later(), environment(dict.fromkeys(_THREADS, "1")):
        main = sys.modules["__main__"]
        sys.modules["__main__"] = ModuleType("__main__")
        try:
            yield
        finally:
            sys.modules["__main__"] = main
