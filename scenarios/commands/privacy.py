"""`gridbazaar privacy`: what messages give away, and what it costs to tell less."""

from __future__ import annotations

import json
from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ..errors import UnwrittenError, refuse
from .options import Name, Output

if TYPE_CHECKING:
    from ..privacy.experiment import Privacy


def privacy(
    scenario: Name,
    quanta: Annotated[
        str, typer.Option("--quanta", metavar="Q1,Q2,...", help="offered powers are rounded to so many kW; 0: exact")
    ] = "0,0.1,1,10",
    noise: Annotated[
        str, typer.Option("--noise", metavar="N1,N2,...", help="offered powers have noise of so many kW; 0: none")
    ] = "0.1,1,10",
    seeds: Annotated[int, typer.Option("--seeds", min=1, help="how often each noise is drawn")] = 3,
    processes: Annotated[
        int | None, typer.Option("-w", "--workers", help="markets side by side (one for each core)")
    ] = None,
    output: Output = None,
    as_json: Annotated[bool, typer.Option("--json", help="print one JSON object and nothing else")] = False,
) -> None:
    """Let listeners fit what prosumers keep to themselves; write privacy.csv, privacy.svg and all that was heard.

    In a folder that holds this measurement already, only the markets that are missing are run.
    """
    if processes is not None and processes < 1:
        raise refuse(f"--workers {processes}", "", "nobody runs the markets then; ask for at least 1")
    told = _numbers("--quanta", quanta), _numbers("--noise", noise)
    from rich.console import Console

    from ...network.cores import cores
    from ..privacy.experiment import Plan, folder_for, run_plan
    from ..privacy.page import write_figure
    from ..privacy.shown import PrivacyProgress
    from ..sweeping.progress import watching

    plan = Plan.of(scenario, *told, seeds)
    folder = folder_for(plan, output)
    try:
        with watching(Console(stderr=True), PrivacyProgress) as progress:
            done = run_plan(plan, folder, processes or cores(), progress.begin)
        figure = write_figure(done)
    except OSError as error:
        raise UnwrittenError(error) from error
    if as_json:
        typer.echo(json.dumps(_as_json(done), allow_nan=False))
    else:
        _show(done, figure)
    if done.interrupted:
        typer.echo("interrupted; the same command with -o and this folder goes on", err=True)
    raise typer.Exit(done.exit_code)


def _show(done: Privacy, figure: Path | None) -> None:
    from rich.console import Console
    from rich.text import Text

    from ..privacy.shown import error_table, market_table, statements

    console = Console()
    for shown in (market_table(done), error_table(done)):
        console.print(shown, soft_wrap=not console.is_terminal)
    for sentence in statements(done):
        console.print(Text(sentence), soft_wrap=not console.is_terminal)
    typer.echo(f"table: {done.folder / 'privacy.csv'}")
    typer.echo(f"figure: {figure}" if figure else "nobody was heard: there is no figure")


def _as_json(done: Privacy) -> dict[str, Any]:
    rows = json.loads(done.frame.to_json(orient="records", double_precision=15))
    return {"folder": str(done.folder), "interrupted": done.interrupted, "rows": rows}


def _numbers(option: str, text: str) -> tuple[float, ...]:
    """Powers between commas, each at least 0."""
    found = []
    for word in (word.strip() for word in text.split(",") if word.strip()):
        try:
            value = float(word)
        except ValueError:
            value = -1.0
        if not (isfinite(value) and value >= 0):
            raise refuse(f"{option} {text}", "", f"{word!r} is not a number of at least 0; write them like 0,0.1,1,10")
        found.append(value)
    return tuple(found)
