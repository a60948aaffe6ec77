"""A program that answers JSON lines: one line in on its stdin, one line out on its stdout."""

from __future__ import annotations

import json
import shlex
import subprocess
import weakref
from collections.abc import Mapping
from contextlib import suppress
from queue import Empty, SimpleQueue
from threading import Thread
from typing import Any

from .behaviour_errors import AnswerError

LONGEST_LINE = 64 * 2**20
"""Bytes of an answer; more is taken for a flood."""
_GRACE_S = 1.0
"""For a program to end by itself when its stdin is closed."""


class JsonProgram:
    """A program that runs beside this process, and ends with it: its stdin is closed then, or it is ended.

    A program that fails once, in whatever way, is ended: an answer that comes late would be taken for another.

    Attributes:
        command: The words that started it, as a shell would take them.
    """

    def __init__(self, command: str, folder: str, timeout_s: float) -> None:
        """Start it.

        Args:
            command: The program and its arguments, divided as a shell would; no shell runs them.
            folder: Its working directory.
            timeout_s: How long it may take for one answer.

        Raises:
            AnswerError: It cannot be started.
        """
        self.command, self._timeout_s = command, timeout_s
        try:
            self._process = subprocess.Popen(  # noqa: S603  # it is the user's own
                shlex.split(command),
                cwd=folder,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                start_new_session=True,  # Ctrl-C is the market's to hear
            )
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or error
            raise AnswerError(f"{command!r} cannot be started: {reason}; correct the command, or install it") from None
        self._asked: SimpleQueue[bytes | None] = SimpleQueue()
        self._told: SimpleQueue[bytes | OSError] = SimpleQueue()
        Thread(target=_talk, args=(self._process, self._asked, self._told), daemon=True).start()
        self.close = weakref.finalize(self, _end, self._process, self._asked)

    def ask(self, question: Mapping[str, Any]) -> dict[str, Any]:
        """The answer to a question.

        Raises:
            AnswerError: There is none in time, or it is none; the program has been ended.
        """
        self._asked.put(json.dumps(question, allow_nan=False).encode() + b"\n")
        try:
            line = self._told.get(timeout=self._timeout_s)
        except Empty:
            raise self._failed(f"did not answer within {self._timeout_s:g} s") from None
        except BaseException:  # Ctrl-C, say: the answer under way would be taken for the next one
            self._failed("")
            raise
        if isinstance(line, OSError) or not line.endswith(b"\n"):
            raise self._failed(self._how_it_broke_off(line))
        try:
            answer = json.loads(line)
        except ValueError:
            answer = None
        if not isinstance(answer, dict):
            raise self._failed(f"answered {line[:60]!r}, which is no JSON object in one line")
        if "error" in answer:
            raise AnswerError(f"{self.command!r} says: {answer['error']}")
        return answer

    @property
    def running(self) -> bool:
        """Whether it can still be asked."""
        return self.close.alive

    def _how_it_broke_off(self, line: bytes | OSError) -> str:
        if isinstance(line, bytes) and len(line) >= LONGEST_LINE:
            return f"answered more than {LONGEST_LINE / 2**20:.0f} MiB in one line"
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(_GRACE_S)
        code = self._process.poll()
        if code is None:
            return "closed its stdout"
        return f"was killed by signal {-code}" if code < 0 else f"ended with exit code {code}"

    def _failed(self, how: str) -> AnswerError:
        self._process.kill()
        self.close()
        return AnswerError(f"{self.command!r} {how}")


def _talk(
    process: subprocess.Popen[bytes], asked: SimpleQueue[bytes | None], told: SimpleQueue[bytes | OSError]
) -> None:
    """Carry lines to a program and back, so that nobody waits for ever for one that neither reads nor writes."""
    assert process.stdin is not None
    assert process.stdout is not None
    while (line := asked.get()) is not None:
        try:
            process.stdin.write(line)
            process.stdin.flush()
            told.put(process.stdout.readline(LONGEST_LINE))
        except (OSError, ValueError) as error:
            told.put(error if isinstance(error, OSError) else OSError(str(error)))
    with suppress(OSError):
        process.stdin.close()
    process.stdout.close()


def _end(process: subprocess.Popen[bytes], asked: SimpleQueue[bytes | None]) -> None:
    """Close its stdin, and end it if it does not end by itself."""
    asked.put(None)
    try:
        process.wait(_GRACE_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
