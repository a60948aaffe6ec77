"""What is told where no window could be settled, so that there is nothing to save."""

from __future__ import annotations

from ...network.errors import InfeasibleError


class WindowError(InfeasibleError):
    """The first window cannot be settled at all, or was interrupted.

    Attributes:
        sentence: Which it is, by its dates, and why.
    """

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence)
        self.sentence = sentence

    def __str__(self) -> str:
        return self.sentence
