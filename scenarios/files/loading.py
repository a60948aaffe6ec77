"""From a name or a file to a scenario.

scenario = load("ieee33", {"market.case": 1})
market = scenario.market()
"""

import reprlib
import warnings
from collections.abc import Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING

from ..errors import Problem, ScenarioError, refuse
from .device_table import apply_devices
from .groups import apply_groups
from .source import find, read
from .timed_table import tells_time
from .tree import TABLES, Change, Tree, did_you_mean
from .yaml_file import Path_

if TYPE_CHECKING:
    from .scenario import Scenario


def load(name: str, changes: Mapping[str, object] | Sequence[Change] = ()) -> "Scenario":
    """A scenario by name or file, with some of its values changed.

    Args:
        name: One that comes with gridbazaar ("ieee33"), or the path of a YAML file.
        changes: Values by dotted key, such as {"prosumers.p2.elastic_max_kw": 500}; None takes a row out.

    Raises:
        ScenarioError: A file, key or value is wrong.
    """
    tree = read(find(name))
    stated = _change(tree, changes)
    tree.translate()
    _apply_defaults(tree)
    return _validated(tree, stated)


def vary(scenario: "Scenario", changes: Mapping[str, object] | Sequence[Change]) -> "Scenario":
    """The same scenario with some of its values changed, as `load` takes them.

    Raises:
        ScenarioError: A key or value is wrong.
    """
    before = scenario._tree
    tree = Tree(scenario.model_dump(mode="json", by_alias=True), dict(before.places), dict(before.hours))
    tree.calendar, tree.notes = before.calendar, list(before.notes)
    for table in TABLES:
        for row in _rows(tree, table):
            tree.places.setdefault((*table, row), "")
    stated = _change(tree, changes)
    tree.translate()
    return _validated(tree, stated)


def _rows(tree: Tree, table: Path_) -> Sequence[str]:
    level = tree.values
    for key in table:
        level = level.get(key) or {}
    return list(level)


def _change(tree: Tree, changes: Mapping[str, object] | Sequence[Change]) -> set[str]:
    """Change values of a tree; the places of the changes."""
    if isinstance(changes, Mapping):
        changes = [Change(key, value, f"changes {key}={_brief(value)}") for key, value in changes.items()]
    of_profiles = [change for change in changes if change.key.strip().startswith("profiles.")]
    for change in changes:
        if change not in of_profiles:
            tree.change(change)
    _set_periods(tree)
    for change in of_profiles:  # they count the periods that there are now
        tree.change(change)
    return {change.place for change in changes}


def _set_periods(tree: Tree) -> None:
    """Say when the periods are, if anything tells; that needs numpy, which no other scenario should wait for."""
    tree.calendar = None
    if tells_time(tree.values):
        from .timing import set_periods

        try:
            set_periods(tree)
        except ScenarioError:
            _check_keys(tree)  # it may be about what a key was to say that is misspelt
            raise


def _check_keys(tree: Tree) -> None:
    """See that a scenario has no keys that there are not.

    Raises:
        ScenarioError: It has.
    """
    from .problems import known_keys
    from .scenario import Scenario

    known = known_keys(Scenario, ())
    wrong = [key for key in tree.values if key not in known]
    if wrong:
        sentences = ((key, f"unknown key{did_you_mean(key, known)}") for key in wrong)
        raise ScenarioError([Problem(tree.place((key,)), key, sentence) for key, sentence in sentences])


def _validated(tree: Tree, stated: set[str]) -> "Scenario":
    """The scenario of a tree, with its groups and devices; what is wrong with these is told beside all else.

    Args:
        tree: The scenario.
        stated: Places of changes from outside.
    """
    from pydantic import ValidationError

    from ...market.settings import RenamedWarning
    from .problems import problems
    from .scenario import Scenario

    wrong: list[Problem] = []
    for give in (partial(apply_groups, stated=stated), apply_devices):
        try:
            give(tree)
        except ScenarioError as error:
            wrong += error.problems
    try:
        with warnings.catch_warnings(record=True) as notes:
            warnings.simplefilter("always", RenamedWarning)
            scenario = Scenario.model_validate(tree.values)
    except ValidationError as error:
        raise ScenarioError([*problems(Scenario, tree, error.errors()), *wrong]) from None
    if wrong:
        raise ScenarioError(wrong)
    for note in notes:
        warnings.warn(_placed(note, tree), note.category, stacklevel=3)
    scenario._tree = tree
    return scenario


def _placed(note: warnings.WarningMessage, tree: Tree) -> str:
    """A note on a value, "key: sentence", with the place where that is written."""
    key, colon, _ = str(note.message).partition(":")
    place = tree.places.get(tuple(key.split("."))) if colon else None
    return f"{place} {note.message}" if place else str(note.message)


def _brief(value: object) -> str:
    """A changed value as messages name it: of an array the first few numbers."""
    many = value.tolist() if hasattr(value, "tolist") else value
    return reprlib.repr(list(many)) if isinstance(many, list | tuple) else str(value)


def _apply_defaults(tree: Tree) -> None:
    """Give every prosumer the `prosumer_defaults` that it does not state itself."""
    defaults = tree.values.pop("prosumer_defaults", None)
    rows = tree.values.get("prosumers")
    if not isinstance(defaults, dict | None):
        sentence = "these are defaults by key; write `key: value` lines below it"
        raise refuse(tree.place(("prosumer_defaults",)), "prosumer_defaults", sentence)
    if not defaults or not isinstance(rows, dict):
        return
    for name, row in rows.items():
        for key, value in defaults.items():
            if isinstance(row, dict) and key not in row:
                tree.put(("prosumers", name, key), value, tree.place(("prosumer_defaults", key)))
