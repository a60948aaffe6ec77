"""`gridbazaar report`: the page of a saved run."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ..errors import ScenarioError, UnwrittenError, refuse
from ..runs.kept import MANIFEST
from . import study
from .options import Sets, results_folder


def report(
    run: Annotated[str, typer.Argument(metavar="RUN", help="a results folder")],
    changes: Sets = None,
    output: Annotated[Path | None, typer.Option("-o", "--output", help="the page (RUN/report.html)")] = None,
    against: Annotated[
        Path | None, typer.Option("--against", metavar="RUN", help="a run without sharing: what is saved against it")
    ] = None,
    alone: Annotated[
        bool, typer.Option("--against-no-sharing", help="the same; makes that run, in RUN/no-sharing")
    ] = False,
) -> None:
    """Write a page of a saved run, ended or not: report.html in its folder, which needs nothing but itself."""
    folder = Path(run)
    if not (folder / MANIFEST).is_file():
        _study(run, changes, output, is_plain=not (against or alone))
        return
    if changes:
        sentence = "a run that is saved is reported as it was; run the scenario anew with what you want to change"
        raise refuse(f"--set {changes[0]}", "", sentence)
    if against and alone:
        raise refuse("--against-no-sharing", "", f"the run to compare with is given: {against}; leave one of them out")
    if against:
        results_folder(against)
    from ..reporting.no_sharing import run_without_sharing
    from ..reporting.run_page import write_run_page
    from ..reporting.savings import Savings
    from ..reporting.stored_run import load_run

    stored = load_run(folder)
    other = load_run(against) if against else run_without_sharing(stored) if alone else None
    try:
        page = write_run_page(stored, output, Savings.of(stored, other) if other else None)
    except OSError as error:
        raise UnwrittenError(error) from error
    typer.echo(f"{stored.message}\nreport: {page}")


def _study(scenario: str, changes: list[str] | None, output: Path | None, *, is_plain: bool) -> None:
    """What `report SCENARIO` has meant before: the paper's case study."""
    from ..files.source import find

    try:
        find(scenario)
    except ScenarioError:
        raise refuse("", "", f"{scenario} holds no run; name a results folder with its manifest.json") from None
    if not is_plain:
        raise refuse("--against", "", f"{scenario} is no saved run; name a results folder, or leave this out")
    note = "the paper's case study is called `gridbazaar study` now; `gridbazaar report RUN` is the page of a run"
    typer.echo(note, err=True)
    study.study(scenario, changes, output)
