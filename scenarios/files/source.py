"""A scenario's YAML file, its base and its CSV tables as one tree of values that knows where each was written."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from fnmatch import fnmatchcase
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

from ...network.calendars import Calendar
from ..errors import Problem, ScenarioError, refuse
from .behaviour_text import absolute, as_text
from .class_paths import OF_CLASSES, resolve_classes
from .csv_file import TableRow, read_rows
from .headings import HeadingError, notes, read_row
from .step_text import step_h
from .text import as_name, beside, shown
from .timed_table import PERIOD_COLUMNS, rows_of, timed_columns
from .yaml_file import Path_, read_yaml

TABLES: dict[Path_, tuple[str, ...]] = {
    ("feeder", "buses"): ("bus",),
    ("feeder", "lines"): ("from_bus", "to_bus"),
    ("feeder", "generators"): ("name",),
    ("prosumers",): ("name",),
    ("links",): ("a", "b"),
}
"""The tables of a scenario with the columns that name a row; a line is called "6-26", a link "p1-p2"."""
DEVICES: Path_ = ("devices",)
_ALL_TABLES = {**TABLES, DEVICES: ("prosumer", "name")}
"""With the table of devices, of which nothing is left when prosumers have them."""
PROFILES: Path_ = ("profiles",)
_SHIPPED = Path(__file__).parent.parent


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
        if _value(self, path) is not None:
            self.put(path, None, "")

    def change(self, change: Change) -> None:
        """Change one value; a row of a table must be there already, or be given whole.

        Raises:
            ScenarioError: The key names a row that is not there.
        """
        path = self._split(as_name(change.key))
        if path == ("step",):
            path, change = ("dt_h",), replace(change, key="dt_h", value=step_h(change.value, change.place))
        if path[:1] == ("prosumers",) and len(path) > 2 and path[:2] not in self.places and set(path[1]) & set("*?["):
            self._change_each(path, change)
            return
        for table in _ALL_TABLES:
            row = path[: len(table) + 1]
            if path[: len(table)] == table and len(path) > len(row) == len(table) + 1 and row not in self.places:
                known = did_you_mean(row[-1], _value(self, table) or {})
                raise refuse(change.place, ".".join(path), f"there is no {row[-1]} in {'.'.join(table)}{known}")
        value = _plain(change.value)
        value = as_text(value) if path[-1] == "behaviour" else value
        if isinstance(value, dict) and not isinstance(_value(self, path), dict | None):
            self.clear(path)  # keys and values take the place of one value
        for below, leaf in _leaves(value, path) if isinstance(value, dict) and value else [(path, value)]:
            if below[:1] == PROFILES and len(below) == 2:
                self.put(below, _by_period(leaf), change.place)
            else:
                self.put(below, absolute(leaf, Path()) if below[-1] in OF_CLASSES else leaf, change.place)

    def translate(self) -> None:
        """Put headings of other tools, and values in other units, into the keys and units of the schema.

        Raises:
            ScenarioError: Something is given twice, or cannot be read.
        """
        for table in TABLES:
            rows = _value(self, table)
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
        known = _value(self, ("prosumers",)) or {}
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
            known = level if isinstance(level, dict) else {}
            size = next((n for n in range(len(parts), 0, -1) if ".".join(parts[:n]) in known), 1)
            path.append(".".join(parts[:size]))
            level = known.get(path[-1])
            parts = parts[size:]
        return tuple(path)

    def states(self, path: Path_) -> bool:
        """Whether something is written at a path."""
        return _value(self, path) is not None

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


def _leaves(values: Mapping[str, Any], above: Path_) -> Iterator[tuple[Path_, Any]]:
    for key, value in values.items():
        if isinstance(value, dict) and value:
            yield from _leaves(value, (*above, key))
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


def _by_period(profile: Any) -> Any:
    """A profile that is written as a list becomes what a table gives: values by period, from "1"."""
    return {str(t): value for t, value in enumerate(profile, start=1)} if isinstance(profile, list) else profile


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """The cure for a name that is not known: the nearest one, or all there are."""
    names = list(known)
    near = get_close_matches(name, names, n=1)
    if near:
        return f"; did you mean {near[0]}?"
    shown_names = ", ".join(names[:12]) + (", ..." if len(names) > 12 else "")
    return f"; known are {shown_names}" if names else ""


def shipped_scenarios() -> dict[str, Path]:
    """The scenarios that come with gridbazaar, by name; first those that are here with all their tables."""
    folders = sorted(_SHIPPED.iterdir(), key=lambda folder: (not (folder / "buses.csv").is_file(), folder.name))
    files = ((folder.name, folder / f"{folder.name}.yaml") for folder in folders)
    return {name: file for name, file in files if file.is_file()}


def find(name: str) -> Path:
    """The file of a scenario: one that comes with gridbazaar, by name, or a path.

    Raises:
        ScenarioError: There is none.
    """
    shipped = shipped_scenarios()
    if name in shipped:
        return shipped[name]
    path = Path(name)
    try:
        inside = path / f"{path.resolve().name}.yaml" if name and path.is_dir() else path
        found = bool(name) and inside.is_file()
    except OSError as error:  # a name that no file can have
        raise refuse("", "", f"{name[:60]}... cannot be read ({error.strerror}); give a YAML file") from None
    if not found and inside != path:
        raise refuse("", "", f"{name} is a folder without a file {inside.name}; give the YAML file itself")
    if not found:
        cure = f"give a YAML file, or one that comes with gridbazaar: {', '.join(shipped)}"
        raise refuse("", "", f"there is no scenario {name or 'without a name'}; {cure}")
    return inside


def read(file: Path, above: tuple[Path, ...] = ()) -> Tree:
    """The tree of a scenario file, its `base` and its tables read.

    Raises:
        ScenarioError: A file cannot be read, or inherits from itself.
    """
    here = file.resolve()
    if here in above:
        raise refuse(shown(file), "base", "the scenario inherits from itself; take the base out of one of the files")
    own = Tree(*read_yaml(file))
    _read_step(own)
    _read_tables(own, file.parent)
    own.translate()
    resolve_classes(own.values, file.parent)
    base = own.values.pop("base", None)
    if "import" in own.values:
        if base is not None:
            raise refuse(own.place(("import",)), "import", "a scenario has a base or an import; take one of them out")
        base = _imported(own, file.parent)
    if base is None:
        return own
    if not isinstance(base, str):
        raise refuse(own.place(("base",)), "base", "a base is one scenario; write its name, or its file")
    try:
        near = beside(file.parent, base)
        found = near if near.is_file() else find(base)
    except ScenarioError as error:
        raise refuse(own.place(("base",)), "base", error.problems[0].sentence) from None
    tree = read(found, (*above, here))
    for table in _ALL_TABLES:
        if _whole_table(own, table):
            tree.clear(table)
    for profile in _value(own, PROFILES) or ():
        tree.clear((*PROFILES, profile))
    tree.merge(own)
    return tree


def _imported(tree: Tree, folder: Path) -> str:
    """The file of the scenario that is made of a network of another tool; who imports is installed beside this room."""
    points = {point.name: point for point in entry_points(group="gridbazaar.imports")}
    if "network" not in points:
        raise refuse(tree.place(("import",)), "import", "nobody imports networks here; install gridbazaar anew")
    made = points["network"].load()(tree, folder)
    tree.clear(("import",))
    return str(made)


def _read_step(tree: Tree) -> None:
    """Make a `step` what it is another way to write: the length of a period, `dt_h`."""
    step = tree.values.pop("step", None)
    if step is None:
        return
    place = tree.place(("step",))
    if tree.states(("dt_h",)):
        raise refuse(place, "step", f"the length of a period is given as dt_h, too ({tree.place(('dt_h',))}); keep one")
    tree.put(("dt_h",), step_h(step, place), place)


def _read_tables(tree: Tree, folder: Path) -> None:
    for path, key_columns in _ALL_TABLES.items():
        named = _value(tree, path)
        if isinstance(named, str):
            tree.put(path, {}, tree.place(path))
            _read_rows(tree, path, key_columns, _table_file(tree, path, folder, named))
            tree.places[(*path, "")] = "whole"
    named = _value(tree, PROFILES)
    if isinstance(named, str):
        tree.put(PROFILES, {}, tree.place(PROFILES))
        _read_profiles(tree, _table_file(tree, PROFILES, folder, named))
    profiles = _value(tree, PROFILES)
    if isinstance(profiles, dict):
        profiles.update({name: _by_period(profile) for name, profile in profiles.items()})


def _whole_table(tree: Tree, path: Path_) -> bool:
    """Whether the tree names a file for this table, which then replaces the base's table as a whole."""
    return tree.places.pop((*path, ""), "") == "whole"


def _value(tree: Tree, path: Path_) -> Any:
    """What stands at a path; None where nothing does."""
    level: Any = tree.values
    for key in path:
        level = level.get(key) if isinstance(level, dict) else None
    return level


def _table_file(tree: Tree, path: Path_, folder: Path, named: str) -> Path:
    file = beside(folder, named)
    if not file.is_file():
        what = f"{shown(file)} is a folder" if file.is_dir() else f"there is no file {shown(file)}"
        cure = "name a CSV file beside the scenario, or write the table here"
        raise refuse(tree.place(path), ".".join(path), f"{what}; {cure}")
    return file


def _read_rows(tree: Tree, path: Path_, key_columns: tuple[str, ...], file: Path) -> None:
    for row in read_rows(file, key_columns, counter="index"):
        for column in key_columns:
            if not row.cells[column]:
                raise refuse(row.place, column, "this cell is empty; a row needs its name")
        here = (*path, "-".join(row.cells[column] for column in key_columns))
        if here in tree.places:
            raise refuse(row.place, ".".join(here), f"this row is already given at {tree.places[here]}; keep one")
        named = {key for key in ("name", "bus") if key_columns == (key,)}
        tree.put(here, {key: cell for key, cell in row.cells.items() if cell and key not in named}, row.place)


def _read_profiles(tree: Tree, file: Path) -> None:
    rows = rows_of(file)
    if not rows:
        raise refuse(shown(file), "", "there are no values below the header; write a row for every hour")
    by_time = timed_columns(file, rows)
    if by_time:
        tree.hours[shown(file)] = next(iter(by_time.values())).table.column
        for name, column in by_time.items():
            tree.put((*PROFILES, name), column, shown(file))
        return
    period = next((column for column in PERIOD_COLUMNS if column in rows[0].cells), PERIOD_COLUMNS[0])
    tree.hours[shown(file)] = period
    hours: set[str] = set()
    for row in rows:
        hour = _hour(row, period)
        if hour in hours:
            raise refuse(row.place, period, f"{period} {hour} is given twice; keep one row")
        hours.add(hour)
        for name, cell in row.cells.items():
            tree.put((*PROFILES, name, hour), cell, row.place)
    empty = [path for path, cell in _leaves(_value(tree, PROFILES), PROFILES) if cell == ""]
    if empty:
        raise ScenarioError([tree.problem(path, "this cell is empty; give a value", "empty") for path in empty])
    missing = [hour for hour in map(str, range(1, len(hours) + 1)) if hour not in hours]
    if missing:
        longest = max(map(int, hours))
        more = f", and {longest - len(hours) - 1:,} more" if longest > len(hours) + 1 else ""
        raise refuse(shown(file), period, f"there is no row for {period} {missing[0]} of {longest}; add it{more}")


def _hour(row: TableRow, period: str) -> str:
    """The number of a row's hour, which spreadsheets may write as 01 or 1.0; it is taken out of the row."""
    written = row.cells.pop(period)
    number = re.fullmatch(r"0*([1-9][0-9]*)(\.0*)?", written)
    if not number:
        raise refuse(row.place, period, f"{written!r} is not the number of an hour (period); they count from 1")
    return number[1]
