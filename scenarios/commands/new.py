"""`gridbazaar new`: a folder to begin with, for a behaviour or a scenario of one's own."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ..errors import refuse
from .arguments import one_of


def new(
    what: Annotated[str, typer.Argument(metavar="behaviour|scenario", help="what to begin")],
    name: Annotated[str, typer.Argument(metavar="NAME", help="its name, such as mark_up")],
    parent: Annotated[Path, typer.Option("-o", "--output", help="the folder that its own is written into")] = Path(),
) -> None:
    """Write a tested package with a behaviour, or a scenario that settles, into a new folder."""
    from ..files.text import shown
    from ..scaffold.writing import Kind, class_name, module_name, write

    place = f"new {what} {name}"
    if what == "device":
        raise refuse(place, "", "devices cannot be written this way yet, they come later; write behaviour or scenario")
    kind = one_of(Kind, what, place)
    folder = shown(write(kind, name, parent))
    typer.echo(f"written: {folder}")
    if kind is Kind.BEHAVIOUR:
        typer.echo(f"try it: gridbazaar check {folder}/{module_name(name)}.py:{class_name(name)}")
    else:
        typer.echo(f"try it: gridbazaar run {folder}/{name}.yaml")
