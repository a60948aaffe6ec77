"""The table of devices: rows for one prosumer, or for all whose names match, or for a share of these."""

from __future__ import annotations

from typing import Any

from ..errors import Problem, ScenarioError, refuse
from .groups import drawn
from .tree import DEVICES, Tree, did_you_mean

ABOUT = ("prosumer", "share", "seed", "name")
"""What a row says that is no parameter of its device."""


def apply_devices(tree: Tree) -> None:
    """Give prosumers the devices of the table, which is taken out of the tree.

    What a prosumer says itself of a device of that name goes before the table, value by value; `null` takes it out.

    Raises:
        ScenarioError: A row is not written right or names nobody, or a device is given twice, or is none.
    """
    rows = tree.values.pop(DEVICES[0], None)
    wrong: list[Problem] = []
    if not isinstance(rows, dict | None):
        sentence = "these are devices by name; write `batteries: {prosumer: 'h*', kind: battery, ...}` lines below it"
        wrong, rows = [Problem(tree.place(DEVICES), DEVICES[0], sentence)], None
    given: dict[tuple[str, str], str] = {}
    for name, row in (rows or {}).items():
        try:
            if row is not None:
                _apply(tree, name, row, given)
        except ScenarioError as error:
            wrong += error.problems
    prosumers = tree.values.get("prosumers")
    for prosumer, row in prosumers.items() if isinstance(prosumers, dict) else ():
        if isinstance(row, dict) and isinstance(row.get("devices"), dict):
            wrong += _without_kind(tree, prosumer, row["devices"])
    if wrong:
        raise ScenarioError(wrong)


def _apply(tree: Tree, key: str, row: Any, given: dict[tuple[str, str], str]) -> None:
    """Give the device of a row to those whom it names."""
    path = (*DEVICES, key)
    place = tree.place(path)
    if not isinstance(row, dict):
        raise refuse(place, ".".join(path), "a device needs a kind; write {prosumer: 'h*', kind: battery}")
    name = str(row.get("name", key))
    for prosumer in drawn(tree, path, row, "prosumer"):
        if (prosumer, name) in given:
            sentence = f"{prosumer} has a device {name} already, of {given[prosumer, name]}; give one another name"
            raise refuse(place, ".".join(path), sentence)
        given[prosumer, name] = place or ".".join(path)
        _give(tree, (prosumer, name), row, path)


def _give(tree: Tree, whose: tuple[str, str], row: dict[str, Any], path: tuple[str, ...]) -> None:
    """Write what a row says and the prosumer does not."""
    prosumer, name = whose
    own = tree.values["prosumers"][prosumer]
    devices = own.get("devices", {}) if isinstance(own, dict) else None
    if not isinstance(devices, dict) or (name in devices and not isinstance(devices[name], dict)):
        return  # it has none of that name, or what it has is no device and told of as such
    stated = devices.get(name, {})
    for key, value in row.items():
        if key not in (*ABOUT, *stated):
            tree.put(("prosumers", prosumer, "devices", name, key), value, tree.place((*path, key)))
            if key == "kind":  # the device stands where it is said what it is, whatever else says a value of it
                tree.places["prosumers", prosumer, "devices", name] = tree.place(path)


def _without_kind(tree: Tree, prosumer: str, devices: dict[str, Any]) -> list[Problem]:
    """What has no kind, such as a misspelt name with one value; it is taken out, and what is null as well."""
    wrong: list[Problem] = []
    for name in [name for name, device in devices.items() if device is None]:
        del devices[name]
    for name, device in list(devices.items()):
        if isinstance(device, dict) and device.get("kind") is None:
            del devices[name]
            path = ("prosumers", prosumer, "devices", name)
            cure = did_you_mean(name, devices) or ";"
            sentence = f"there is no device {name} of {prosumer}{cure} to add one, give it a kind"
            wrong.append(Problem(tree.place(path), ".".join(path), sentence))
    return wrong
