"""Nested values of a scenario, and where each was written."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from ...network.calendars import Calendar
from ..errors import Problem, refuse
from .behaviour_text import absolute, as_text
from .class_paths import OF_CLASSES
from .headings import HeadingError, notes, read_row
from .step_text import step_h
from .text import as_name
from .yaml_file import Path_

TABLES: dict[Path_, tuple[str, ...]] = {
    ("feeder", "buses"): ("bus",),
    ("feeder", "lines"): ("from_bus", "to_bus"),
    ("feeder", "generators"): ("name",),
    ("prosumers",): ("name",),
    ("links",): ("a", "b"),
}
"""The tables of a scenario with the columns that name a row; a line is called "6-26", a link "p1-p2"."""

DEVICES: Path_ = ("devices",)

ALL_TABLES = {**TABLES, DEVICES: ("prosumer", "name")}
"""With the table of devices, of which nothing is left when prosumers have them."""

PROFILES: Path_ = ("profiles",)


@dataclass(frozen=True, slots=True)
class Change:
    """A value that is changed from outside the files: its dotted key, the new value, and what asks for it."""

    key: str
    value: object
    place: str


@dataclass(slots=True)
class Tree:
    """Nested mappings, and the place where each value was written.

    Attributes:
        values: The scenario as nested mappings; tables are mappings by row name, profiles by period "1", "2", ...
        places: File and line of every path, but for cells of CSV tables that stand where their row does.
        hours: The files of profiles, and what each calls its column of periods.
        calendar: When the periods are, once that is known; see `timing`.
        notes: What a person should know: what was read otherwise than it is written, and what was done to profiles.
    """

    values: dict[str, Any] = field(default_factory=dict)
    places: dict[Path_, str] = field(default_factory=dict)
    hours: dict[str, str] = field(default_factory=dict)
    calendar: Calendar | None = None
    notes: list[Problem] = field(default_factory=list)

    def place(self, path: Path_) -> str:
        """Where a path, or the nearest one above it, was written."""
        while path and path not in self.places:
            path = path[:-1]
        return self.places.get(path, "")

    def problem(self, path: Path_, sentence: str, kind: str = "") -> Problem:
        """What is wrong with a value, named as the file names it: a cell of a profile by its column and hour."""
        place = self.place(path)
        file = place.rpartition(":")[0] or place
        key, column = ".".join(path), path[-1] if path else ""
        if path[:1] == PROFILES and len(path) == 3:
            column = ".".join(path[:2])
            if self.calendar and path[2].isdigit():
                column = f"column {path[1]}" if file in self.hours else column
                key = f"{column}, {self.calendar.name(int(path[2]) - 1)}"
            elif file in self.hours:
                column = f"column {path[1]}"
                key = f"{column}, {self.hours[file]} {path[2]}"
        return Problem(place, key, sentence, (file, column, kind) if kind else None)

    def put(self, path: Path_, value: Any, place: str) -> None:
        """Write a value into the tree; None takes out what is there (where nothing is, it stays, to be told of)."""
        level = self.values
        for depth, key in enumerate(path[:-1], start=1):
            below = level.setdefault(key, {})
            if not isinstance(below, dict):
                raise refuse(place, ".".join(path), f"{'.'.join(path[:depth])} is a value and has nothing below it")
            level = below
            self.places.setdefault(path[:depth], place)
        before = level.pop(path[-1], None)
        if isinstance(before, dict):  # nothing of what stood there stands any more
            self.places = {other: where for other, where in self.places.items() if other[: len(path)] != path}
        if value is not None or before is None:
            level[path[-1]] = value
        self.places[path] = place

    def clear(self, path: Path_) -> None:
        """Take out what stands at a path, if anything does."""
        if value_at(self, path) is not None:
            self.put(path, None, "")

    def change(self, change: Change) -> None:
        """Change one value; a row of a table must be there already, or be given whole.

        Raises:
            ScenarioError: The key names a row that is not there.
        """
        path = self._split(as_name(change.key))
        if path == ("step",):
            self.places[path] = change.place
            path, change = ("dt_h",), replace(change, key="dt_h", value=step_h(change.value, change.place))
        if path[:1] == ("prosumers",) and len(path) > 2 and path[:2] not in self.places and set(path[1]) & set("*?["):
            self._change_each(path, change)
            return
        for table in ALL_TABLES:
            row = path[: len(table) + 1]
            if path[: len(table)] == table and len(path) > len(row) == len(table) + 1 and row not in self.places:
                known = did_you_mean(row[-1], value_at(self, table) or {})
                raise refuse(change.place, ".".join(path), f"there is no {row[-1]} in {'.'.join(table)}{known}")
        value = _plain(change.value)
        if isinstance(value, str) and path in (*ALL_TABLES, PROFILES):
            cure = f"write one that says base: and {path[-1]}: {value}"
            raise refuse(change.place, ".".join(path), f"the file of a table is named in a scenario file; {cure}")
        value = as_text(value) if path[-1] == "behaviour" else value
        if isinstance(value, dict) and not isinstance(value_at(self, path), dict | None):
            self.clear(path)  # keys and values take the place of one value
        for below, leaf in leaves(value, path) if isinstance(value, dict) and value else [(path, value)]:
            if below[:1] == PROFILES and len(below) == 2:
                self.put(below, by_period(leaf), change.place)
            else:
                self.put(below, absolute(leaf, Path()) if below[-1] in OF_CLASSES else leaf, change.place)

    def translate(self) -> None:
        """Put headings of other tools, and values in other units, into the keys and units of the schema.

        Raises:
            ScenarioError: Something is given twice, or cannot be read.
        """
        for table in TABLES:
            rows = value_at(self, table)
            for name, row in rows.items() if isinstance(rows, dict) else ():
                self._translate_row((*table, name), row, table)
        self._translate_row(("prosumer_defaults",), self.values.get("prosumer_defaults"), ("prosumers",))

    def _translate_row(self, path: Path_, row: Any, table: Path_) -> None:
        try:
            reading = read_row(row, table) if isinstance(row, dict) else None
        except HeadingError as error:
            raise refuse(self.place((*path, error.heading)), ".".join((*path, error.heading)), error.sentence) from None
        if reading is None:
            return
        for heading, (key, _) in reading.renamed.items():
            self.places[(*path, key)] = self.place((*path, heading))
        row.clear()
        row.update(reading.cells)
        file = self.place(path).rpartition(":")[0] or self.place(path)
        said = (Problem(file, ".".join(path[:-1] or path), sentence) for sentence in notes(reading))
        self.notes += [note for note in said if note not in self.notes]

    def _change_each(self, path: Path_, change: Change) -> None:
        """Change a value of all prosumers whose names match a pattern, `prosumers.h*.elastic_max_kw`."""
        known = value_at(self, ("prosumers",)) or {}
        names = [name for name in known if fnmatchcase(name, path[1])]
        if not names:
            raise refuse(change.place, ".".join(path), f"no prosumer is called {path[1]}{did_you_mean(path[1], known)}")
        for name in names:
            self.change(Change(".".join(("prosumers", name, *path[2:])), change.value, change.place))

    def _split(self, key: str) -> Path_:
        """The path of a dotted key; names that have dots themselves are found as they are in the tree."""
        path: list[str] = []
        level: Any = self.values
        parts = key.split(".")
        while parts:
            known = set(level) if isinstance(level, dict) else set()
            if len(path) == 3 and (path[0], path[2]) == ("prosumers", *DEVICES):
                known |= self._devices_of_table()
            size = next((n for n in range(len(parts), 0, -1) if ".".join(parts[:n]) in known), 1)
            path.append(".".join(parts[:size]))
            level = level.get(path[-1]) if isinstance(level, dict) else None
            parts = parts[size:]
        return tuple(path)

    def _devices_of_table(self) -> set[str]:
        """The names of the devices that the table gives to prosumers, as far as it is one."""
        rows = self.values.get(DEVICES[0])
        named = rows.items() if isinstance(rows, dict) else ()
        return {str(row.get("name", key)) for key, row in named if isinstance(row, dict)}

    def states(self, path: Path_) -> bool:
        """Whether something is written at a path."""
        return value_at(self, path) is not None

    def merge(self, other: "Tree") -> None:
        """Write another tree over this one, value by value; where this one has nothing, all that is there at once."""
        self._merge(other, other.values, ())
        self.places.update(other.places)
        self.hours.update(other.hours)
        self.notes += other.notes

    def _merge(self, other: "Tree", values: dict[str, Any], above: Path_) -> None:
        for key, value in values.items():
            path = (*above, key)
            if isinstance(value, dict) and self.states(path):
                self._merge(other, value, path)
            else:
                self.put(path, value, other.place(path))


def leaves(values: Mapping[str, Any], above: Path_) -> Iterator[tuple[Path_, Any]]:
    """All values below, each with its path."""
    for key, value in values.items():
        if isinstance(value, dict) and value:
            yield from leaves(value, (*above, key))
        else:
            yield (*above, key), value


def _plain(value: object) -> Any:
    """A value from Python as files have it: arrays, series and tuples are lists, names as they are kept."""
    value = value.tolist() if hasattr(value, "tolist") else value
    if isinstance(value, Mapping):
        return {as_name(str(key)): _plain(below) for key, below in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(below) for below in value]
    return as_name(value) if isinstance(value, str) else value


def by_period(profile: Any) -> Any:
    """A profile that is written as a list becomes what a table gives: values by period, from "1"."""
    return {str(t): value for t, value in enumerate(profile, start=1)} if isinstance(profile, list) else profile


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """The cure for a name that is not known: the nearest one, or all there are."""
    names = list(known)
    near = nearest(name, names)
    if near:
        return near
    shown_names = ", ".join(names[:12]) + (", ..." if len(names) > 12 else "")
    return f"; known are {shown_names}" if names else ""


def nearest(name: str, known: Iterable[str]) -> str:
    """The cure for a name that is not known where one is near; else nothing."""
    near = get_close_matches(name, list(known), n=1)
    return f"; did you mean {near[0]}?" if near else ""


def value_at(tree: Tree, path: Path_) -> Any:
    """What stands at a path; None where nothing does."""
    level: Any = tree.values
    for key in path:
        level = level.get(key) if isinstance(level, dict) else None
    return level
