"""Which experiment is under way, of how many, and why is one missing?"""

from collections.abc import Callable, Sequence
from time import perf_counter
from typing import TypeVar

from ...network.errors import GridbazaarError

Part = TypeVar("Part")


class LeftOutError(GridbazaarError):
    """An experiment makes no sense here; its text says why."""


class Experiments:
    """Makes the experiments of a study, one after the other; what one of them fails with is a sentence.

    Attributes:
        seconds: How long each took.
        left_out: Why an experiment is missing, by its name.
    """

    def __init__(self, names: Sequence[str], tell: Callable[[str], None]) -> None:
        """Begin.

        Args:
            names: All of them, in their order.
            tell: Told which one begins.
        """
        self._names, self._tell = tuple(names), tell
        self._interrupted = False
        self.seconds: dict[str, float] = {}
        self.left_out: dict[str, str] = {}

    def needed(self, name: str, part: Callable[[], Part]) -> Part:
        """An experiment without which there is no study; its errors are the study's."""
        self._tell(f"experiment {self._names.index(name) + 1} of {len(self._names)}: {name}")
        start = perf_counter()
        try:
            return part()
        finally:
            self.seconds[name] = perf_counter() - start

    def possible(self, name: str, part: Callable[[], Part]) -> Part | None:
        """An experiment that may fail: None then, and `left_out` says why. After Ctrl-C the others are left out."""
        if self._interrupted:
            self.left_out[name] = "the study was interrupted before it"
            return None
        try:
            return self.needed(name, part)
        except GridbazaarError as error:
            self.left_out[name] = str(error)
        except KeyboardInterrupt:
            self._interrupted = True
            self.left_out[name] = "the study was interrupted in it"
        except Exception as error:  # what was found before is worth more than to stop at once at a defect
            self.left_out[name] = f"it failed, which is a defect of gridbazaar ({type(error).__name__}: {error})"
        return None

    @property
    def interrupted(self) -> bool:
        """Whether Ctrl-C was pressed."""
        return self._interrupted
