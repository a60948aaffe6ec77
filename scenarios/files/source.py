"""A scenario's YAML file, its base and its CSV tables as one tree of values that knows where each was written."""

import re
from importlib.metadata import entry_points
from pathlib import Path

from ..errors import Problem, ScenarioError, refuse
from .class_paths import resolve_classes
from .csv_file import COUNTER, TableRow, counts_as, read_rows
from .step_text import step_h
from .text import beside, shown
from .timed_table import PERIOD_COLUMNS, rows_of, timed_columns
from .tree import ALL_TABLES, PROFILES, Tree, by_period, leaves, value_at
from .yaml_file import Path_, read_yaml

_BUS = ("bus",)
_SHIPPED = Path(__file__).parent.parent


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
    for table in ALL_TABLES:
        if _whole_table(own, table):
            tree.clear(table)
    for profile in value_at(own, PROFILES) or ():
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
    for path, key_columns in ALL_TABLES.items():
        named = value_at(tree, path)
        if isinstance(named, str):
            tree.put(path, {}, tree.place(path))
            _read_rows(tree, path, key_columns, _table_file(tree, path, folder, named))
            tree.places[(*path, "")] = "whole"
    named = value_at(tree, PROFILES)
    if isinstance(named, str):
        tree.put(PROFILES, {}, tree.place(PROFILES))
        _read_profiles(tree, _table_file(tree, PROFILES, folder, named))
    profiles = value_at(tree, PROFILES)
    if isinstance(profiles, dict):
        profiles.update({name: by_period(profile) for name, profile in profiles.items()})


def _whole_table(tree: Tree, path: Path_) -> bool:
    """Whether the tree names a file for this table, which then replaces the base's table as a whole."""
    return tree.places.pop((*path, ""), "") == "whole"


def _table_file(tree: Tree, path: Path_, folder: Path, named: str) -> Path:
    file = beside(folder, named)
    if not file.is_file():
        what = f"{shown(file)} is a folder" if file.is_dir() else f"there is no file {shown(file)}"
        cure = "name a CSV file beside the scenario, or write the table here"
        raise refuse(tree.place(path), ".".join(path), f"{what}; {cure}")
    return file


def _read_rows(tree: Tree, path: Path_, key_columns: tuple[str, ...], file: Path) -> None:
    counter = COUNTER
    if key_columns == _BUS and counts_as(file, *_BUS):
        (counter,) = _BUS  # pandapower's lines and loads name buses by it
        said = "the first column, which has no heading, is taken for the names of the buses; write bus above it"
        tree.notes.append(Problem(shown(file), ".".join(path), said))
    for row in read_rows(file, key_columns, counter=counter):
        for column in key_columns:
            if not row.cells[column]:
                raise refuse(row.place, column, "this cell is empty; a row needs its name")
        here = (*path, "-".join(row.cells[column] for column in key_columns))
        if here in tree.places:
            pairs = ", or rename an end if these are two pairs" if len(key_columns) > 1 else ""
            said = f"this row is already given at {tree.places[here]}; keep one{pairs}"
            raise refuse(row.place, ".".join(here), said)
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
    empty = [path for path, cell in leaves(value_at(tree, PROFILES), PROFILES) if cell == ""]
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
