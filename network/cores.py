"""How many cores this process may use: what is run side by side, here or in processes of its own, follows from it."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from functools import cache


def cores() -> int:
    """Those the system lets this process have, which may be fewer than the machine has."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def threads() -> ThreadPoolExecutor:
    """The threads of this process for what lets go of Python's lock while it works."""
    return _threads_of(os.getpid())


@cache
def _threads_of(process: int) -> ThreadPoolExecutor:
    """Threads do not live on in a process that is forked off; there, the number of the process asks for new ones."""
    del process
    return ThreadPoolExecutor(cores(), thread_name_prefix="gridbazaar")
