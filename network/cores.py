"""How many cores this process may use: what is run side by side, here or in processes of its own, follows from it."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import AbstractContextManager
from functools import cache
from threading import current_thread
from typing import Any, TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")
_NAME = "gridbazaar"


def cores() -> int:
    """Those the system lets this process have, which may be fewer than the machine has."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def threads() -> ThreadPoolExecutor:
    """The threads of this process for what lets go of Python's lock while it works."""
    return _threads_of(os.getpid())


def side_by_side(act: Callable[[Item], Result], items: Sequence[Item]) -> list[Result]:
    """What comes of each, in their order: on all cores, if `act` lets go of Python's lock while it works.

    The first of a few (as many as there are cores) is done in this thread, and all have ended when one raises.
    One of these threads that calls it again does so alone: it would wait for threads that wait for it.
    """
    if len(items) < 2 or cores() == 1 or current_thread().name.startswith(f"{_NAME}_"):
        return one_by_one(act, items)
    if len(items) > cores():
        return list(threads().map(act, items))
    others = [threads().submit(act, item) for item in items[1:]]
    try:
        first = act(items[0])  # rather than wait here for one thread more to wake up
    finally:
        wait(others)
    return [first, *(other.result() for other in others)]


def one_by_one(act: Callable[[Item], Result], items: Sequence[Item]) -> list[Result]:
    """The same on this core: what takes little time takes longer where threads wait for Python's lock."""
    return [act(item) for item in items]


@cache
def _threads_of(process: int) -> ThreadPoolExecutor:
    """Threads do not live on in a process that is forked off; there, the number of the process asks for new ones."""
    del process
    return ThreadPoolExecutor(cores(), thread_name_prefix=_NAME)


def one_thread_each() -> AbstractContextManager[Any]:
    """Within it the libraries of linear algebra use one thread: their matrices here are small, and cores have work.

    Otherwise theirs and ours wait for each other, and sums may have other bits on a machine with more cores.
    """
    limit: AbstractContextManager[Any] = _libraries().limit(limits=1, user_api="blas")
    return limit


@cache
def _libraries() -> Any:
    import scipy.linalg  # noqa: F401  # what is not loaded yet, numpy's and its own, cannot be found
    from threadpoolctl import ThreadpoolController

    return ThreadpoolController()
