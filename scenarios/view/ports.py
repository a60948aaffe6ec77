"""Where the page can be served: a port that is free."""

from __future__ import annotations

import socket
from contextlib import suppress

from ..errors import refuse

_FIRST_PORT, _PORTS = 8080, 20


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
