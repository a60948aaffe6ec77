"""The JSON Schema of a scenario file: editors complete and check YAML with it."""

from typing import Any

from .device_schema import device_schema, table_schema
from .headings import other_headings, row_type
from .import_row import ImportRow
from .scenario import Scenario
from .timed_table import FILLS
from .tree import PROFILES, TABLES

_TIMES: dict[str, Any] = {
    "step": {
        "type": "string",
        "description": "length of a period with its unit, such as 15min: another way to say dt_h",
    },
    "fill": {"enum": list(FILLS), "description": "how values that are missing in a table with times are filled"},
    "window": {
        "type": "object",
        "description": "the part of the data that is run; its days are local ones",
        "properties": {
            "from": {"type": "string", "description": "beginning of its first period, ISO 8601; that of the data"},
            "until": {"type": "string", "description": "end of its last period, ISO 8601; that of the data"},
            "days": {"type": "integer", "description": "instead of until"},
        },
        "additionalProperties": False,
    },
}
"""What a file may say of time that a scenario no longer says, once it is known when its periods are."""


def file_schema() -> dict[str, Any]:
    """The schema of what a file may say: as `Scenario`, and a base, file names for tables, and prosumer defaults."""
    schema = Scenario.model_json_schema(by_alias=True)
    rows = schema["$defs"]
    for path in (PROFILES, *TABLES):
        owner = schema if len(path) == 1 else rows["FeederRow"]
        table = owner["properties"][path[-1]]
        kind = "a CSV or Parquet file" if path == PROFILES else "a CSV file"
        named = {"type": "string", "description": f"{kind} beside the scenario"}
        owner["properties"][path[-1]] = {"anyOf": [named, table]}
    for path in TABLES:
        others = {heading: {"description": meaning} for heading, meaning in other_headings(path).items()}
        rows[row_type(path).__name__]["properties"] |= others
    schema["properties"]["base"] = {"type": "string", "description": "the scenario that this one changes"}
    imported = ImportRow.model_json_schema()
    rows |= imported.pop("$defs")
    schema["properties"]["import"] = imported
    schema["properties"]["prosumer_defaults"] = {**rows["ProsumerRow"], "required": []}
    schema["properties"] |= _TIMES
    _loosen(schema)
    row = rows["ProsumerRow"]["properties"]
    written: dict[str, Any] = {
        "type": "object",
        "required": ["name"],
        "description": "its name, and its parameters beside it",
    }
    row["behaviour"] = {"anyOf": [row["behaviour"], written]}
    group = {"prosumers": {"type": "string"}, "share": {"type": "number"}, "seed": {"type": "integer"}}
    schema["properties"]["behaviours"] = {
        "type": "object",
        "description": "groups of prosumers that act alike: by a pattern of names, a share of them, and a seed",
        "additionalProperties": {"type": "object", "properties": {**group, "behaviour": row["behaviour"]}},
    }
    schema["properties"]["devices"] = table_schema(rows["DeviceRow"])
    rows["DeviceRow"] = device_schema(rows["DeviceRow"])
    for part in (schema, *rows.values()):  # a scenario with a base states only what it changes
        part.pop("required", None)
    return schema


def _loosen(part: Any) -> None:
    """What a file may write otherwise: names as numbers, `null` for a row that is taken out, profiles as lists."""
    if isinstance(part, list):
        for below in part:
            _loosen(below)
    elif isinstance(part, dict):
        for below in part.values():
            _loosen(below)
        if part.get("type") == "string" and "enum" not in part:
            part["type"] = ["string", "number"]
        if part.get("type") == "object" and isinstance(part.get("additionalProperties"), dict):
            numbers = {"type": "array", "items": {"type": "number"}}
            part["additionalProperties"] = {"anyOf": [part["additionalProperties"], numbers, {"type": "null"}]}
