"""A new folder, written from templates: a package with a behaviour or a device, or a scenario."""

from __future__ import annotations

import re
from collections.abc import Mapping
from enum import StrEnum
from importlib.util import find_spec
from keyword import iskeyword
from pathlib import Path

from ..errors import UnwrittenError, refuse
from ..files.behaviours import registered_behaviours
from ..files.devices import registered_devices
from ..files.source import shipped_scenarios
from ..files.text import shown


class Kind(StrEnum):
    """What can be begun."""

    BEHAVIOUR = "behaviour"
    DEVICE = "device"
    SCENARIO = "scenario"


_NAME = re.compile(r"[A-Za-z][A-Za-z0-9]*([_-][A-Za-z0-9]+)*")
_TEMPLATES: Mapping[Kind, Mapping[str, str]] = {
    Kind.BEHAVIOUR: {
        "pyproject.toml": "pyproject.toml.j2",
        "README.md": "behaviour.md.j2",
        "{module}.py": "behaviour.py.j2",
        "test_{module}.py": "test_behaviour.py.j2",
    },
    Kind.DEVICE: {
        "pyproject.toml": "pyproject.toml.j2",
        "README.md": "device.md.j2",
        "{module}.py": "device.py.j2",
        "test_{module}.py": "test_device.py.j2",
    },
    Kind.SCENARIO: {
        "{name}.yaml": "scenario.yaml.j2",
        "README.md": "scenario.md.j2",
        **{
            f"{table}.csv": f"{table}.csv.j2"
            for table in ("buses", "lines", "generators", "prosumers", "links", "profiles")
        },
    },
}
"""The files of each kind of folder, and their templates."""
_WORDS: Mapping[Kind, Mapping[str, str]] = {
    Kind.BEHAVIOUR: {"what": "bidding behaviour", "group": "gridbazaar.behaviours"},
    Kind.DEVICE: {"what": "device", "group": "gridbazaar.devices"},
    Kind.SCENARIO: {},
}
"""What the package of each says of itself."""


def write(kind: Kind, name: str, parent: Path) -> Path:
    """Write a new folder of this name.

    Args:
        kind: What is in it.
        name: Its name; that of a behaviour's or device's class and module follow from it.
        parent: Where it is written.

    Raises:
        ScenarioError: The name cannot be used, is taken, or its folder is there already.
        UnwrittenError: It cannot be written.
    """
    place = f"new {kind} {name}"
    if not _NAME.fullmatch(name):
        cure = "write letters, digits, _ and - between them, a letter first, such as mark_up"
        raise refuse(place, "", f"{name!r} cannot be a name; {cure}")
    names = {"name": name, "module": module_name(name), "cls": class_name(name), **_WORDS[kind]}
    names["entry"] = names["module"] if kind is Kind.DEVICE else names["cls"]
    folder = parent / (name if kind is Kind.SCENARIO else names["module"])
    if folder.exists():
        raise refuse(place, "", f"{shown(folder)} is there already; choose another name, or remove it")
    _check_free(kind, names, place)
    try:
        folder.mkdir(parents=True)
        for file, template in _TEMPLATES[kind].items():
            (folder / file.format(**names)).write_text(_rendered(template, names), encoding="utf-8")
    except OSError as error:
        raise UnwrittenError(error) from error
    return folder


def module_name(name: str) -> str:
    """The module of a class: `mark_up` of MarkUp, mark-up and mark_up."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).replace("-", "_").lower()


def class_name(name: str) -> str:
    """The class of a name: `MarkUp` of MarkUp, mark-up and mark_up."""
    return "".join(part[0].upper() + part[1:] for part in re.split(r"[_-]", name))


def _check_free(kind: Kind, names: Mapping[str, str], place: str) -> None:
    """Refuse a name that means something already."""
    if kind is Kind.SCENARIO:
        if names["name"] in shipped_scenarios():
            raise refuse(place, "", f"a scenario called {names['name']} comes with gridbazaar; choose another name")
        return
    registered = registered_devices() if kind is Kind.DEVICE else registered_behaviours()
    known = {class_name(one): where for one, where in registered.items()}
    if names["cls"] in known:
        where, noun = known[names["cls"]], "kind of device" if kind is Kind.DEVICE else "behaviour"
        raise refuse(place, "", f"there is a {noun} {names['entry']} already ({where}); choose another name")
    if iskeyword(names["module"]):
        raise refuse(place, "", f"{names['module']} is a word of Python, which no module can have; choose another name")
    if find_spec(names["module"]) is not None:
        raise refuse(place, "", f"a module called {names['module']} is there already; choose another name")


def _rendered(template: str, names: Mapping[str, str]) -> str:
    """The text of a file."""
    import jinja2

    folder = jinja2.PackageLoader(__package__ or "", "")
    environment = jinja2.Environment(  # noqa: S701  # no page: text files, whose names have been checked
        loader=folder, undefined=jinja2.StrictUndefined, keep_trailing_newline=True
    )
    return environment.get_template(template).render(names)
