"""Classes of a file beside the scenario, `path.py:Class`: paths that hold from anywhere."""

from pathlib import Path
from typing import Any

from .behaviour_text import absolute

OF_CLASSES = ("behaviour", "kind")
"""Keys whose values may be `path.py:Class`."""


def resolve_classes(values: dict[str, Any], folder: Path) -> None:
    """Make `path.py:Class` a path that holds from anywhere: it is meant from the file that names it.

    Args:
        values: What the file says, which is changed.
        folder: Where it stands.
    """
    rows: list[Any] = [values.get("prosumer_defaults")]
    for section in ("prosumers", "behaviours", "devices"):
        rows += _below(values.get(section))
    for row in [*rows, *(device for owner in rows for device in _below(owner, "devices"))]:
        for key in OF_CLASSES:
            if isinstance(row, dict) and key in row:
                row[key] = absolute(row[key], folder)


def _below(rows: Any, key: str = "") -> list[Any]:
    """The rows of a mapping, or of the one that stands in it under a key; none where there is no mapping."""
    rows = rows.get(key) if key and isinstance(rows, dict) else rows
    return list(rows.values()) if isinstance(rows, dict) else []
