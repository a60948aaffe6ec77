"""A window that could not be settled at all, told by its dates."""

from __future__ import annotations

from ...network.errors import GridbazaarError


class WindowError(GridbazaarError):
    """A window cannot be settled at all; those before it are saved.

    Attributes:
        sentence: Which it is, by its dates, and why.
        exit_code: That of its cause.
    """

    def __init__(self, sentence: str, exit_code: int) -> None:
        super().__init__(sentence, exit_code)
        self.sentence, self.exit_code = sentence, exit_code

    def __str__(self) -> str:
        return self.sentence
