"""The JSON Schema of a scenario file: editors complete and check YAML with it."""

from typing import Any

from .scenario import Scenario
from .source import PROFILES, TABLES


def file_schema() -> dict[str, Any]:
    """The schema of what a file may say: as `Scenario`, and a base, file names for tables, and prosumer defaults."""
    schema = Scenario.model_json_schema(by_alias=True)
    rows = schema["$defs"]
    for path in (PROFILES, *TABLES):
        owner = schema if len(path) == 1 else rows["FeederRow"]
        table = owner["properties"][path[-1]]
        named = {"type": "string", "description": "a CSV file beside the scenario"}
        owner["properties"][path[-1]] = {"anyOf": [named, table]}
    schema["properties"]["base"] = {"type": "string", "description": "the scenario that this one changes"}
    schema["properties"]["prosumer_defaults"] = {**rows["ProsumerRow"], "required": []}
    for part in (schema, *rows.values()):  # a scenario with a base states only what it changes
        part.pop("required", None)
    return schema
