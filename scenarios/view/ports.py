"""Where the page is served: a port that is free, and taken from then on."""

from __future__ import annotations

import socket
from contextlib import suppress

from ..errors import refuse

_FIRST_PORT, _PORTS = 8080, 20


def listener(host: str, port: int | None) -> socket.socket:
    """A socket that listens at the port; without one at the first that is free from 8080 on, else at any.

    It listens from the beginning, since a port that is only looked at may be another's before it is used: two that
    start at the same time would tell the same address, and one of them would show the other's page.

    Raises:
        ScenarioError: The port is taken, or this machine has no such address.
    """
    if port is None:
        for each in range(_FIRST_PORT, _FIRST_PORT + _PORTS):
            with suppress(OSError):
                return _listening(host, each)
    try:
        return _listening(host, port or 0)
    except (OSError, OverflowError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        place = f"--host {host}" + (f" --port {port}" if port else "")
        raise refuse(place, "", f"nothing can listen there ({reason}); name another one") from None


def _listening(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    found = socket.socket(family)
    try:
        found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        found.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # also of its connections: answers are short
        found.bind((host, port))
        found.listen()
    except (OSError, OverflowError):
        found.close()
        raise
    return found
