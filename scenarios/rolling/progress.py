"""What a person sees while windows are settled, on stderr."""

from __future__ import annotations

from ...market.rounds import Round
from ..runs.progress import Progress


class WindowProgress:
    """A line for every window, with what is left; the newest round behind it, with `verbose` each.

    Where there is no terminal a window that takes long has a line in ten seconds.
    """

    def __init__(self, progress: Progress, *, verbose: bool) -> None:
        """Begin to tell.

        Args:
            progress: What tells of one run.
            verbose: Whether every round gets a line.
        """
        self._progress, self._verbose, self._window = progress, verbose, ""

    def note(self, sentence: str) -> None:
        """Tell that a window begins, or what else is being done."""
        self._window = sentence
        self._progress.note(sentence)

    def __call__(self, record: Round) -> None:
        """Tell of a finished round; lost workers are always told of."""
        if self._verbose or record.incidents:
            self._progress(record)
        self._progress.tell_now_and_then(f"{self._window}: {record.sentence}")
