"""The command line: `gridbazaar`, or `python -m gridbazaar.scenarios`."""

import json
import os
import shlex
import sys
import warnings
from collections.abc import Callable, Sized
from contextlib import nullcontext, redirect_stdout, suppress
from enum import StrEnum
from functools import partial
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

from ..network.errors import GridbazaarError
from .arguments import behaviours_of, changes_of, one_of, with_ray_address, with_todays_names
from .errors import UnwrittenError, refuse
from .runs.kept import Kept, Notes

if TYPE_CHECKING:
    from ..market.hosting.backend import Backend
    from .files.scenario import Scenario
    from .files.source import Change

HELP = """Hierarchical energy markets: prosumers trade peer to peer, the DSO clears the market above them on a feeder.

Exit codes: 0 settled, 2 bad input, 3 did not converge, 4 infeasible, 5 worker lost for good, 6 disk full,
130 interrupted."""

app = typer.Typer(
    help=HELP,
    rich_markup_mode=None,  # plain help and usage: rich takes longer to import than all the rest
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


@app.command(short_help="Run a scenario; show and save the result.")
def run(
    scenario: Annotated[
        str, typer.Argument(metavar="SCENARIO", help="a name from `gridbazaar list`, or a YAML file")
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
        bool, typer.Option("--ac/--no-ac", help="replay the dispatch in pandapower's AC power flow as well")
    ] = False,
    verbose: Annotated[bool, typer.Option("-v", "--verbose", help="tell of every round")] = False,
    workers: Workers = 0,
    ray: RayAddress = None,
    patience: Annotated[float, typer.Option("--patience", help="seconds until a worker is taken to hang")] = 120.0,
    resume: Annotated[
        Path | None, typer.Option("--resume", metavar="RUN", help="go on with the run in this results folder")
    ] = None,
    record: Annotated[
        str | None,
        typer.Option(
            "--record",
            metavar="all|summary|none",
            help="of every round: all arrays (default of small ones), a summary row, or nothing",
        ),
    ] = None,
    message_log: Annotated[
        bool, typer.Option("--message-log", help="write down every message, who sent it to whom")
    ] = False,
) -> None:
    """Run a scenario until its market has settled; show and save the result."""
    from .files.source import Change

    kept = one_of(Kept, record, f"--record {record}") if record else None
    options = {
        "market.case": ("--case", case),
        "alpha_scale": ("--alpha-scale", alpha_scale),
        "market.method": ("--method", method),
        "market.order": ("--order", order),
        "seed": ("--seed", seed),
    }
    given = [Change(key, value, f"{option} {value}") for key, (option, value) in options.items() if value is not None]
    given = [*changes_of(changes or []), *given, *behaviours_of(behaviour or [])]
    loaded = (
        _recorded(resume, scenario, given, output, kept, log_messages=message_log)
        if resume
        else _loaded(scenario, given)
    )
    backend = _backend(workers, ray, patience)
    _tell_doubts(loaded)
    if backend:
        backend.communities(len(loaded.prosumers))  # a cluster that is not there is told of before a folder is made
    if replay and not find_spec("pandapower"):
        raise refuse("--ac", "", "pandapower is missing; install it with: pip install 'gridbazaar[grid]'")
    if replay:
        _import_pandapower()
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
            loaded,
            folder,
            watch=watch,
            replay=replay,
            backend=backend,
            notes=Notes(kept, message_log),
            origin=origin,
            tell=watch.tell,
        )
    if as_json:
        typer.echo(json.dumps(done.kpis, allow_nan=False))
    else:
        show(Console(), done, loaded.title or scenario or folder.name)
    raise typer.Exit(done.exit_code)


@app.command(short_help="Run the paper's case study; write a page of it.")
def report(
    scenario: Name,
    changes: Sets = None,
    output: Annotated[Path | None, typer.Option("-o", "--output", help="folder of the report (a new one)")] = None,
) -> None:
    """Run the paper's case study on a scenario and write report.html, its figures and its tables."""
    from .files.loading import load

    loaded = load(scenario, changes_of(changes or []))
    loaded.check()
    from rich.console import Console

    from .runs.recorder import new_folder
    from .runs.run import exit_code
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
    from .files.loading import load
    from .runs.amounts import counted

    loaded = load(scenario, [*changes_of(changes or []), *behaviours_of(behaviour or [])])
    loaded.check()
    _tell_doubts(loaded)
    feeder = loaded.feeder
    tables: dict[tuple[str, ...], Sized] = {("bus", "buses"): feeder.buses, ("line",): feeder.lines}
    tables |= {("generator",): feeder.generators, ("prosumer",): loaded.prosumers, ("link",): loaded.links}
    counts = ", ".join(counted(len(rows), *nouns) for nouns, rows in tables.items())
    typer.echo(f"{scenario} is valid: {counts}, {counted(loaded.periods, 'period')} of {loaded.dt_h:g} h")


def _tell_doubts(scenario: "Scenario") -> None:
    """Say on stderr which values look as if they were meant in another unit."""
    for doubt in scenario.doubts():
        typer.echo(f"note: {doubt}", err=True)


@app.command("list", short_help="List scenarios, or behaviours that have a name.")
def list_(
    what: Annotated[str, typer.Argument(metavar="scenarios|behaviours", help="what to list")] = "scenarios",
) -> None:
    """List the scenarios that come with gridbazaar, or the behaviours that have a name."""
    if one_of(Listed, what, f"list {what}") is Listed.BEHAVIOURS:
        from .files.behaviours import registered_behaviours

        known = registered_behaviours()
    else:
        from .files.source import shipped_scenarios
        from .files.text import shown

        known = {name: shown(file) for name, file in shipped_scenarios().items()}
    for name, where in known.items():
        typer.echo(f"{name}\t{where}")


@app.command(short_help="Print the JSON Schema of scenario files.")
def schema() -> None:
    """Print the JSON Schema of a scenario, for editors that complete and check YAML."""
    from .files.file_schema import file_schema

    typer.echo(json.dumps(file_schema(), indent=1))


def _loaded(scenario: str, changes: "list[Change]") -> "Scenario":
    """The scenario that is to be run, checked."""
    from .files.loading import load

    if not scenario:
        raise refuse("SCENARIO", "", "no scenario is named; name one (`gridbazaar list`), or go on with --resume RUN")
    loaded = load(scenario, changes)
    loaded.check()
    return loaded


def _recorded(
    run: Path,
    scenario: str,
    changes: "list[Change]",
    output: Path | None,
    record: Kept | None,
    *,
    log_messages: bool,
) -> "Scenario":
    """The scenario of a run that is to go on, checked."""
    from .runs.resuming import recorded_scenario

    if log_messages:
        raise refuse(
            f"--resume {run}", "", "a message log cannot begin in the middle of a run; leave out --message-log"
        )
    extra = scenario or (changes[0].place if changes else "") or (output and f"-o {output}")
    extra = extra or (record and f"--record {record}")
    if extra:
        raise refuse(
            f"--resume {run}", "", f"a run goes on where it is, with what is recorded there; leave out {extra}"
        )
    loaded = recorded_scenario(run)
    loaded.check()
    return loaded


def _import_pandapower() -> None:
    """Import it without matplotlib: no plot of it is seen here, and half of its import is that."""
    plots: dict[str, ModuleType | None] = sys.modules  # type: ignore[assignment]  # None: there is no such module
    absent = plots.setdefault("matplotlib", None) is None
    try:
        import_module("pandapower")
    finally:
        if absent:
            del sys.modules["matplotlib"]


def _backend(workers: int, ray: str | None, patience: float) -> "Backend | None":
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


def _print_version(asked: bool) -> None:
    if asked:
        from importlib.metadata import version

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
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")  # it would look for them in all that is installed
    warnings.showwarning = partial(_note, warnings.showwarning, set())
    words = with_ray_address(with_todays_names(sys.argv[1:])) or ["--help"]
    code = _told(lambda: app(words))
    sys.exit(_told(sys.stdout.flush) or code)  # whether all of it could be written turns out now


def _note(
    otherwise: Callable[..., None], told: set[str], message: Warning | str, category: type[Warning], *where: Any
) -> None:
    """Tell once, in one plain line, of an old name that is still understood; leave other warnings as they are."""
    from ..market.settings import RenamedWarning

    if not issubclass(category, RenamedWarning):
        otherwise(message, category, *where)
    elif str(message) not in told:
        told.add(str(message))
        typer.echo(message, err=True)


def _told(act: Callable[[], object]) -> int:
    """Do something; the exit code, after a sentence on stderr if it failed."""
    try:
        act()
    except SystemExit as end:
        return int(end.code or 0)
    except GridbazaarError as error:
        return _failed(str(error), error.exit_code)
    except KeyboardInterrupt:
        return _failed("interrupted; what was saved is in the results folder", 130)
    except BrokenPipeError:
        _leave_stdout()
        return 1
    except OSError as error:
        _leave_stdout()
        unwritten = UnwrittenError(error)
        return _failed(str(unwritten), unwritten.exit_code)
    return 0


def _failed(sentence: str, code: int) -> int:
    with suppress(OSError):  # stderr may be full as well
        typer.echo(sentence, err=True)
    return code


def _leave_stdout() -> None:
    """Python would try once more to write what stdout has not taken, and complain: let nothing take it."""
    with suppress(OSError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


if __name__ == "__main__":
    main()
