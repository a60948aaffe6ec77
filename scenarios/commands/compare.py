"""`gridbazaar compare`: saved runs beside each other."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ..errors import UnwrittenError
from .options import results_folder


def compare(
    runs: Annotated[list[Path], typer.Argument(metavar="RUN RUN...", help="results folders; all against the first")],
    csv: Annotated[Path | None, typer.Option("--csv", metavar="FILE", help="write every difference as CSV")] = None,
    html: Annotated[Path | None, typer.Option("--html", metavar="FILE", help="write a page of its own")] = None,
) -> None:
    """Show what differs between saved runs: scenario, results, bills, prices, and what of it is known."""
    folders = [results_folder(run) for run in runs]
    from rich.console import Console

    from ..reporting.comparison import compare as beside_each_other
    from ..reporting.comparison_shown import show
    from ..reporting.stored_run import load_run

    found = beside_each_other([load_run(folder) for folder in folders])
    show(Console(), found)
    try:
        if csv:
            found.frame.to_csv(csv, index=False)
        if html:
            from ..reporting.comparison_page import write_comparison

            write_comparison(found, html)
    except OSError as error:
        raise UnwrittenError(error) from error
