"""In what scenarios differ: key by key, and tables row by row."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..files.tree import PROFILES, TABLES
from ..runs.amounts import counted

_SHOWN = 5  # differences of one table that are told
_ABSENT = "not there"


@dataclass(frozen=True, slots=True)
class ScenarioDifference:
    """A key that is not the same in all scenarios.

    Attributes:
        key: The key, dotted, as `--set` has it.
        table: The table or profile that it belongs to; of many in one, the first few are told.
        values: What it is in each scenario, as text.
    """

    key: str
    table: str
    values: tuple[str, ...]


def scenario_differences(scenarios: Sequence[Mapping[str, Any]]) -> list[ScenarioDifference]:
    """What is not the same in all of some resolved scenarios; a row that one of them has not is one difference."""
    return list(_differences((), list(scenarios)))


def cut(found: Sequence[ScenarioDifference]) -> list[ScenarioDifference]:
    """The first few differences of each table, and how many more there are."""
    shown: list[ScenarioDifference] = []
    seen: Counter[str] = Counter()
    total = Counter(one.table for one in found)
    for one in found:
        seen[one.table] += 1
        if seen[one.table] <= _SHOWN:
            shown.append(one)
        elif seen[one.table] == total[one.table]:
            rest = f"and {counted(total[one.table] - _SHOWN, 'more', 'more')}"
            shown.append(ScenarioDifference(f"{one.table}: {rest}", one.table, ("",) * len(one.values)))
    return shown


def _differences(path: tuple[str, ...], values: list[Any]) -> Iterator[ScenarioDifference]:
    if all(value == values[0] for value in values):
        return
    if not all(isinstance(value, dict) for value in values):
        yield ScenarioDifference(".".join(path), _table_of(path), tuple(map(_text, values)))
        return
    for key in dict.fromkeys(key for value in values for key in value):
        yield from _differences((*path, key), [value.get(key, _ABSENT) for value in values])


def _table_of(path: tuple[str, ...]) -> str:
    table = next((table for table in TABLES if path[: len(table)] == table), path[:1])
    return ".".join(path[:2] if path[:1] == PROFILES else table)


def _text(value: Any) -> str:
    if isinstance(value, dict):
        return "there"
    if isinstance(value, bool):
        return str(value).lower()
    return f"{value:g}" if isinstance(value, float) and value == float(f"{value:g}") else str(value)
