"""What a person sees while a run goes on, on stderr."""

from collections.abc import Iterator
from contextlib import contextmanager
from time import monotonic

from rich.console import Console
from rich.status import Status
from rich.text import Text

from ...market.rounds import Phase, Round

_FEW = 20
"""So many clearings get a line each where there is no terminal; otherwise there is one line now and then."""
_NOW_AND_THEN_S = 10.0


class Progress:
    """Tells a person how a run goes: call it with every finished round.

    On a terminal the newest sentence stands in one live line. Elsewhere the first clearings get a line each, and a long
    run one line in ten seconds. With `verbose` every round gets a line; with `quiet` there are no lines unless
    `verbose` asks for them. Lost workers are always told of.
    """

    def __init__(self, console: Console, status: Status | None, *, verbose: bool, quiet: bool) -> None:
        """Begin to tell.

        Args:
            console: Where lines go.
            status: The live line; None where there is no terminal.
            verbose: Whether every round gets a line.
            quiet: Whether there are no lines.
        """
        self._console = console
        self._status = status
        self._verbose = verbose
        self._quiet = quiet
        self._clearings = 0
        self._last_line = monotonic()

    def __call__(self, record: Round) -> None:
        """Tell of a finished round."""
        if record.incidents:
            self._line(f"round {record.number}: {record.incidents}")
        if self._verbose or (self._status is None and not self._quiet and self._is_worth_a_line(record)):
            self._line(record.sentence)
        self.tell(record.sentence)

    def note(self, sentence: str) -> None:
        """A line of its own, unless nobody wants lines."""
        if not self._quiet:
            self._line(sentence)
        self.tell(sentence)

    def tell(self, doing: str) -> None:
        """Say in the live line what is being done now."""
        if self._status:
            self._status.update(Text(doing))

    def tell_now_and_then(self, doing: str) -> None:
        """Say what is being done now: in the live line, or where there is none in a line now and then."""
        if self._status is None and not self._quiet and self._is_due():
            self._line(doing)
        self.tell(doing)

    def _is_worth_a_line(self, record: Round) -> bool:
        if _opens_a_step(record):
            self._clearings += 1
            return self._clearings <= _FEW or self._is_due()
        return record.phase is Phase.SHARING and self._is_due()

    def _is_due(self) -> bool:
        return monotonic() - self._last_line >= _NOW_AND_THEN_S

    def _line(self, sentence: str) -> None:
        """A line as long as it is, with everything in it as it is written."""
        self._console.print(Text(sentence), soft_wrap=True)
        self._last_line = monotonic()


@contextmanager
def watching(console: Console, *, verbose: bool, quiet: bool) -> Iterator[Progress]:
    """Progress of one run; on a terminal with a line that lives until the run has ended."""
    if not console.is_terminal:
        yield Progress(console, None, verbose=verbose, quiet=quiet)
        return
    with console.status(Text("opening the market")) as status:
        yield Progress(console, status, verbose=verbose, quiet=quiet)


def _opens_a_step(record: Round) -> bool:
    """Whether it is a clearing after which the run goes on; how it ended stands in the summary."""
    return record.phase is Phase.CLEARING and record.sentence.startswith("step")
