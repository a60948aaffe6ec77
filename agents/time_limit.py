"""A time limit for a call in this process."""

from __future__ import annotations

from collections.abc import Callable
from queue import Empty, SimpleQueue
from threading import Thread
from typing import Any

from .behaviour_errors import AnswerError


class TimeLimit:
    """Calls in a thread, and goes on without the answer when that is late.

    Python cannot end a call that hangs: its thread runs on in the background, uses its core, and ends with the process
    at the latest. Until it has ended nothing more is called, so that an object is never in two calls at once; what it
    returns too late is dropped. Which answers are late depends on the machine: it is the one thing of a market that a
    seed does not fix. A call that holds the interpreter's lock, as some compiled code does, cannot be left at all.

    Attributes:
        seconds: How long a call may take; None for no limit and no thread.
    """

    def __init__(self, seconds: float | None) -> None:
        self.seconds = seconds
        self._late: Thread | None = None

    @property
    def busy(self) -> bool:
        """Whether a call that was late is still running."""
        return self._late is not None and self._late.is_alive()

    def run(self, act: Callable[[], Any]) -> Any:
        """The answer of a call; errors in it are raised here.

        Raises:
            AnswerError: It is late, or an earlier one is still running.
        """
        if self.seconds is None:
            return act()
        if self.busy:
            raise AnswerError(f"is still busy with what it was asked before (market.answer_timeout_s {self.seconds:g})")
        ended: SimpleQueue[tuple[Any, BaseException | None]] = SimpleQueue()
        thread = Thread(target=_answer, args=(act, ended), name="gridbazaar behaviour", daemon=True)
        thread.start()
        try:
            answer, error = ended.get(timeout=self.seconds)
        except Empty:
            self._late = thread
            raise AnswerError(f"did not answer within {self.seconds:g} s (market.answer_timeout_s)") from None
        thread.join()
        if error is not None:
            raise error
        return answer


def _answer(act: Callable[[], Any], ended: SimpleQueue[tuple[Any, BaseException | None]]) -> None:
    try:
        ended.put((act(), None))
    except BaseException as error:  # whatever it is, it is raised where the answer is waited for
        ended.put((None, error))
