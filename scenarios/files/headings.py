"""Headings of other tools, and other units: `p_mw` is `p_kw` times 1,000, `max_i_ka` of pandapower is `i_max_a`.

Only what can mean one thing is understood: the quantity is a key of the schema, by its own name or by pandapower's, and
the unit stands in the heading. What says nothing of the feeder is left out. Whoever reads is told of either.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .schema import Row

Path_ = tuple[str, ...]

_UNITS = {
    "_w": ("_kw", "0.001"),
    "_mw": ("_kw", "1000"),
    "_var": ("_kvar", "0.001"),
    "_mvar": ("_kvar", "1000"),
    "_ka": ("_a", "1000"),
    "_v": ("_kv", "0.001"),
    "_m": ("_km", "0.001"),
    "_per_m": ("_per_km", "1000"),
    "_usd_per_mwh": ("_usd_per_kwh", "0.001"),
    "_usd_per_mw2h": ("_usd_per_kw2h", "0.000001"),
    **{unit: (unit, "1") for unit in ("_kw", "_kvar", "_a", "_kv", "_pu")},
}
"""The end of a heading: the unit of our key, and how many of it one is."""
_QUANTITIES: dict[Path_, dict[str, str]] = {
    ("feeder", "buses"): {"vn": "base", "min_vm": "v_min", "max_vm": "v_max"},
    ("feeder", "lines"): {"max_i": "i_max"},
    ("feeder", "generators"): {"min_p": "p_min", "max_p": "p_max", "min_q": "q_min", "max_q": "q_max"},
}
"""What pandapower calls a quantity: what it is called here."""
_LEFT_OUT: dict[Path_, set[str]] = {
    ("feeder", "buses"): {"index", "name", "type", "zone", "geo"},
    ("feeder", "lines"): {"index", "name", "type", "std_type", "geo"},
    ("feeder", "generators"): {"index", "type"},
    ("prosumers",): {"index"},
    ("links",): {"index"},
}
"""Headings of other tools that say nothing of the feeder; "index" is the counter that pandas writes before a table."""
_NEUTRAL = {"df": "1", "scaling": "1", "g_us_per_km": "0", "max_loading_percent": "100"}
"""Headings that are not understood, but say nothing where they have this value."""


@dataclass(slots=True)
class Reading:
    """A row of a table in the keys of the schema.

    Attributes:
        cells: Its values by key.
        renamed: By heading of another tool the key it was read as, and what its value was multiplied with.
        left_out: The headings that were left out.
    """

    cells: dict[str, Any] = field(default_factory=dict)
    renamed: dict[str, tuple[str, str]] = field(default_factory=dict)
    left_out: list[str] = field(default_factory=list)


class HeadingError(ValueError):
    """A heading of another tool, or its value, cannot be read: the heading, and the sentence with the cure."""

    def __init__(self, heading: str, sentence: str) -> None:
        super().__init__(heading, sentence)
        self.heading, self.sentence = heading, sentence


def read_row(row: Mapping[str, Any], table: Path_) -> Reading | None:
    """A row of a table as the schema has it; None if it is so already.

    Args:
        row: Its cells by heading.
        table: The path of the table.

    Raises:
        HeadingError: A value is given twice, is no number, or would be needed and is not understood.
    """
    known = _keys(table)
    if row.keys() <= known:
        return None
    reading = Reading()
    for heading, value in row.items():
        key, factor = (heading, "1") if heading in known else _meant(heading, table)
        if heading in _LEFT_OUT[table] - known or _is_neutral(heading, value, known):
            reading.left_out.append(heading)
            continue
        if key in reading.cells or (key != heading and row.get(key) is not None):
            other = next((each for each, (read, _) in reading.renamed.items() if read == key), key)
            raise HeadingError(heading, f"{other} is given, too, and means the same; keep one")
        reading.cells[key] = value
        if key != heading:
            reading.cells[key] = _scaled(heading, value, factor)
            reading.renamed[heading] = key, factor
    return reading


def notes(reading: Reading) -> list[str]:
    """What somebody should know of a row that was read so, a sentence each."""
    said = [f"{heading} is read as {key}{_times(factor)}" for heading, (key, factor) in reading.renamed.items()]
    if reading.left_out:
        said.append(f"left out, as it says nothing of the feeder: {', '.join(reading.left_out)}")
    return said


def _meant(heading: str, table: Path_) -> tuple[str, str]:
    """The key that a heading means, and what its value is multiplied with; itself if it means none."""
    for end in sorted(_UNITS, key=len, reverse=True):
        quantity = heading.removesuffix(end)
        if quantity != heading:
            unit, factor = _UNITS[end]
            key = _QUANTITIES.get(table, {}).get(quantity, quantity) + unit
            return (key, factor) if key in _keys(table) else (heading, "1")
    return heading, "1"


def _is_neutral(heading: str, value: Any, known: frozenset[str]) -> bool:
    """Whether a heading that is not understood changes nothing; if it does, it is refused."""
    if heading not in _NEUTRAL or heading in known:
        return False
    from .schema import NUMBER

    if NUMBER.fullmatch(str(value)) and Decimal(str(value)) == Decimal(_NEUTRAL[heading]):
        return True
    sentence = (
        f"{value} is not understood here, only {_NEUTRAL[heading]}; work it into the other values, and take it out"
    )
    raise HeadingError(heading, sentence)


def _scaled(heading: str, value: Any, factor: str) -> Any:
    """A value as files write it in our unit, to the last digit; nothing stays nothing."""
    from .schema import NUMBER

    if value is None or factor == "1" or str(value).lower().lstrip("+-") in ("inf", ".inf", "infinity"):
        return value
    if isinstance(value, bool) or not NUMBER.fullmatch(str(value)):
        raise HeadingError(
            heading, f"{value!r} is not a number; write a plain number, in the unit that the heading names"
        )
    return str(Decimal(str(value)) * Decimal(factor))


def other_headings(table: Path_) -> dict[str, str]:
    """The headings that a row of a table may have beside the keys of the schema, and what is made of each."""
    quantities = {ours: theirs for theirs, ours in _QUANTITIES.get(table, {}).items()}
    headings = {}
    for key in sorted(_keys(table)):
        for end, (unit, _) in _UNITS.items():
            quantity = key.removesuffix(unit)
            for name in dict.fromkeys((quantity, quantities.get(quantity, quantity))) if quantity != key else ():
                meant, factor = _meant(name + end, table)
                if meant == key != name + end:
                    headings[name + end] = f"{key}{_times(factor)}"
    return headings | dict.fromkeys(sorted(_LEFT_OUT[table] - _keys(table)), "left out")


def _times(factor: str) -> str:
    return "" if factor == "1" else f", times {Decimal(factor):,f}"


@cache
def row_type(table: Path_) -> type[Row]:
    """The schema of a row of a table."""
    from .schema import BusRow, GeneratorRow, LineRow, LinkRow, ProsumerRow

    rows: dict[str, type[Row]] = {"buses": BusRow, "lines": LineRow, "generators": GeneratorRow}
    rows |= {"prosumers": ProsumerRow, "links": LinkRow}
    return rows[table[-1]]


def _keys(table: Path_) -> frozenset[str]:
    """The keys that the schema knows in a row of a table."""
    return _known(row_type(table))


@cache
def _known(row: type[Row]) -> frozenset[str]:
    return frozenset(row.model_fields)
