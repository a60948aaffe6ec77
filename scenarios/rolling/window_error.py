"""A window that could not be settled at all, told by its dates."""

from __future__ import annotations

from ...network.errors import GridbazaarError


class WindowError(GridbazaarError):
    """A window cannot be settled at all; those before it are saved. Its exit code is that of its cause.

    Attributes:
        sentence: Which it is, by its dates, and why.
    """

    def __init__(self, sentence: str, cause: GridbazaarError | None = None) -> None:
        super().__init__(sentence, cause)
        self.sentence = sentence
        if cause is not None:
            self.exit_code = cause.exit_code

    def __str__(self) -> str:
        return self.sentence
