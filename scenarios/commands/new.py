"""`gridbazaar new`: a folder to begin with, for a behaviour, a device or a scenario of one's own."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .arguments import one_of


def new(
    what: Annotated[str, typer.Argument(metavar="behaviour|device|scenario", help="what to begin")],
    name: Annotated[str, typer.Argument(metavar="NAME", help="its name, such as mark_up")],
    parent: Annotated[Path, typer.Option("-o", "--output", help="the folder that its own is written into")] = Path(),
) -> None:
    """Write a tested package with a behaviour or a device, or a scenario that settles, into a new folder."""
    from ..files.text import shown
    from ..scaffold.writing import Kind, class_name, module_name, write

    place = f"new {what} {name}"
    kind = one_of(Kind, what, place)
    folder = shown(write(kind, name, parent))
    typer.echo(f"written: {folder}")
    where = f"{folder}/{module_name(name)}.py:{class_name(name)}"
    tries = {
        Kind.BEHAVIOUR: f"check {where}",
        Kind.DEVICE: f'check "{where}(capacity_kwh=5, p_max_kw=2)"',
        Kind.SCENARIO: f"run {folder}/{name}.yaml",
    }
    typer.echo(f"try it: gridbazaar {tries[kind]}")
