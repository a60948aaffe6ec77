"""The JSON Schema of devices: the parameters of each kind that comes with gridbazaar."""

from importlib import import_module
from typing import Any

from .device_table import ABOUT
from .device_values import has_trips, is_series
from .devices import OWN
from .parameters import parameters_of
from .trips import TRIP_SCHEMA

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


def _parameters(where: str) -> dict[str, Any]:
    """The schema of each parameter of a class."""
    module, _, name = where.partition(":")
    made = getattr(import_module(module), name)
    known = parameters_of(made)
    return {key: _parameter(annotation) for key, (annotation, _) in known.items() if key != "name"}


def _parameter(annotation: Any) -> dict[str, Any]:
    from pydantic import TypeAdapter

    if is_series(annotation):
        return _SERIES
    if has_trips(annotation):
        return {"type": "array", "items": TRIP_SCHEMA}
    return TypeAdapter(annotation).json_schema()
