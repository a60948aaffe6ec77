"""Who draws: the market knows no screen, but it finds whoever has been installed to draw what it has found."""

from __future__ import annotations

from importlib.metadata import entry_points
from typing import Any

from ..network.errors import InputError

GROUP = "gridbazaar.plots"
"""The entry-point group of functions `draw(found, what, **options)`; gridbazaar's own is called `matplotlib`."""


def drawn(found: object, what: str, *, backend: str = "matplotlib", **options: Any) -> Any:
    """A drawing of something that was found.

    Args:
        found: A `Result`, or what has its tables.
        what: What of it: of `matplotlib`, "balance", "prices", "network" or "feeder", see
            `gridbazaar.scenarios.reporting.plots`.
        backend: Who draws, by the name of an entry point `gridbazaar.plots`.
        options: For whoever draws.

    Raises:
        InputError: There is nobody of this name, or it cannot draw that.
    """
    known = {point.name: point for point in entry_points(group=GROUP)}
    if backend not in known:
        there = ", ".join(sorted(known)) or "none; install gridbazaar anew"
        raise InputError(f"nobody called {backend} draws; there are {there}")
    return known[backend].load()(found, what, **options)
