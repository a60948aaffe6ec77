"""A scenario's YAML file, its base and its CSV tables as one tree of values that knows where each was written."""

import csv
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import yaml

from ..errors import ScenarioError, refuse

Path_ = tuple[str, ...]  # where a value stands in the tree, such as ("prosumers", "p2", "bus")

TABLES: dict[Path_, tuple[str, ...]] = {
    ("feeder", "buses"): ("bus",),
    ("feeder", "lines"): ("from_bus", "to_bus"),
    ("feeder", "generators"): ("name",),
    ("prosumers",): ("name",),
    ("links",): ("a", "b"),
}
"""The tables of a scenario with the columns that name a row; a line is called "6-26", a link "p1-p2"."""
PROFILES: Path_ = ("profiles",)
_PERIOD_COLUMNS = ("hour", "period")
_DEEPEST = 8  # no key of a scenario stands deeper
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
        places: File and line of every path.
    """

    values: dict[str, Any] = field(default_factory=dict)
    places: dict[Path_, str] = field(default_factory=dict)

    def place(self, path: Path_) -> str:
        """Where a path, or the nearest one above it, was written."""
        while path and path not in self.places:
            path = path[:-1]
        return self.places.get(path, "")

    def put(self, path: Path_, value: Any, place: str) -> None:
        """Write a value into the tree; None takes it out."""
        level = self.values
        for depth, key in enumerate(path[:-1], start=1):
            below = level.setdefault(key, {})
            if not isinstance(below, dict):
                raise refuse(place, ".".join(path), f"{'.'.join(path[:depth])} is a value and has nothing below it")
            level = below
            self.places.setdefault(path[:depth], place)
        if value is None:
            level.pop(path[-1], None)
        else:
            level[path[-1]] = value
        self.places[path] = place

    def change(self, change: Change) -> None:
        """Change one value; a row of a table must be there already, or be given whole.

        Raises:
            ScenarioError: The key names a row that is not there.
        """
        path = self._split(change.key)
        for table in TABLES:
            row = path[: len(table) + 1]
            if path[: len(table)] == table and len(path) > len(row) == len(table) + 1 and row not in self.places:
                known = did_you_mean(row[-1], _value(self, table) or {})
                raise refuse(change.place, ".".join(path), f"there is no {row[-1]} in {'.'.join(table)}{known}")
        value = change.value
        if path[: len(PROFILES)] == PROFILES and isinstance(value, list):
            value = {str(t): factor for t, factor in enumerate(value, start=1)}
        if isinstance(value, dict) and value:
            for below, leaf in _leaves(value, path):
                self.put(below, leaf, change.place)
        else:
            self.put(path, value, change.place)

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

    def merge(self, other: "Tree") -> None:
        """Write another tree over this one, value by value."""
        for path, value in _leaves(other.values, ()):
            if value != {} or _value(self, path) is None:  # an empty table adds nothing to the one that is there
                self.put(path, value, other.place(path))
        for path, place in other.places.items():
            self.places[path] = place


def _leaves(values: Mapping[str, Any], above: Path_) -> Iterator[tuple[Path_, Any]]:
    for key, value in values.items():
        if isinstance(value, dict) and value:
            yield from _leaves(value, (*above, key))
        else:
            yield (*above, key), value


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """The cure for a name that is not known: the nearest one, or all there are."""
    names = list(known)
    near = get_close_matches(name, names, n=1)
    if near:
        return f"; did you mean {near[0]}?"
    shown_names = ", ".join(names[:12]) + (", ..." if len(names) > 12 else "")
    return f"; known are {shown_names}" if names else ""


def shipped_scenarios() -> dict[str, Path]:
    """The scenarios that come with gridbazaar, by name."""
    files = ((folder.name, folder / f"{folder.name}.yaml") for folder in sorted(_SHIPPED.iterdir()))
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
    if path.is_dir():
        inside = path / f"{path.resolve().name}.yaml"
        if not inside.is_file():
            raise refuse("", "", f"{name} is a folder without a file {inside.name}; give the YAML file itself")
        return inside
    if not path.is_file():
        known = ", ".join(shipped)
        raise refuse(
            "", "", f"there is no scenario {name}; give a YAML file, or one that comes with gridbazaar: {known}"
        )
    return path


def read(file: Path, above: tuple[Path, ...] = ()) -> Tree:
    """The tree of a scenario file, its `base` and its tables read.

    Raises:
        ScenarioError: A file cannot be read, or inherits from itself.
    """
    here = file.resolve()
    if here in above:
        raise refuse(shown(file), "base", "the scenario inherits from itself; take the base out of one of the files")
    own = _read_yaml(file)
    _read_tables(own, file.parent)
    _resolve_behaviours(own, file.parent)
    base = own.values.pop("base", None)
    if base is None:
        return own
    beside = file.parent / str(base)
    try:
        found = beside if beside.is_file() else find(str(base))
    except ScenarioError as error:
        raise refuse(own.place(("base",)), "base", error.problems[0].sentence) from None
    tree = read(found, (*above, here))
    for table in TABLES:
        if _whole_table(own, table):
            tree.put(table, None, "")
    for profile in _value(own, PROFILES) or ():
        tree.put((*PROFILES, profile), None, "")
    tree.merge(own)
    return tree


def shown(file: Path) -> str:
    """A file as messages name it: from here if it lies below."""
    try:
        return str(file.resolve().relative_to(Path.cwd()))
    except ValueError:
        return str(file)


def _read_yaml(file: Path) -> Tree:
    try:
        root = yaml.compose(_text(file), Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise refuse(f"{shown(file)}:{line}", "", f"this is not YAML: {error.problem}; correct the line") from None
    except yaml.YAMLError as error:
        raise refuse(shown(file), "", f"this is not YAML ({error}); save it as text in UTF-8") from None
    if not isinstance(root, yaml.MappingNode):
        raise refuse(shown(file), "", "a scenario is keys and values; it needs a base, or a feeder and prosumers")
    tree = Tree()
    tree.values = _mapping(root, (), tree, file)
    return tree


def _mapping(node: yaml.MappingNode, path: Path_, tree: Tree, file: Path) -> dict[str, Any]:
    values: dict[str, Any] = {}
    if len(path) > _DEEPEST:
        raise refuse(f"{shown(file)}:{node.start_mark.line + 1}", ".".join(path[:3]), "this is nested without end")
    for key_node, value_node in node.value:
        key, place = str(key_node.value), f"{shown(file)}:{key_node.start_mark.line + 1}"
        here = (*path, key)
        if key in values:
            raise refuse(place, ".".join(here), "this key is given twice; keep one")
        tree.places[here] = place
        if isinstance(value_node, yaml.MappingNode):
            values[key] = _mapping(value_node, here, tree, file)
        else:
            values[key] = _scalar(value_node, place, here)
    return values


def _scalar(node: yaml.Node, place: str, path: Path_) -> Any:
    try:
        return yaml.SafeLoader("").construct_object(node, deep=True)
    except (yaml.YAMLError, ValueError) as error:
        sentence = f"{node.value!r} cannot be read ({getattr(error, 'problem', error)}); put it in quotes"
        raise refuse(place, ".".join(path), sentence) from None


def _read_tables(tree: Tree, folder: Path) -> None:
    for path, key_columns in TABLES.items():
        named = _value(tree, path)
        if isinstance(named, str):
            tree.put(path, {}, tree.place(path))
            _read_rows(tree, path, key_columns, _table_file(tree, path, folder, named))
            tree.places[(*path, "")] = "whole"
    named = _value(tree, PROFILES)
    if isinstance(named, str):
        tree.put(PROFILES, {}, tree.place(PROFILES))
        _read_profiles(tree, _table_file(tree, PROFILES, folder, named))
    _number_lists(_value(tree, PROFILES))


def _number_lists(profiles: Any) -> None:
    """Profiles that are written as lists become what a table gives: values by period, from "1"."""
    if isinstance(profiles, dict):
        lists = {name: values for name, values in profiles.items() if isinstance(values, list)}
        profiles.update({name: {str(t): v for t, v in enumerate(values, start=1)} for name, values in lists.items()})


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
    file = folder / named
    if not file.is_file():
        sentence = f"there is no file {shown(file)}; name a CSV file beside the scenario, or write the table here"
        raise refuse(tree.place(path), ".".join(path), sentence)
    return file


def _rows(file: Path, needed: tuple[str, ...]) -> Iterator[tuple[str, dict[str, str]]]:
    """Place and cells of every row; empty cells are left out. Of `needed`, one column per name, "a|b" either."""
    reader = csv.DictReader(_text(file).splitlines(), skipinitialspace=True)
    columns = [str(column).strip() for column in reader.fieldnames or ()]
    _check_header(file, columns, needed)
    for row in reader:
        place = f"{shown(file)}:{reader.line_num}"
        if None in row or None in row.values():
            raise refuse(place, "", f"this row does not have {len(columns)} cells like the header; correct it")
        yield place, {key.strip(): cell.strip() for key, cell in row.items() if cell.strip()}


def _check_header(file: Path, columns: list[str], needed: tuple[str, ...]) -> None:
    place = f"{shown(file)}:1"
    if not columns:
        raise refuse(place, "", "the file is empty; write a header with the names of the columns, and rows below it")
    if len(columns) == 1 and any(mark in columns[0] for mark in ";\t"):
        raise refuse(place, "", "the cells are not separated by commas; save the table as CSV with commas")
    for k, column in enumerate(columns):
        if column in columns[:k]:
            raise refuse(place, column, "this column is given twice; keep one")
    for names in needed:
        if not set(names.split("|")) & set(columns):
            cure = f"add it; the columns are {', '.join(columns)}"
            raise refuse(place, names.replace("|", " or "), f"this column is missing; {cure}")


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise refuse(shown(file), "", f"the file cannot be read ({error}); save it as text in UTF-8") from None


def _read_rows(tree: Tree, path: Path_, key_columns: tuple[str, ...], file: Path) -> None:
    for place, row in _rows(file, key_columns):
        for column in key_columns:
            if column not in row:
                raise refuse(place, column, "this cell is empty; a row needs its name")
        here = (*path, "-".join(row[column] for column in key_columns))
        if here in tree.places:
            raise refuse(place, ".".join(here), f"this row is already given at {tree.places[here]}; keep one")
        tree.put(here, {}, place)
        for key, cell in row.items():
            if key not in ("name", "bus") or key_columns != (key,):
                tree.put((*here, key), cell, place)


def _read_profiles(tree: Tree, file: Path) -> None:
    hours: set[str] = set()
    for place, row in _rows(file, ("|".join(_PERIOD_COLUMNS),)):
        period = next((column for column in _PERIOD_COLUMNS if column in row), _PERIOD_COLUMNS[0])
        hour = row.pop(period, "")
        if not (hour.isdigit() and hour[0] != "0"):
            raise refuse(place, period, f"{hour!r} is not the number of an hour (period); they count from 1")
        if hour in hours:
            raise refuse(place, period, f"{period} {hour} is given twice; keep one row")
        hours.add(hour)
        for name, cell in row.items():
            tree.put((*PROFILES, name, hour), cell, place)


def _resolve_behaviours(tree: Tree, folder: Path) -> None:
    """Make `path.py:Class` a path that holds from anywhere: it is meant from the file that names it."""
    for section in ("prosumers", "prosumer_defaults"):
        level = tree.values.get(section)
        rows: list[Any] = list(level.values()) if section == "prosumers" and isinstance(level, dict) else [level]
        for row in rows:
            named = row.get("behaviour") if isinstance(row, dict) else None
            if isinstance(named, str) and ".py:" in named:
                path, _, cls = named.rpartition(":")
                row["behaviour"] = f"{(folder / path).resolve()}:{cls}"
