"""The JSON Schema of devices: the parameters of each kind that comes with gridbazaar."""

import ast
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from .device_table import ABOUT
from .devices import OWN
from .trips import JOBS, SCHEMAS, TRIPS

_NUMBER: dict[str, Any] = {"type": "number"}
_SERIES: dict[str, Any] = {
    "description": "a number; one for each period; a profile; or a profile times its peak",
    "anyOf": [
        _NUMBER,
        {"type": "array", "items": _NUMBER},
        {"type": "string"},
        {
            "type": "object",
            "properties": {"profile": {"type": "string"}, "peak": _NUMBER},
            "required": ["profile"],
            "additionalProperties": False,
        },
    ],
}
_ABOUT: dict[str, Any] = {
    "prosumer": {"type": "string", "description": "whose: a name, or a pattern such as h*; all by default"},
    "share": {"type": "number", "description": "the part of these that has one, drawn with the seed; 1"},
    "seed": {"type": "integer"},
    "name": {"type": "string", "description": "what it is called; the key of the row by default"},
}
assert set(_ABOUT) == set(ABOUT)


def device_schema(row: dict[str, Any]) -> dict[str, Any]:
    """The schema of a device, given that of its row: what stands beside its kind follows from the kind."""
    return _device(row, {})


def table_schema(row: dict[str, Any]) -> dict[str, Any]:
    """The schema of the section `devices`: a CSV file, or rows that also say whose their device is."""
    return {
        "description": "devices of prosumers: one's own, or for all whose names match, or for a share of them",
        "anyOf": [
            {"type": "string", "description": "a CSV file beside the scenario"},
            {"type": "object", "additionalProperties": {"anyOf": [_device(row, _ABOUT), {"type": "null"}]}},
        ],
    }


def _device(row: dict[str, Any], beside: dict[str, Any]) -> dict[str, Any]:
    kind = row["properties"]["kind"]
    return {
        "type": "object",
        "description": row["description"],
        "properties": {"kind": kind, **beside},
        "allOf": [
            {
                "if": {"properties": {"kind": {"const": name}}, "required": ["kind"]},
                "then": {
                    "properties": {"kind": kind, **beside, **_parameters(where)},
                    "additionalProperties": False,
                },
            }
            for name, where in OWN.items()
        ],
    }


_BY_ANNOTATION: dict[str, dict[str, Any]] = {
    "float": _NUMBER,
    "float | None": {"type": ["number", "null"]},
    "bool": {"type": "boolean"},
    "Series": _SERIES,
    "tuple[Trip, ...]": {"type": "array", "items": SCHEMAS[TRIPS]},
    "tuple[Job, ...] | None": {"type": "array", "items": SCHEMAS[JOBS]},
}
"""What annotations of parameters are in a file."""


def _parameters(where: str) -> dict[str, Any]:
    """The schema of each parameter of a class."""
    return {key: _BY_ANNOTATION[annotation] for key, annotation in annotations(where).items() if key != "name"}


def annotations(where: str) -> dict[str, str]:
    """The annotation of each field of a dataclass, `module:Class`, with those that it inherits from another of `OWN`.

    They are read from its source: who asks for a schema need not wait for numpy.
    """
    module, _, name = where.partition(":")
    spec = find_spec(module)
    assert spec is not None
    assert spec.origin is not None
    tree = ast.parse(Path(spec.origin).read_text(encoding="utf-8"))
    made = next(node for node in tree.body if isinstance(node, ast.ClassDef) and node.name == name)
    found: dict[str, str] = {}
    for base in made.bases:
        for other in OWN.values():
            if other.endswith(f":{ast.unparse(base)}"):
                found |= annotations(other)
    return found | dict(_fields(made))


def _fields(made: ast.ClassDef) -> Iterator[tuple[str, str]]:
    for node in made.body:
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            annotation = ast.unparse(node.annotation)
            if not annotation.startswith("ClassVar"):
                yield node.target.id, annotation
