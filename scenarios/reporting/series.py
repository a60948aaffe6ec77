"""Colours of runs, and of lines that are no prosumers, beside each other."""

from __future__ import annotations

from typing import Any

from ..drawing.colours import SERIES

_DASHES = ("-", "--", "-.", ":")


def series_style(k: int) -> dict[str, Any]:
    """Colour and dashes of the k-th series, told apart in print without colours, too."""
    return {"color": SERIES[k % len(SERIES)], "linestyle": _DASHES[k // len(SERIES) % len(_DASHES)]}
