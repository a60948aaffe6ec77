"""Ctrl-C and SIGTERM while a run goes on: the round under way is finished, and what is known is saved."""

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def interrupts() -> Iterator[Callable[[], bool]]:
    """Whether Ctrl-C (or SIGTERM) has come: the first waits for the end of the round, the second does not."""
    came = False

    def note(number: int, frame: object) -> None:
        nonlocal came
        del frame
        if came:
            raise KeyboardInterrupt(number)
        came = True

    try:
        before = {number: signal.signal(number, note) for number in (signal.SIGINT, signal.SIGTERM)}
    except ValueError:  # not in the main thread: there, signals are somebody else's
        before = {}
    try:
        yield lambda: came
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
