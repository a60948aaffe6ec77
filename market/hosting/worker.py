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

_GONE_S = 0.5  # when a pipe is closed, for the process at its other end to be gone


def live(pipe: Connection[bytes, bytes]) -> None:
    """Serve one community until the pipe is closed; Ctrl-C is the market's to hear, not the worker's."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if hasattr(os, "setpgid"):
        os.setpgid(0, 0)  # what a terminal or a supervisor sends to the market's group: the market ends its workers
    sys.stdout = sys.stderr  # what behaviours print is not part of what a program prints as its result
    server = CommunityServer()
    threading.Thread(target=_end_with_the_market, args=(server,), daemon=True).start()
    with suppress(EOFError, OSError):
        while True:
            pipe.send_bytes(server.serve(pipe.recv_bytes()))
    server.close()
    if _market_is_gone(_GONE_S):
        _clear(server)


def _end_with_the_market(server: CommunityServer) -> None:
    """Whatever the members are doing: when the process that started this one is gone, so is this one."""
    if _market_is_gone(None):
        _clear(server)
        os._exit(1)


def _market_is_gone(within_s: float | None) -> bool:
    """Whether the process that started this one ends in that time; None waits until it does."""
    market = parent_process()
    return market is not None and bool(connection.wait([market.sentinel], within_s))


def _clear(server: CommunityServer) -> None:
    """Leave nothing behind of what members remember."""
    if server.scratch is not None:
        shutil.rmtree(server.scratch, ignore_errors=True)
