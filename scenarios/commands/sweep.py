"""`gridbazaar sweep`: a grid of runs, one table of them, one plot."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ..errors import UnwrittenError, refuse
from ..files.changes import behaviours_of, parted
from .options import Output

if TYPE_CHECKING:
    from ..sweeping.axes import Axis
    from ..sweeping.plan import Plan


def sweep(
    scenario: Annotated[
        str, typer.Argument(metavar="SCENARIO", help="a name from `gridbazaar list`, or a YAML file")
    ] = "",
    values: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="KEY=V1,V2,...", help="values that a key is to take; [1,2] is one value"),
    ] = None,
    behaviour: Annotated[
        list[str] | None,
        typer.Option("--behaviour", metavar="PROSUMER=N1,N2,...", help="behaviours that a prosumer is to have"),
    ] = None,
    processes: Annotated[
        int | None, typer.Option("-w", "--workers", help="how many run side by side (one for each core)")
    ] = None,
    output: Output = None,
    resume: Annotated[
        Path | None, typer.Option("--resume", metavar="FOLDER", help="go on with the sweep in this folder")
    ] = None,
    plot: Annotated[str, typer.Option("--plot", metavar="KPI", help="key figure of sweep.svg")] = "welfare_usd",
) -> None:
    """Run a scenario with every combination of some values; write sweep.csv, sweep.parquet and sweep.svg."""
    from ..reporting.kpi_list import KPIS

    if plot not in {kpi.key for kpi in KPIS}:
        raise refuse(f"--plot {plot}", "", f"there is no such key figure; known are {', '.join(k.key for k in KPIS)}")
    if processes is not None and processes < 1:
        raise refuse(f"--workers {processes}", "", "nobody runs the points then; ask for at least 1")
    if resume:
        _check_alone(resume, scenario, values, behaviour, output)
    plan = _resumed(resume) if resume else _plan(scenario, values or [], behaviour or [])
    from rich.console import Console

    from ...network.cores import cores
    from ..sweeping.plot import write_plot
    from ..sweeping.progress import SweepProgress, watching
    from ..sweeping.sweep import folder_for, run_sweep

    folder = resume or folder_for(plan, output)
    try:
        with watching(Console(stderr=True), SweepProgress) as progress:
            done = run_sweep(plan, folder, processes or cores(), progress.begin)
        picture = write_plot(done, plot)
    except OSError as error:
        raise UnwrittenError(error) from error
    counts = done.frame["outcome"].value_counts().items()
    typer.echo(f"{', '.join(f'{count:,} {outcome}' for outcome, count in counts)}; table: {folder / 'sweep.csv'}")
    typer.echo(f"plot: {picture}" if picture else f"no point has {plot}: there is no plot")
    if done.interrupted:
        typer.echo(f"interrupted; `gridbazaar sweep --resume {folder}` goes on", err=True)
    raise typer.Exit(done.exit_code)


def _resumed(folder: Path) -> Plan:
    from ..sweeping.plan import Plan

    return Plan.read(folder)


def _plan(scenario: str, values: list[str], behaviours: list[str]) -> Plan:
    """What the words of the command line ask for."""
    from ..sweeping.plan import Plan

    if not scenario:
        raise refuse(
            "SCENARIO", "", "no scenario is named; name one (`gridbazaar list`), or go on with --resume FOLDER"
        )
    axes = [*_axes(values), *_behaviour_axes(behaviours)]
    if not axes:
        raise refuse("--set", "", "nothing is swept; write the values of a key, like --set alpha_scale=1,2,4")
    keys = [axis.key for axis in axes]
    twice = next((key for key in keys if keys.count(key) > 1), None)
    if twice:
        raise refuse(f"--set {twice}", "", "the key is given twice; write all its values behind one --set")
    return Plan.of(scenario, axes)


def _axes(texts: list[str]) -> list[Axis]:
    from ..sweeping.axes import Axis

    parts = (parted(text, "--set", "alpha_scale=1,2,4") for text in texts)
    return [Axis.read(key, value, f"--set {key}={value}") for key, value in parts]


def _behaviour_axes(texts: list[str]) -> list[Axis]:
    """Behaviours by prosumer; a path is meant from here."""
    from ..sweeping.axes import Axis, split

    axes = []
    for prosumer, names in (parted(text, "--behaviour", "p2=price_taker,mine.py:Mine") for text in texts):
        changes = behaviours_of([f"{prosumer}={name}" for name in split(names)])
        axes.append(Axis.of(changes[0].key, [change.value for change in changes]))
    return axes


def _check_alone(
    folder: Path, scenario: str, values: list[str] | None, behaviours: list[str] | None, output: Path | None
) -> None:
    extra = scenario or next(iter([*(values or []), *(behaviours or [])]), "") or (output and f"-o {output}")
    if extra:
        raise refuse(f"--resume {folder}", "", f"a sweep goes on with what it was begun with; leave out {extra}")
