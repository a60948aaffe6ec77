"""A limit of what a call may print."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from threading import get_ident
from typing import Any

from .behaviour_errors import AnswerError

MOST_CHARACTERS = 16_384
"""What one answer may print; a flood of it would fill a terminal, a log or a disk."""


class _Counted:
    """Stdout that counts what one thread prints; all else passes."""

    def __init__(self, beneath: Any) -> None:
        self._beneath, self._thread, self._left = beneath, get_ident(), MOST_CHARACTERS
        self.counts = True

    @property
    def beneath(self) -> Any:
        """What it writes to."""
        return self._beneath

    def write(self, text: str) -> int:
        if self.counts and get_ident() == self._thread:
            self._left -= len(text)
            if self._left < 0:
                raise AnswerError(f"printed more than {MOST_CHARACTERS:,} characters for one answer; print less")
        return int(self._beneath.write(text))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._beneath, name)


@contextmanager
def limited_print() -> Iterator[None]:
    """Let this thread print only so much on stdout.

    Raises:
        AnswerError: It printed more; from within `print`.
    """
    before: Any = sys.stdout
    while isinstance(before, _Counted) and not before.counts:  # left there by a call that was late
        before = before.beneath
    counted = _Counted(before)
    sys.stdout = counted  # it has all that stdout has
    try:
        yield
    finally:
        counted.counts = False  # whoever still holds it writes as before
        if sys.stdout is counted:
            sys.stdout = before
