"""`gridbazaar league`: what a prosumer gains that is no price taker."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ..errors import UnwrittenError, refuse
from ..files.behaviour_text import absolute
from .options import Name, Output


def league(
    scenario: Name,
    behaviours: Annotated[
        str, typer.Option("--behaviours", metavar="B1,B2,...", help="what is played; all that come with gridbazaar")
    ] = "",
    cases: Annotated[str, typer.Option("--cases", metavar="C1,C2,...", help="in which cases")] = "1,2,3",
    days: Annotated[int, typer.Option("--days", min=1, help="days in a row for behaviours that learn")] = 6,
    seeds: Annotated[int, typer.Option("--seeds", min=1, help="how often what is left to chance is played")] = 3,
    fields: Annotated[int, typer.Option("--fields", min=0, help="how many mixed fields are drawn")] = 3,
    sizes: Annotated[
        str, typer.Option("--sizes", metavar="N1,N2,...", help="split prosumers in so many; what shading gains then")
    ] = "",
    processes: Annotated[
        int | None, typer.Option("-w", "--workers", help="matches side by side (one for each core)")
    ] = None,
    output: Output = None,
) -> None:
    """Play every behaviour in every seat, in mixed fields and rings; write league.csv, .parquet, .svg and .html.

    In a folder that holds this league already, only the matches that are missing are played.
    """
    if processes is not None and processes < 1:
        raise refuse(f"--workers {processes}", "", "nobody plays the matches then; ask for at least 1")
    chosen_cases, chosen_sizes = _numbers("--cases", cases, 3), _numbers("--sizes", sizes, 1000)
    if not chosen_cases:
        raise refuse("--cases", "", "no case is named; name some of 1, 2 and 3")
    from rich.console import Console
    from rich.text import Text

    from ...network.cores import cores
    from ..league.league import folder_for, run_league
    from ..league.page import write_league_page
    from ..league.plan import Plan
    from ..league.schedule import matches_of, shipped_behaviours
    from ..league.shown import LeagueProgress, seat_table, statements
    from ..sweeping.axes import split
    from ..sweeping.progress import watching

    texts = tuple(str(absolute(text, Path())) for text in split(behaviours)) if behaviours else shipped_behaviours()
    options = {"days": days, "seeds": seeds, "draws": fields, "cases": chosen_cases, "sizes": chosen_sizes}
    plan = Plan.of(scenario, texts, **options)
    matches_of(plan, Path())  # what is wrong is told before a folder is made
    folder = folder_for(plan, output)
    try:
        with watching(Console(stderr=True), LeagueProgress) as progress:
            done = run_league(plan, folder, processes or cores(), progress.begin)
        page = write_league_page(done)
    except OSError as error:
        raise UnwrittenError(error) from error
    console = Console()
    console.print(seat_table(done), soft_wrap=not console.is_terminal)
    for sentence in statements(done):
        console.print(Text(sentence), soft_wrap=not console.is_terminal)
    typer.echo(f"table: {folder / 'league.csv'}\npage: {page}")
    if done.interrupted:
        typer.echo("interrupted; the same command with -o and this folder goes on", err=True)
    raise typer.Exit(done.exit_code)


def _numbers(option: str, text: str, most: int) -> tuple[int, ...]:
    """Whole numbers between commas, from 1 to `most`, each once."""
    words = [word.strip() for word in text.split(",")] if text else []
    wrong = next((word for word in words if not (word.isdecimal() and 1 <= int(word) <= most)), None)
    if wrong is not None:
        raise refuse(f"{option} {text}", "", f"{wrong!r} is not a whole number from 1 to {most}; write them like 1,2,3")
    return tuple(dict.fromkeys(int(word) for word in words))
