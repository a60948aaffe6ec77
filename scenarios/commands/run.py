"""`gridbazaar run`: settle the market of a scenario, show and save the result."""

from __future__ import annotations

import json
import shlex
import sys
from collections.abc import Callable
from contextlib import nullcontext, redirect_stdout
from functools import partial
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Annotated

import typer

from ...network.errors import GridbazaarError
from ..errors import refuse
from ..files.changes import behaviours_of, changes_of
from ..runs.kept import Kept, Notes
from .arguments import one_of
from .options import (
    AlphaScale,
    Behaviours,
    CaseNumber,
    MethodName,
    NameOrRun,
    OrderName,
    Output,
    Parameters,
    Patience,
    RayAddress,
    Seed,
    Sets,
    Workers,
    backend_of,
    loaded_scenario,
    name_of,
    source_of,
    tell_doubts,
)

if TYPE_CHECKING:
    from ...market.result import Result
    from ..files.scenario import Scenario
    from ..files.tree import Change
    from ..runs.run import Finding


def run(
    scenario: NameOrRun = "",
    case: CaseNumber = None,
    alpha_scale: AlphaScale = None,
    method: MethodName = None,
    order: OrderName = None,
    changes: Sets = None,
    behaviour: Behaviours = None,
    parameters: Parameters = None,
    seed: Seed = None,
    output: Output = None,
    as_json: Annotated[bool, typer.Option("--json", help="print one JSON object and nothing else")] = False,
    replay: Annotated[
        bool, typer.Option("--ac/--no-ac", help="replay the dispatch in pandapower's AC power flow as well")
    ] = False,
    look_for_gains: Annotated[
        bool,
        typer.Option("--gains/--no-gains", help="with somebody who takes no prices: what that gains, by two more runs"),
    ] = True,
    verbose: Annotated[bool, typer.Option("-v", "--verbose", help="tell of every round")] = False,
    workers: Workers = 0,
    ray: RayAddress = None,
    patience: Patience = 120.0,
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
    from ..files.tree import Change

    kept = one_of(Kept, record, f"--record {record}") if record else None
    options = {
        "market.case": ("--case", case),
        "alpha_scale": ("--alpha-scale", alpha_scale),
        "market.method": ("--method", method),
        "market.order": ("--order", order),
        "seed": ("--seed", seed),
    }
    given = [Change(key, value, f"{option} {value}") for key, (option, value) in options.items() if value is not None]
    given = [*changes_of(changes or []), *given, *behaviours_of(behaviour or [], parameters)]
    loaded = (
        _recorded(resume, scenario, given, output, kept, log_messages=message_log)
        if resume
        else loaded_scenario(scenario, given)
    )
    _check_windows(loaded, {"--ac": replay, "--message-log": message_log, "--record": record})
    backend = backend_of(workers, ray, patience)
    tell_doubts(loaded)
    if backend:
        backend.communities(len(loaded.prosumers))  # a cluster that is not there is told of before a folder is made
    if replay and not find_spec("pandapower"):
        raise refuse("--ac", "", "pandapower is missing; install it with: pip install 'gridbazaar[grid]'")
    if replay:
        _import_pandapower()
    from rich.console import Console

    from ..rolling.progress import WindowProgress
    from ..rolling.rolling import run_rolling
    from ..runs.folders import new_folder
    from ..runs.progress import watching
    from ..runs.recorder import Origin
    from ..runs.running import run_scenario
    from ..runs.summary import show

    path = "" if resume else str(source_of(scenario))
    name, command = "" if resume else name_of(scenario), shlex.join(["gridbazaar", *sys.argv[1:]])
    origin = Origin(path, name, command, tuple(change.place for change in given))
    folder = resume or new_folder(name, output)
    aside = redirect_stdout(sys.stderr) if as_json else nullcontext()  # what behaviours, or Ray, print is no JSON
    with watching(Console(stderr=True), verbose=verbose, quiet=as_json) as watch, aside:
        if loaded.horizon:
            told = WindowProgress(watch, verbose=verbose)
            done = run_rolling(loaded, folder, watch=told, backend=backend, origin=origin, note=told.note)
        else:
            done = run_scenario(
                loaded,
                folder,
                watch=watch,
                replay=replay,
                backend=backend,
                notes=Notes(kept, message_log),
                origin=origin,
                tell=watch.tell,
                further=partial(_gains, loaded, watch.tell) if look_for_gains else _nothing,
            )
    if as_json:
        typer.echo(json.dumps(done.kpis, allow_nan=False))
    else:
        show(Console(), done, loaded.title or scenario or folder.name)
    raise typer.Exit(done.exit_code)


def _recorded(
    run: Path,
    scenario: str,
    changes: list[Change],
    output: Path | None,
    record: Kept | None,
    *,
    log_messages: bool,
) -> Scenario:
    """The scenario of a run that is to go on, checked."""
    from ..runs.resuming import recorded_scenario

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


def _check_windows(scenario: Scenario, options: dict[str, object]) -> None:
    """Refuse what a rolling horizon does not do."""
    asked = next((option for option, value in options.items() if value), None)
    if scenario.horizon and asked:
        sentence = "with a rolling horizon no rounds and messages are kept, and no AC power flow is replayed"
        cure = "leave it out; with --set horizon.keep_windows=true each window has a results folder of its own"
        raise refuse(asked, "", f"{sentence}; {cure}")


def _gains(scenario: Scenario, tell: Callable[[str], None], result: Result) -> Finding | None:
    """What somebody gains who takes no prices, if there is anybody, and the market has settled."""
    if result.settled_for != "declared":
        return None
    from ..league.gains import gains
    from ..runs.run import Finding

    tell("settling it once more, and with price takers only, to see what is gained (--no-gains leaves that out)")
    try:
        found = gains(scenario)
    except GridbazaarError as error:  # what was found stays
        return Finding({}, f"what was gained is not known: {error}")
    return found.finding() if found else None


def _nothing(result: Result) -> None:
    """Look no further."""
    del result


def _import_pandapower() -> None:
    """Import it without matplotlib: no plot of it is seen here, and half of its import is that."""
    plots: dict[str, ModuleType | None] = sys.modules  # type: ignore[assignment]  # None: there is no such module
    absent = plots.setdefault("matplotlib", None) is None
    try:
        import_module("pandapower")
    finally:
        if absent:
            del sys.modules["matplotlib"]
