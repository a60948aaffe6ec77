"""`gridbazaar view`: a page in the browser to step through the market."""

from __future__ import annotations

from importlib.util import find_spec
from typing import Annotated

import typer

from ..errors import refuse
from ..files.changes import changes_of
from .options import (
    NameOrRun,
    Patience,
    Seed,
    Sets,
    WindowNumber,
    Workers,
    backend_of,
    stepped_scenario,
    tell_doubts,
)


def view(
    scenario: NameOrRun = "",
    window: WindowNumber = None,
    changes: Sets = None,
    seed: Seed = None,
    workers: Workers = 0,
    patience: Patience = 120.0,
    host: Annotated[str, typer.Option("--host", help="address to listen at; others than 127.0.0.1 let others in")] = (
        "127.0.0.1"
    ),
    port: Annotated[int | None, typer.Option("--port", help="port (a free one near 8080)")] = None,
    browser: Annotated[bool, typer.Option("--browser/--no-browser", help="open a browser")] = True,
) -> None:
    """Step through a market in the browser: forwards, backwards, and otherwise."""
    if not find_spec("nicegui"):
        raise refuse("gridbazaar view", "", "nicegui is missing; install it with: pip install 'gridbazaar[view]'")
    given = changes_of(changes or [])
    if given and not scenario:
        raise refuse(given[0].place, given[0].key, "there is nothing to change; name a scenario before it")
    if window is not None and not scenario:
        raise refuse(f"--window {window}", "", "there are no windows of nothing; name a scenario before it")
    loaded = stepped_scenario(scenario, given, window) if scenario else None
    if loaded is not None:
        tell_doubts(loaded)
    if host not in ("127.0.0.1", "localhost", "::1"):
        typer.echo(f"note: whoever reaches {host} can run scenarios and behaviours of this machine", err=True)
    from ..view.offers import Offers
    from ..view.server import serve

    serve(
        Offers(scenario, loaded),
        host=host,
        port=port,
        browser=browser,
        tell=typer.echo,
        backend=lambda: backend_of(workers, None, patience),
        seed=seed,
    )
