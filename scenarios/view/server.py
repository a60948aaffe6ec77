"""The web server: on this machine alone unless somebody asks for more, with a desk for every tab."""

from __future__ import annotations

import socket
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING

from nicegui import app, ui
from starlette.middleware.trustedhost import TrustedHostMiddleware

from ...network.cores import one_thread_each
from .desk import Desk
from .offers import Offers
from .page import Page
from .ports import listener

if TYPE_CHECKING:
    from ...market.hosting.backend import Backend

RECONNECT_S = 30.0
"""How long a tab that went away may take to come back to its session, whose workers live on meanwhile.

NiceGUI lets it be silent for 0.4 times as long before it counts as away.
"""
_LOOPBACK = ("127.0.0.1", "localhost", "::1")


class Desks:
    """The desks of all tabs that are open, each for itself; a tab that is loaded anew finds its own again."""

    def __init__(self, offers: Offers, backend: Callable[[], Backend | None], seed: int | None) -> None:
        """None yet; every tab gets one with these offers, backend and seed."""
        self._offers, self._backend, self._seed = offers, backend, seed
        self._by_tab: dict[str, Desk] = {}
        self._pages: Counter[str] = Counter()

    async def page(self) -> None:
        """The page of a tab; its desk is closed when the tab has gone and does not come back."""
        client = ui.context.client
        while client.tab_id is None:  # a tab says which one it is when it has connected
            await client.connected()
            if client.is_deleted:  # it never came
                return
        tab = client.tab_id
        if tab not in self._by_tab:
            self._by_tab[tab] = Desk(self._backend, self._seed)
        self._pages[tab] += 1
        client.on_delete(lambda: self._leave(tab))
        Page(self._by_tab[tab], self._offers)

    def _leave(self, tab: str) -> None:
        """One page of a tab has gone: the last one, or the one before it was loaded anew."""
        self._pages[tab] -= 1
        if not self._pages[tab]:
            del self._pages[tab]
            self._by_tab.pop(tab).close()

    def close(self) -> None:
        """Close all, and wait for the rounds under way."""
        for desk in self._by_tab.values():
            desk.close()
        for desk in self._by_tab.values():
            desk.wait()


def serve(
    offers: Offers,
    *,
    host: str,
    port: int | None,
    browser: bool,
    tell: Callable[[str], None],
    backend: Callable[[], Backend | None] = lambda: None,
    seed: int | None = None,
) -> None:
    """Serve the page until somebody stops it.

    Args:
        offers: The scenarios that can be chosen.
        host: The address to listen at.
        port: The port; None for a free one near 8080.
        browser: Whether a browser is opened.
        tell: Told where the page is, once it can be opened.
        backend: Makes where prosumers live; None is this process.
        seed: Seed of all randomness; that of the scenario by default.

    Raises:
        ScenarioError: Nothing can listen at that address.
    """
    listens = listener(host, port)
    port = int(listens.getsockname()[1])
    handed_over = listens.fileno() if hasattr(socket, "AF_UNIX") else None  # uvicorn takes none over on Windows
    if handed_over is None:
        listens.close()
    desks = Desks(offers, backend, seed)
    address = f"http://{f'[{host}]' if ':' in host else host}:{port}"
    app.on_startup(lambda: tell(f"gridbazaar view: {address} (Ctrl-C ends it)"))
    app.on_shutdown(desks.close)
    if host in _LOOPBACK:  # no page from elsewhere gets here by a name that leads to this machine
        app.add_middleware(TrustedHostMiddleware, allowed_hosts=[*_LOOPBACK, "[::1]"])
    # the limit is one of the process: where desks that compute at once set and lift it, one would lift another's
    with listens, one_thread_each(), suppress(KeyboardInterrupt):  # Ctrl-C, once the server has ended as it should
        ui.run(
            desks.page,
            host=host,
            port=port,
            fd=handed_over,
            title="gridbazaar",
            reload=False,
            show=browser,
            tailwind=False,
            reconnect_timeout=RECONNECT_S,
            binding_refresh_interval=None,  # nothing is bound, and on a slow machine its loop complains of itself
            show_welcome_message=False,
        )
