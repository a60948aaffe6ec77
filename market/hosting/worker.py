"""What runs in a worker process: one server at the end of a pipe."""

from __future__ import annotations

import os
import shutil
import signal
import sys
import threading
from contextlib import suppress
from multiprocessing import connection, parent_process
from multiprocessing.connection import Connection

from .community_server import CommunityServer
from .shared_pipe import SharedPipe, clear

_GONE_S = 0.5  # when a pipe is closed, for the process at its other end to be gone


def live(pipe: Connection[bytes, bytes], shared: str) -> None:
    """Serve one community until the pipe, with its shared folder, is closed.

    Ctrl-C is the market's to hear, not the worker's.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if hasattr(os, "setpgid"):
        os.setpgid(0, 0)  # what a terminal or a supervisor sends to the market's group: the market ends its workers
    sys.stdout = sys.stderr  # what behaviours print is not part of what a program prints as its result
    server = CommunityServer()
    threading.Thread(target=_end_with_the_market, args=(server, shared), daemon=True).start()
    ours = SharedPipe(pipe, shared, "worker")
    with suppress(EOFError, OSError):
        while True:
            ours.send(server.serve(ours.receive()))
    server.close()
    if _market_is_gone(_GONE_S):
        _clear(server, shared)


def _end_with_the_market(server: CommunityServer, shared: str) -> None:
    """Whatever the members are doing: when the process that started this one is gone, so is this one."""
    if _market_is_gone(None):
        _clear(server, shared)
        os._exit(1)


def _market_is_gone(within_s: float | None) -> bool:
    """Whether the process that started this one ends in that time; None waits until it does."""
    market = parent_process()
    return market is not None and bool(connection.wait([market.sentinel], within_s))


def _clear(server: CommunityServer, shared: str) -> None:
    """Leave nothing behind of what members remember, and of what was not fetched."""
    clear(shared)
    if server.scratch is not None:
        shutil.rmtree(server.scratch, ignore_errors=True)
