"""`gridbazaar validate`, `list`, `schema`: what is there, and whether it is in order."""

from __future__ import annotations

import json
from collections.abc import Sized
from enum import StrEnum
from typing import Annotated

import typer

from ..files.changes import behaviours_of, changes_of
from .arguments import one_of
from .options import Behaviours, Name, Parameters, Sets, tell_doubts


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
    """List the scenarios that come with gridbazaar, or the behaviours or kinds of devices that have a name."""
    wanted = one_of(Listed, what, f"list {what}")
    if wanted is Listed.BEHAVIOURS:
        from ..files.behaviours import registered_behaviours

        known = registered_behaviours()
    elif wanted is Listed.DEVICES:
        from ..files.devices import registered_devices

        known = registered_devices()
    else:
        from ..files.source import shipped_scenarios
        from ..files.text import shown

        known = {name: shown(file) for name, file in shipped_scenarios().items()}
    for name, where in known.items():
        typer.echo(f"{name}\t{where}")


def schema() -> None:
    """Print the JSON Schema of a scenario, for editors that complete and check YAML."""
    from ..files.file_schema import file_schema

    typer.echo(json.dumps(file_schema(), indent=1))
