"""The command line: `gridbazaar`, or `python -m gridbazaar.scenarios`."""

import json
import re
import shlex
import sys
from collections.abc import Sized
from contextlib import nullcontext, redirect_stdout
from enum import StrEnum
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from ..network.errors import GridbazaarError
from .errors import refuse

if TYPE_CHECKING:
    from ..market.hosting.backend import Backend
    from .files.scenario import Scenario
    from .files.source import Change

HELP = """Hierarchical energy markets: prosumers trade peer to peer, the DSO clears the market above them on a feeder.

Exit codes: 0 settled, 2 bad input, 3 did not converge, 4 infeasible, 5 worker lost for good, 130 interrupted."""

app = typer.Typer(
    help=HELP,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

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
    typer.Option("--behaviour", metavar="PROSUMER=NAME", help="module:Class, path.py:Class, or a registered name"),
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


class Listed(StrEnum):
    """What `list` can list."""

    SCENARIOS = "scenarios"
    BEHAVIOURS = "behaviours"


@app.command()
def run(
    scenario: Annotated[
        str, typer.Argument(metavar="[SCENARIO]", help="a name from `gridbazaar list`, or a YAML file")
    ] = "",
    case: CaseNumber = None,
    alpha_scale: AlphaScale = None,
    method: MethodName = None,
    order: OrderName = None,
    changes: Sets = None,
    behaviour: Behaviours = None,
    seed: Seed = None,
    output: Annotated[Path | None, typer.Option("-o", "--output", help="results folder (a new one)")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="print one JSON object and nothing else")] = False,
    replay: Annotated[
        bool | None,
        typer.Option("--ac/--no-ac", help="replay the dispatch in an AC power flow, if pandapower is there"),
    ] = None,
    verbose: Annotated[bool, typer.Option("-v", "--verbose", help="tell of every round")] = False,
    workers: Workers = 0,
    ray: RayAddress = None,
    patience: Annotated[float, typer.Option("--patience", help="seconds until a worker is taken to hang")] = 120.0,
    resume: Annotated[
        Path | None, typer.Option("--resume", metavar="RUN", help="go on with the run in this results folder")
    ] = None,
    ledger: Annotated[bool, typer.Option("--ledger", help="write down every message, who sent it to whom")] = False,
) -> None:
    """Run a scenario until its market has settled; show and save the result."""
    from .files.source import Change

    options = {
        "market.case": ("--case", case),
        "alpha_scale": ("--alpha-scale", alpha_scale),
        "market.method": ("--method", method),
        "market.order": ("--order", order),
        "seed": ("--seed", seed),
    }
    given = [Change(key, value, f"{option} {value}") for key, (option, value) in options.items() if value is not None]
    given = [*_changes(changes or []), *given, *_behaviours(behaviour or [])]
    loaded = _recorded(resume, scenario, given, output, ledger=ledger) if resume else _loaded(scenario, given)
    place = _place(workers, ray, patience)
    if place:
        place.communities(len(loaded.prosumers))  # a cluster that is not there is told of before a folder is made
    if replay is None:
        replay = find_spec("pandapower") is not None
    if replay and not find_spec("pandapower"):
        raise refuse("--ac", "", "pandapower is missing; install it with: pip install 'gridbazaar[grid]'")
    from rich.console import Console

    from .files.source import find
    from .runs.progress import watching
    from .runs.recorder import Origin, new_folder
    from .runs.running import run_scenario
    from .runs.summary import show

    path = "" if resume else str(find(scenario).resolve())
    origin = Origin(path, shlex.join(["gridbazaar", *sys.argv[1:]]), tuple(change.place for change in given))
    folder = resume or new_folder(Path(scenario).stem, output)
    aside = redirect_stdout(sys.stderr) if as_json else nullcontext()  # what behaviours, or Ray, print is no JSON
    with watching(Console(stderr=True), verbose=verbose, quiet=as_json) as watch, aside:
        done = run_scenario(
            loaded, folder, watch=watch, replay=replay, place=place, ledger=ledger, origin=origin, tell=watch.tell
        )
    if as_json:
        typer.echo(json.dumps(done.kpis, allow_nan=False))
    else:
        show(Console(), done, loaded.title or scenario or folder.name)
    raise typer.Exit(done.exit_code)


@app.command()
def report(
    scenario: Name,
    changes: Sets = None,
    output: Annotated[Path | None, typer.Option("-o", "--output", help="folder of the report (a new one)")] = None,
) -> None:
    """Run the paper's case study on a scenario and write report.html, its figures and its tables."""
    from .files.scenario import load

    loaded = load(scenario, _changes(changes or []))
    loaded.check()
    from rich.console import Console

    from .runs.recorder import new_folder
    from .runs.running import exit_code
    from .study.report import write_report
    from .study.statements import statements
    from .study.study import study

    name = Path(scenario).stem
    folder = new_folder(f"{name}-report", output)
    with Console(stderr=True).status("studying") as status:
        done = study(loaded, name, lambda part: status.update(f"studying: {part}"))
        page = write_report(done, folder)
    for statement in statements(done):
        typer.echo(f"{statement.verdict.value:15}{statement.paper}\n{'':15}{statement.ours}")
    typer.echo(f"{done.result.message}\nreport: {page}")
    raise typer.Exit(exit_code(done.result.outcome))


@app.command()
def validate(scenario: Name, changes: Sets = None, behaviour: Behaviours = None) -> None:
    """Check a scenario without running it."""
    from .files.scenario import load
    from .runs.amounts import counted

    loaded = load(scenario, [*_changes(changes or []), *_behaviours(behaviour or [])])
    loaded.check()
    feeder = loaded.feeder
    tables: dict[tuple[str, ...], Sized] = {("bus", "buses"): feeder.buses, ("line",): feeder.lines}
    tables |= {("generator",): feeder.generators, ("prosumer",): loaded.prosumers, ("link",): loaded.links}
    counts = ", ".join(counted(len(rows), *nouns) for nouns, rows in tables.items())
    typer.echo(f"{scenario} is valid: {counts}, {counted(loaded.periods, 'period')} of {loaded.dt_h:g} h")


@app.command("list")
def list_(what: Annotated[Listed, typer.Argument(help="what to list")] = Listed.SCENARIOS) -> None:
    """List the scenarios that come with gridbazaar, or the behaviours that have a name."""
    from .files.behaviours import registered_behaviours
    from .files.source import shipped_scenarios, shown

    known = registered_behaviours() if what is Listed.BEHAVIOURS else shipped_scenarios()
    for name, where in known.items():
        typer.echo(f"{name}\t{shown(where) if isinstance(where, Path) else where}")


@app.command()
def schema() -> None:
    """Print the JSON Schema of a scenario, for editors that complete and check YAML."""
    from .files.file_schema import file_schema

    typer.echo(json.dumps(file_schema(), indent=1))


def _loaded(scenario: str, changes: "list[Change]") -> "Scenario":
    """The scenario that is to be run, checked."""
    from .files.scenario import load

    if not scenario:
        raise refuse("SCENARIO", "", "no scenario is named; name one (`gridbazaar list`), or go on with --resume RUN")
    loaded = load(scenario, changes)
    loaded.check()
    return loaded


def _recorded(run: Path, scenario: str, changes: "list[Change]", output: Path | None, *, ledger: bool) -> "Scenario":
    """The scenario of a run that is to go on, checked."""
    from .runs.resuming import recorded_scenario

    if ledger:
        raise refuse(f"--resume {run}", "", "a ledger cannot begin in the middle of a run; leave out --ledger")
    extra = scenario or (changes[0].place if changes else "") or (output and f"-o {output}")
    if extra:
        raise refuse(
            f"--resume {run}", "", f"a run goes on where it is, with what is recorded there; leave out {extra}"
        )
    loaded = recorded_scenario(run)
    loaded.check()
    return loaded


def _place(workers: int, ray: str | None, patience: float) -> "Backend | None":
    """Where the prosumers are to live."""
    if ray is None and workers == 0:
        return None
    from ..market import RayCluster
    from ..market import Workers as WorkerProcesses

    if ray is None:
        return WorkerProcesses(workers, patience)
    if not find_spec("ray"):
        raise refuse("--ray", "", "ray is missing; install it with: pip install 'gridbazaar[ray]'")
    return RayCluster(ray, workers or None, patience)


def _changes(texts: list[str]) -> "list[Change]":
    """`--set a.b=c`, with c read as YAML: numbers, true, null, lists."""
    import yaml

    from .files.source import Change

    changes = []
    for key, value in (_parted(text, "--set", "market.case=1") for text in texts):
        place = f"--set {key}={value}"
        try:
            changes.append(Change(key, yaml.safe_load(value), place))
        except (yaml.YAMLError, ValueError) as error:
            cure = f"{value!r} cannot be read ({getattr(error, 'problem', error)}); put it in quotes"
            raise refuse(place, key, cure) from None
    return changes


def _behaviours(texts: list[str]) -> "list[Change]":
    """`--behaviour p2=path.py:Class`, with the path meant from here."""
    from .files.source import Change

    changes = []
    for prosumer, name in (_parted(text, "--behaviour", "p2=mine.py:Mine") for text in texts):
        path, _, cls = name.rpartition(":")
        absolute = f"{Path(path).resolve()}:{cls}" if path.endswith(".py") else name
        changes.append(Change(f"prosumers.{prosumer}.behaviour", absolute, f"--behaviour {prosumer}={name}"))
    return changes


def _parted(text: str, option: str, example: str) -> tuple[str, str]:
    key, equals, value = text.partition("=")
    if not (equals and key):
        raise refuse(f"{option} {text}", "", f"this is not a key and a value; write it like {option} {example}")
    return key.strip(), value


def _with_ray_address(words: list[str]) -> list[str]:
    """`--ray` may stand alone or before an address, which a scenario's name cannot look like."""
    address = re.compile(r"auto|local|(ray://)?[^/\\]+:\d+")
    return [
        "--ray=local" if word == "--ray" and not address.fullmatch(after) else word
        for word, after in zip(words, [*words[1:], ""], strict=True)
    ]


def _print_version(asked: bool) -> None:
    if asked:
        typer.echo(version("gridbazaar"))
        raise typer.Exit


@app.callback()
def options(
    asked: Annotated[bool, typer.Option("--version", callback=_print_version, is_eager=True, help="print it")] = False,
) -> None:
    """Options of the program itself; what they do is done when they are read."""
    del asked


def main() -> NoReturn:
    """Run the command line; what gridbazaar refuses is one sentence on stderr and an exit code."""
    try:
        app(_with_ray_address(sys.argv[1:]))
    except GridbazaarError as error:
        typer.echo(error, err=True)
        sys.exit(error.exit_code)
    except KeyboardInterrupt:
        typer.echo("interrupted; finished rounds are in the results folder", err=True)
        sys.exit(130)
    except BrokenPipeError:
        sys.exit(1)
    sys.exit(0)


if __name__ == "__main__":
    main()
