"""`gridbazaar validate`, `list`, `schema`: what is there, and whether it is in order."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Sized
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from ..files.changes import behaviours_of, changes_of
from .arguments import one_of
from .options import Behaviours, Name, Parameters, Sets, tell_doubts

_ROOMS = Path(__file__).parents[2]
"""Where the rooms stand."""


class Listed(StrEnum):
    """What `list` can list."""

    SCENARIOS = "scenarios"
    BEHAVIOURS = "behaviours"
    DEVICES = "devices"


def validate(scenario: Name, changes: Sets = None, behaviour: Behaviours = None, parameters: Parameters = None) -> None:
    """Check a scenario without running it."""
    from ...network.periods import length_said
    from ..files.in_service import in_service
    from ..files.loading import load
    from ..runs.amounts import counted

    loaded = load(scenario, [*changes_of(changes or []), *behaviours_of(behaviour or [], parameters)])
    loaded.check()
    tell_doubts(loaded)
    feeder = in_service(loaded.feeder)
    tables: dict[tuple[str, ...], Sized] = {("bus", "buses"): feeder.buses, ("line",): feeder.lines}
    tables |= {("generator",): feeder.generators, ("prosumer",): loaded.prosumers, ("link",): loaded.links}
    devices = [name for row in loaded.prosumers.values() for name in row.devices]
    tables |= {("device",): devices} if devices else {}
    counts = ", ".join(counted(len(rows), *nouns) for nouns, rows in tables.items())
    length = length_said(loaded.dt_h)
    when = f", {loaded.calendar}" if loaded.calendar else ""
    typer.echo(f"{scenario} is valid: {counts}, {counted(loaded.periods, 'period')} of {length}{when}")


def list_(
    what: Annotated[str, typer.Argument(metavar="scenarios|behaviours|devices", help="what to list")] = "scenarios",
) -> None:
    """List the scenarios that come with gridbazaar, or the behaviours or kinds of devices that have a name.

    A line each, with tabs between: name, where it comes from, and what it is, of those that come with gridbazaar.
    """
    wanted = one_of(Listed, what, f"list {what}")
    if wanted is Listed.BEHAVIOURS:
        from ..files.behaviours import registered_behaviours

        known = {name: (where, _said_of_class(where)) for name, where in registered_behaviours().items()}
    elif wanted is Listed.DEVICES:
        from ..files.devices import registered_devices

        known = {name: (where, _said_of_class(where)) for name, where in registered_devices().items()}
    else:
        from ..files.source import shipped_scenarios
        from ..files.text import shown

        known = {name: (shown(file), _said_of_file(file)) for name, file in shipped_scenarios().items()}
    for name, cells in known.items():
        typer.echo("\t".join((name, *cells)).rstrip())


def _said_of_file(file: Path) -> str:
    """The first sentence of what a scenario file says of itself, in the comment that it begins with."""
    first = file.read_text(encoding="utf-8").partition("\n")[0]
    return re.split(r";|\.( |$)", first.lstrip("# "))[0] if first.startswith("#") else ""


def _said_of_class(where: str) -> str:
    """What a class of gridbazaar is, by the first line of its docstring; nothing is imported for that."""
    module, _, name = where.partition(":")
    package, *path = module.split(".")
    file = _ROOMS.joinpath(*path).with_suffix(".py")
    if package != "gridbazaar" or not file.is_file():
        return ""
    classes = (node for node in ast.parse(file.read_text(encoding="utf-8")).body if isinstance(node, ast.ClassDef))
    return next((ast.get_docstring(one) or "" for one in classes if one.name == name), "").partition("\n")[0]


def schema() -> None:
    """Print the JSON Schema of a scenario, for editors that complete and check YAML."""
    from ..files.file_schema import file_schema

    typer.echo(json.dumps(file_schema(), indent=1))
