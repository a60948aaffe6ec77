"""Trips of vehicles as files write them, in hours from the start."""

from collections.abc import Mapping, Sequence
from typing import Any

from .source import Tree
from .yaml_file import Path_

TRIP_SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        key: {"type": "number", "description": words}
        for key, words in {
            "leaves_h": "hours from the start of the first period",
            "returns_h": "hours from the start of the first period",
            "energy_kwh": "used on the way",
            "soc_needed": "what it has at the least when it leaves, as a fraction of the capacity",
        }.items()
    },
    "additionalProperties": False,
}
"""The JSON Schema of a trip in a file."""


def hours_of(trips: Sequence[Any], path: Path_, tree: Tree) -> list[Any]:
    """The same trips with `leaves_h` and `returns_h`.

    Args:
        trips: As the file has them; what is no mapping is left for pydantic to refuse.
        path: Where they stand.
        tree: Where each value is written.
    """
    del path, tree
    return [dict(trip) if isinstance(trip, Mapping) else trip for trip in trips]
