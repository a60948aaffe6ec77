"""`gridbazaar study`: the paper's case study on a scenario, and a page of it."""

from __future__ import annotations

from pathlib import Path

import typer

from ..files.changes import changes_of
from .options import Name, Output, Sets


def report(
    scenario: Name,
    changes: Sets = None,
    output: Output = None,
) -> None:
    """Run the paper's case study on a scenario and write report.html, its figures and its tables."""
    from ..files.loading import load

    loaded = load(scenario, changes_of(changes or []))
    loaded.check()
    from rich.console import Console

    from ..runs.recorder import new_folder
    from ..runs.run import exit_code
    from ..study.report import write_report
    from ..study.statements import statements
    from ..study.study import study

    name = Path(scenario).stem
    folder = new_folder(f"{name}-report", output)
    with Console(stderr=True).status("studying") as status:
        done = study(loaded, name, lambda part: status.update(f"studying: {part}"))
        page = write_report(done, folder)
    for statement in statements(done):
        typer.echo(f"{statement.verdict.value:15}{statement.paper}\n{'':15}{statement.ours}")
    typer.echo(f"{done.result.message}\nreport: {page}")
    raise typer.Exit(exit_code(done.result.outcome))
