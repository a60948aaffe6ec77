"""What a person sees while a run goes on, on stderr."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console

from ...market.rounds import Phase, Round


@contextmanager
def watching(console: Console, *, verbose: bool, quiet: bool) -> Iterator[Callable[[Round], None]]:
    """A function to tell of every finished round.

    On a terminal the newest sentence stands in one live line; elsewhere each clearing gets a line; with `verbose`
    every round does; with `quiet` nothing is said unless `verbose` asks for it. Lost workers are always told of.
    """

    def lost(record: Round) -> None:
        if record.incidents:
            console.print(f"round {record.number}: {record.incidents}", highlight=False)

    def every(record: Round) -> None:
        lost(record)
        console.print(record.sentence, highlight=False)

    def clearings(record: Round) -> None:
        lost(record)
        if _opens_a_step(record):
            console.print(record.sentence)

    if verbose:
        yield every
    elif quiet:
        yield lost
    elif console.is_terminal:
        with console.status("opening the market") as status:

            def newest(record: Round) -> None:
                lost(record)
                status.update(record.sentence)

            yield newest
    else:
        yield clearings


def _opens_a_step(record: Round) -> bool:
    """Whether it is a clearing after which the run goes on; how it ended stands in the summary."""
    return record.phase is Phase.CLEARING and record.sentence.startswith("step")
