"""`gridbazaar study`: the paper's case study on a scenario, and a page of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import typer

from ..files.changes import changes_of
from .options import Name, Output, Sets, loaded_scenario


def study(
    scenario: Name,
    changes: Sets = None,
    output: Output = None,
) -> None:
    """Make the experiments of the paper's case study on a scenario and write report.html, its figures and its tables.

    An experiment that fails is left out, with the reason; the exit code is that of the run of Case 3.
    """
    loaded = loaded_scenario(scenario, changes_of(changes or []))
    from ..runs.folders import new_folder
    from ..runs.run import INTERRUPTED, exit_code
    from ..study.report import write_report
    from ..study.statements import statements
    from ..study.study import study as made

    name = Path(scenario).stem
    folder = new_folder(f"{name}-study", output)
    with _telling() as tell:
        done = made(loaded, name, tell)
        tell("drawing the figures")
        page = write_report(done, folder)
    for statement in statements(done):
        typer.echo(f"{statement.verdict.value:15}{statement.paper}\n{'':15}{statement.ours}")
    for part, why in done.left_out.items():
        typer.echo(f"left out: {part}, because {why}")
    typer.echo(f"{done.base.message}\nreport: {page}")
    raise typer.Exit(INTERRUPTED if done.interrupted else exit_code(done.result.outcome))


@contextmanager
def _telling() -> Iterator[Callable[[str], None]]:
    """Says on stderr what is being done: in one live line on a terminal, elsewhere a line each."""
    from rich.console import Console
    from rich.text import Text

    console = Console(stderr=True)
    with console.status(Text("studying")) as status:
        if console.is_terminal:
            yield lambda doing: status.update(Text(doing))
        else:
            yield lambda doing: console.print(Text(doing), soft_wrap=True)
