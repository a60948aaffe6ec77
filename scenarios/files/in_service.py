"""What of a feeder is in service; what is not is left out, and listed."""

from __future__ import annotations

from collections.abc import Iterator

from .schema import FeederRow
from .yaml_file import Path_

_TABLES = ("buses", "lines", "generators")
_MOST_NAMED = 30


def in_service(feeder: FeederRow) -> FeederRow:
    """The feeder without the rows that are out of service, and without lines and generators at a bus that is."""
    left_out = _left_out(feeder)
    if not any(left_out.values()):
        return feeder
    kept = {
        table: {name: row for name, row in getattr(feeder, table).items() if name not in left_out[table]}
        for table in _TABLES
    }
    return feeder.model_copy(update=kept)


def left_out_notes(feeder: FeederRow) -> Iterator[tuple[Path_, str]]:
    """What is left out of each table: the path of the first such row, and a sentence."""
    for table, names in _left_out(feeder).items():
        if names:
            more = f" and {len(names) - _MOST_NAMED:,} more" if len(names) > _MOST_NAMED else ""
            sentence = f"out of service and left out: {', '.join(names[:_MOST_NAMED])}{more}"
            yield ("feeder", table, names[0]), sentence


def _left_out(feeder: FeederRow) -> dict[str, list[str]]:
    """The names of the rows of each table that are out of service, themselves or with their bus."""
    buses = [name for name, bus in feeder.buses.items() if not bus.in_service]
    dead = set(buses)
    return {
        "buses": buses,
        "lines": [
            name for name, line in feeder.lines.items() if not line.in_service or {line.from_bus, line.to_bus} & dead
        ],
        "generators": [name for name, one in feeder.generators.items() if not one.in_service or one.bus in dead],
    }
