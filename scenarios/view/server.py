"""The web server: on this machine alone unless somebody asks for more, with a desk for every tab."""

from __future__ import annotations

import socket
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING

from nicegui import app, ui
from starlette.middleware.trustedhost import TrustedHostMiddleware

from ..errors import refuse
from .desk import Desk
from .offers import Offers
from .page import Page

if TYPE_CHECKING:
    from ...market.hosting.backend import Backend

_FIRST_PORT, _PORTS = 8080, 20
_RECONNECT_S = 5.0
"""How long a tab that went away may take to come back to its session."""
_LOOPBACK = ("127.0.0.1", "localhost", "::1")


def serve(
    offers: Offers,
    *,
    host: str,
    port: int | None,
    browser: bool,
    tell: Callable[[str], None],
    backend: Callable[[], Backend] | None = None,
    seed: int | None = None,
) -> None:
    """Serve the page until somebody stops it.

    Args:
        offers: The scenarios that can be chosen.
        host: The address to listen at.
        port: The port; None for a free one near 8080.
        browser: Whether a browser is opened.
        tell: Told where the page is, once it can be opened.
        backend: Makes where prosumers live; in this process by default.
        seed: Seed of all randomness; that of the scenario by default.

    Raises:
        ScenarioError: Nothing can listen at that address.
    """
    port = free_port(host, port)
    desks: set[Desk] = set()

    def page() -> None:
        desk = Desk(backend, seed)
        desks.add(desk)

        def leave() -> None:
            desks.discard(desk)
            desk.close()

        ui.context.client.on_delete(leave)
        Page(desk, offers)

    def end() -> None:
        for desk in desks:
            desk.close()
        for desk in desks:
            desk.wait()

    address = f"http://{f'[{host}]' if ':' in host else host}:{port}"
    app.on_startup(lambda: tell(f"gridbazaar view: {address} (Ctrl-C ends it)"))
    app.on_shutdown(end)
    if host in _LOOPBACK:  # no page from elsewhere gets here by a name that leads to this machine
        app.add_middleware(TrustedHostMiddleware, allowed_hosts=[*_LOOPBACK, "[::1]"])
    ui.run(
        page,
        host=host,
        port=port,
        title="gridbazaar",
        reload=False,
        show=browser,
        tailwind=False,
        reconnect_timeout=_RECONNECT_S,
        show_welcome_message=False,
    )


def free_port(host: str, port: int | None) -> int:
    """The port if it is free; without one the first that is free from 8080 on, else any.

    Raises:
        ScenarioError: It is taken, or this machine has no such address.
    """
    if port is not None:
        _bind(host, port)
        return port
    for each in range(_FIRST_PORT, _FIRST_PORT + _PORTS):
        with suppress(OSError), _listening(host, each):
            return each
    return _bind(host, 0)


def _bind(host: str, port: int) -> int:
    try:
        with _listening(host, port) as found:
            return int(found.getsockname()[1])
    except (OSError, OverflowError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        place = f"--host {host}" + (f" --port {port}" if port else "")
        raise refuse(place, "", f"nothing can listen there ({reason}); name another one") from None


def _listening(host: str, port: int) -> socket.socket:
    """A socket that is bound there; whoever asks closes it."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    found = socket.socket(family)
    try:
        found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        found.bind((host, port))
    except (OSError, OverflowError):
        found.close()
        raise
    return found
