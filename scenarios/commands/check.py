"""`gridbazaar check`: whether a behaviour keeps what a market may count on."""

from __future__ import annotations

from functools import partial
from typing import Annotated

import typer


def check(
    behaviour: Annotated[
        str,
        typer.Argument(metavar="BEHAVIOUR", help="a registered name, module:Class or path.py:Class"),
    ],
    scenario: Annotated[str, typer.Option("--scenario", help="the market it is tried in")] = "ieee33",
    prosumer: Annotated[str, typer.Option("--prosumer", help="whose behaviour it is there; the first one's")] = "",
) -> None:
    """Check a behaviour: each hook, the same bits, time, privacy, and whether a market with it settles."""
    from ..conformance.check import ConformanceError
    from ..conformance.checks import CHECKS
    from ..conformance.trial import Trial
    from ..files.behaviours import make_behaviour

    make = partial(make_behaviour, behaviour, f"check {behaviour}", "")
    make()
    trial, failed = Trial.of(make, scenario, prosumer), 0
    for one in CHECKS:
        try:
            said, found = "passed", one.of(trial)
        except ConformanceError as error:
            said, found, failed = "failed", str(error), failed + 1
        typer.echo(f"{said}  {one.name:18}  {found}")
    if failed:
        typer.echo(f"{behaviour}: {failed} of {len(CHECKS)} checks failed", err=True)
        raise typer.Exit(2)
