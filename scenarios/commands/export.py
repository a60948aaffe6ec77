"""`gridbazaar export`: a saved run for other people's tools."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ..errors import UnwrittenError, refuse
from .arguments import one_of
from .options import results_folder

if TYPE_CHECKING:
    from ..reporting.stored_run import StoredRun


class Format(StrEnum):
    """What a run can be exported to."""

    PANDAPOWER = "pandapower"
    CSV = "csv"
    XLSX = "xlsx"


_NAMES = {Format.PANDAPOWER: "pandapower.json", Format.CSV: "csv", Format.XLSX: "tables.xlsx"}
"""What is written into the results folder where nobody says otherwise."""


def export(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="a results folder")],
    to: Annotated[str, typer.Option("--to", metavar="pandapower|csv|xlsx", help="what it is written for")],
    output: Annotated[
        Path | None,
        typer.Option("-o", "--output", help="the file, or the folder of CSV files (in RUN: pandapower.json, csv, ...)"),
    ] = None,
    period: Annotated[
        str | None,
        typer.Option("--period", metavar="N|all", help="pandapower: the highest load by default; tables: all"),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="write over what is there")] = False,
) -> None:
    """Export a saved run: its network and dispatch as a pandapower net, or its tables for a spreadsheet."""
    folder = results_folder(run)
    kind = one_of(Format, to, f"--to {to}")
    target = output or folder / _NAMES[kind]
    _check_free(target, kind, force=force)
    from ..exporting.periods import period_asked
    from ..reporting.stored_run import load_run

    stored = load_run(folder)
    if not stored.settled:
        typer.echo(f"note: the run is not settled ({stored.message}); what it has left is exported", err=True)
    asked = period_asked(period, stored.scenario.periods)
    try:
        if kind is Format.PANDAPOWER:
            _to_pandapower(stored, target, asked, profiles=period is not None and asked is None)
        else:
            _to_tables(stored, target, kind, asked)
    except OSError as error:
        raise UnwrittenError(error) from error
    typer.echo(f"written: {target}")


def _to_pandapower(run: StoredRun, target: Path, asked: int | None, *, profiles: bool) -> None:
    from ..exporting.pandapower_export import PandapowerExport
    from ..exporting.pandapower_notes import contents, notes
    from ..exporting.periods import highest_load
    from ..exporting.power_flow_check import flow

    exported = PandapowerExport(run)
    powers = exported.powers
    t = highest_load(powers.drawn_kw) if asked is None else asked
    net = exported.net(t, profiles=profiles)
    flowed = flow(exported, net, [*(range(powers.periods) if profiles else ()), t])
    for note in notes(exported):
        typer.echo(f"note: {note}", err=True)
    target.parent.mkdir(parents=True, exist_ok=True)
    exported.power.to_json(net, str(target))
    typer.echo(contents(exported, net, t, profiles=profiles))
    typer.echo(f"power flow (pandapower): {flowed.sentence(run.when)}")


def _to_tables(run: StoredRun, target: Path, kind: Format, asked: int | None) -> None:
    from ..exporting.tables import missing_tables, write_csv, write_workbook

    missing = missing_tables(run)
    if missing:
        typer.echo(f"note: the run has left no tables {', '.join(missing)}", err=True)
    if kind is Format.CSV:
        written = write_csv(run, target, asked)
    else:
        target.parent.mkdir(parents=True, exist_ok=True)
        written = write_workbook(run, target, asked)
    typer.echo(", ".join(written))


def _check_free(target: Path, kind: Format, *, force: bool) -> None:
    """Refuse to write over something that nobody has said may go."""
    folder = kind is Format.CSV
    if target.exists() and target.is_dir() != folder:
        what = "a file, and CSV files need a folder" if folder else "a folder; name a file"
        raise refuse(f"-o {target}", "", f"this is {what}")
    if kind is Format.XLSX and target.suffix != ".xlsx":
        raise refuse(f"-o {target}", "", f"the name of a workbook ends with .xlsx; write {target.stem}.xlsx")
    if not target.exists() or (folder and not any(target.iterdir())):
        return
    if not force:
        raise refuse("", "", f"{target} is there already; write over it with --force, or elsewhere with -o")
