"""What runs in a worker process: one steward at the end of a pipe."""

from __future__ import annotations

import os
import signal
import sys
import threading
from contextlib import suppress
from multiprocessing import connection, parent_process
from multiprocessing.connection import Connection

from .steward import Steward


def live(pipe: Connection[bytes, bytes]) -> None:
    """Serve one community until the pipe is closed; Ctrl-C is the market's to hear, not the worker's."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if hasattr(os, "setpgid"):
        os.setpgid(0, 0)  # what a terminal or a supervisor sends to the market's group: the market ends its workers
    sys.stdout = sys.stderr  # what behaviours print is not part of what a program prints as its result
    threading.Thread(target=_end_with_the_market, daemon=True).start()
    steward = Steward()
    with suppress(EOFError, OSError):
        while True:
            pipe.send_bytes(steward.serve(pipe.recv_bytes()))


def _end_with_the_market() -> None:
    """Whatever the members are doing: when the process that started this one is gone, so is this one."""
    market = parent_process()
    if market is not None:
        connection.wait([market.sentinel])
        os._exit(1)
