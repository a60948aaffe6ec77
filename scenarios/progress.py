"""What a person sees while a run goes on, on stderr."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console

from ..market.rounds import Phase, Round


@contextmanager
def watching(console: Console, *, verbose: bool, quiet: bool) -> Iterator[Callable[[Round], None] | None]:
    """A function to tell of every finished round.

    On a terminal the newest sentence stands in one live line; elsewhere each clearing gets a line; with `verbose`
    every round does; with `quiet` nothing is said unless `verbose` asks for it.
    """
    if verbose:
        yield lambda record: console.print(record.sentence, highlight=False)
    elif quiet:
        yield None
    elif console.is_terminal:
        with console.status("opening the market") as status:
            yield lambda record: status.update(record.sentence)
    else:
        yield lambda record: console.print(record.sentence) if _opens_a_step(record) else None


def _opens_a_step(record: Round) -> bool:
    """Whether it is a clearing after which the run goes on; how it ended stands in the summary."""
    return record.phase is Phase.CLEARING and record.sentence.startswith("step")
