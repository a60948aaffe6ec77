"""Options and arguments that commands share, and what they mean."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ..errors import refuse, told
from ..runs.kept import MANIFEST

if TYPE_CHECKING:
    from ...market.hosting.backend import Backend
    from ..files.scenario import Scenario
    from ..files.tree import Change

Workers = Annotated[int, typer.Option("--workers", help="worker processes that the prosumers live in; 0: in this one")]
RayAddress = Annotated[
    str | None,
    typer.Option("--ray", metavar="[ADDRESS]", help="prosumers live on a Ray cluster: one started here, or at ADDRESS"),
]
Name = Annotated[str, typer.Argument(metavar="SCENARIO", help="a name from `gridbazaar list`, or a YAML file")]
Sets = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="KEY=VALUE", help="change a value, such as prosumers.p2.elastic_max_kw=500"),
]
Behaviours = Annotated[
    list[str] | None,
    typer.Option(
        "--behaviour",
        metavar="PROSUMER=NAME",
        help="of p2, or of all called h*: a registered name, module:Class or path.py:Class, also Name(percent=5)",
    ),
]
Parameters = Annotated[
    list[str] | None,
    typer.Option("--with", metavar="KEY=VALUE", help="a parameter of the --behaviour given, such as percent=5"),
]
NameOrRun = Annotated[
    str,
    typer.Argument(metavar="SCENARIO|RUN", help="a name from `gridbazaar list`, a YAML file, or a results folder"),
]
WindowNumber = Annotated[
    int | None,
    typer.Option(
        "--window",
        metavar="N",
        help="with a horizon: which window (1); later ones begin with what stores hold in the RUN that is named",
    ),
]
CaseNumber = Annotated[
    int | None, typer.Option("--case", help="1 no sharing, 2 shared centrally, 3 Algorithm 1 (market.case)")
]
AlphaScale = Annotated[float | None, typer.Option("--alpha-scale", help="multiply every alpha by this")]
MethodName = Annotated[
    str | None, typer.Option("--method", help="plain, damped, proximal_gradient, admm or newton (market.method)")
]
OrderName = Annotated[
    str | None, typer.Option("--order", help="proximal_jacobi, gauss_seidel or jacobi (market.order)")
]
Seed = Annotated[int | None, typer.Option("--seed", help="seed of all randomness")]
Output = Annotated[Path | None, typer.Option("-o", "--output", help="folder of what is written (a new one)")]
Patience = Annotated[float, typer.Option("--patience", help="seconds until a worker is taken to hang")]


def results_folder(folder: Path) -> Path:
    """A folder that holds a run, whatever became of it.

    Raises:
        ScenarioError: It holds none.
    """
    if not _holds_a_run(folder):
        raise refuse("", "", f"{folder} holds no run; name a results folder with its {MANIFEST}")
    return folder


def loaded_scenario(scenario: str, changes: list[Change]) -> Scenario:
    """The scenario that is to be run, of that name or recorded by a run, checked."""
    if not scenario:
        raise refuse("SCENARIO", "", "no scenario is named; name one (`gridbazaar list`), or go on with --resume RUN")
    loaded = scenario_of(scenario, changes)
    loaded.check()
    return loaded


def source_of(scenario: str) -> Path:
    """Where a scenario of that name comes from: its file, or the results folder of the run that has recorded it."""
    from ..files.source import find

    return (Path(scenario) if _holds_a_run(Path(scenario)) else find(scenario)).resolve()


def name_of(scenario: str) -> str:
    """What a scenario of that name is called, or the one that a run has recorded; the run, if that does not say."""
    from ..runs.resuming import read_manifest

    path = Path(scenario)
    if not _holds_a_run(path):
        return path.stem
    manifest = read_manifest(path)
    return str(manifest.get("name") or "") or path.resolve().name


def stepped_scenario(scenario: str, changes: list[Change], window: int | None) -> Scenario:
    """What is to be stepped through, of that name or recorded by a run, checked; with a horizon, one of its windows."""
    loaded = scenario_of(scenario, changes)
    loaded.check()
    if loaded.horizon is None and window is None:
        return loaded
    from ..rolling.one_window import one_window

    folder = Path(scenario)
    part, said = one_window(loaded, window, folder if _holds_a_run(folder) else None)
    typer.echo(said, err=True)
    return part


def scenario_of(scenario: str, changes: list[Change]) -> Scenario:
    """The scenario of that name, or the one that a run has recorded, with some values changed."""
    from ..files.loading import load, vary

    folder = Path(scenario)
    if not _holds_a_run(folder):
        return load(scenario, changes)
    from ..runs.resuming import read_manifest, scenario_in

    return vary(scenario_in(folder, read_manifest(folder)), changes)


def _holds_a_run(folder: Path) -> bool:
    try:
        return (folder / MANIFEST).is_file()
    except OSError:  # a name that no file can have
        return False


def tell_doubts(scenario: Scenario) -> None:
    """Say on stderr what was done to profiles, and which values look as if they were meant in another unit."""
    for note in told(scenario.doubts()):
        typer.echo(f"note: {note}", err=True)


def backend_of(workers: int, ray: str | None, patience: float) -> Backend | None:
    """Where the prosumers are to live."""
    if ray is None and workers == 0:
        return None
    from ...market import RayCluster
    from ...market import Workers as WorkerProcesses

    if ray is None:
        return WorkerProcesses(workers, patience)
    if not find_spec("ray"):
        raise refuse("--ray", "", "ray is missing; install it with: pip install 'gridbazaar[ray]'")
    return RayCluster(ray, workers or None, patience)
