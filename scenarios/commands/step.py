"""`gridbazaar step`: go through a market round by round, back, and otherwise, in a terminal or from a file."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from ..errors import refuse
from ..files.changes import behaviours_of, changes_of
from .options import (
    Behaviours,
    NameOrRun,
    Parameters,
    Patience,
    RayAddress,
    Seed,
    Sets,
    WindowNumber,
    Workers,
    backend_of,
    name_of,
    stepped_scenario,
)


def step(
    scenario: NameOrRun,
    window: WindowNumber = None,
    changes: Sets = None,
    behaviour: Behaviours = None,
    parameters: Parameters = None,
    seed: Seed = None,
    commands: Annotated[
        Path | None, typer.Option("--commands", metavar="FILE", help="take commands from this file, a line each")
    ] = None,
    workers: Workers = 0,
    ray: RayAddress = None,
    patience: Patience = 120.0,
) -> None:
    """Step through a scenario's market: forwards, backwards, and on branches with something changed.

    Commands come from the terminal, from --commands, or from a pipe; `help` lists them.
    """
    from ..files.tree import Change

    given = [*changes_of(changes or []), *behaviours_of(behaviour or [], parameters)]
    given += [] if seed is None else [Change("seed", seed, f"--seed {seed}")]
    loaded = stepped_scenario(scenario, given, window)
    lines = _lines(commands)
    from rich.console import Console

    from ..stepping.prompt import converse, follow
    from ..stepping.session import Session
    from ..stepping.shell import Shell

    console = Console()
    backend_of(workers, ray, patience)  # what cannot be is told of at once
    with Session(loaded, backend=lambda: backend_of(workers, ray, patience), name=name_of(scenario)) as session:
        shell = Shell(session, console)
        if lines is not None:
            follow(shell, lines, str(commands))
        elif sys.stdin.isatty():
            converse(shell, console)
        else:
            follow(shell, sys.stdin, "stdin")


def _lines(commands: Path | None) -> list[str] | None:
    """The lines of a file of commands."""
    if commands is None:
        return None
    try:
        return commands.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is no text in UTF-8"
        raise refuse(
            f"--commands {commands}", "", f"this file cannot be read: {reason}; name one with a command a line"
        ) from None
