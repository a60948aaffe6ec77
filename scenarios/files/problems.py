"""What pydantic finds wrong with a scenario, told like all other problems: file, line, key, what is wrong, the cure."""

import re
import reprlib
from collections.abc import Callable, Sequence
from types import UnionType
from typing import Any

from ..errors import Problem
from .schema import NUMBER, Row
from .tree import Tree, did_you_mean
from .yaml_file import Path_

_SAME = {
    "float_parsing": "number",
    "float_type": "number",
    "int_type": "number",
    "bool_type": "bool_parsing",
    "literal_error": "enum",
}
"""What pydantic tells apart and a person does not."""
UNKNOWN = ("extra_forbidden", "unexpected_keyword_argument")
"""What pydantic calls a key that nobody knows, of a model and of a dataclass."""
_FILE_KEYS = ("base", "import", "prosumer_defaults", "behaviours", "devices", "step", "fill", "window")
"""What a file may say beside the keys of a scenario."""
_SENTENCES = {
    "missing": "this value is missing; add it",
    "profile": "{input} is one value where one for every hour is needed; write a list of them",
    "dict_type": "{input} is one value where a table is needed; write rows (name: values), or name a CSV file",
    "model_type": "{input} is one value where keys and values are needed; write `key: value` lines below it",
    "finite_number": "{input} is not a finite number; write one",
    "string_type": "{input} is not text; put it in quotes",
    "number": "{input} is not a number; write a plain number, in the unit that the key names",
    "decimal_comma": "{input} is not a number; write it with a decimal point",
    "int_parsing": "{input} is not a whole number; write one",
    "int_from_float": "{input} is not a whole number; write one",
    "bool_parsing": "{input} is neither true nor false; write one of them",
    "enum": "{input} is not known; write one of {expected}",
    "string_pattern_mismatch": "{input} is not known; it must match {pattern}",
    "greater_than": "{input} is not above {gt:g}; give a value above it",
    "greater_than_equal": "{input} is below {ge:g}; give at least that",
    "less_than": "{input} is not below {lt:g}; is it in the unit that the key names?",
    "less_than_equal": "{input} is above {le:g}; is it in the unit that the key names?",
    "value_error": "{error}",
}


def problems(model: type[Row], tree: Tree, details: Sequence[Any]) -> list[Problem]:
    """Pydantic's findings as problems; what one wrong column does to every row of a file is said once.

    Args:
        model: What was to be made of the tree.
        tree: What the files say.
        details: The findings.
    """
    misspelt = {detail["loc"][:-1] for detail in details if detail["type"] == "extra_forbidden"}
    told: dict[tuple[str, str, str], Problem] = {}
    for detail in details:
        if detail["type"] != "missing" or detail["loc"][:-1] not in misspelt:
            problem = _problem(model, tree, detail)
            last = detail.get("ctx", {}).get("row", detail["loc"][-1:])
            place, key = problem.place, problem.key if "profiles" in detail["loc"] else str(last)
            if detail["type"] in ("missing", "extra_forbidden"):
                place = place.rpartition(":")[0] or place
            told.setdefault((place, key, problem.sentence), problem)
    return list(told.values())


def _problem(model: type[Row], tree: Tree, detail: Any) -> Problem:
    """One of pydantic's findings, told like all other problems."""
    path = tuple(str(part) for part in detail["loc"] if part != "[key]")
    context = detail.get("ctx", {})
    path = (*path, context["row"]) if "row" in context else path
    sentence, kind = told(detail, lambda: known_keys(model, path[:-1]), path)
    return tree.problem(path, sentence, kind)


def told(detail: Any, known: Callable[[], Sequence[str]], path: Path_ = ("",)) -> tuple[str, str]:
    """One of pydantic's findings as a sentence, and its kind.

    Args:
        detail: The finding.
        known: The keys that could stand where it is.
        path: Where it is in the scenario.
    """
    context, value = detail.get("ctx", {}), detail["input"]
    kind = _SAME.get(detail["type"], detail["type"])
    if kind == "dict_type" and path[:1] == ("profiles",) and len(path) == 2:
        kind = "profile"
    if kind in UNKNOWN:
        key = str(detail["loc"][-1])
        comma = key.isdigit() and value is None  # what is left of {cap_kw: 0,5}
        sentence = f"unknown key{'; write decimals with a point' if comma else did_you_mean(key, known())}"
    elif value is None:
        sentence = "nothing stands here; write a value, or take the key out"
    elif kind in _SENTENCES:
        kind = "decimal_comma" if kind == "number" and re.fullmatch(r"[-+]?\d*,\d+", str(value)) else kind
        sentence = _SENTENCES[kind].format(input=_shown(value), **context)
    else:
        sentence = f"{detail['msg']}; it is {_shown(value)}"
    return sentence, kind


_LONG = 60


def _shown(value: object) -> str:
    """A wrong value as it was written, cut where it is long."""
    if isinstance(value, str) and not NUMBER.fullmatch(value):
        return repr(value if len(value) <= _LONG else f"{value[:_LONG]}...")
    if isinstance(value, list):
        return "a list"
    return str(value) if isinstance(value, str | int | float) else reprlib.repr(value)


def _is_row(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, Row)


def known_keys(scenario: type[Row], path: Path_) -> Sequence[str]:
    """The keys that the schema knows at a place."""
    model: Any = scenario
    for part in path:
        if _is_row(model):
            model = next(f.annotation for name, f in model.model_fields.items() if part in (name, f.alias))
            if isinstance(model, UnionType):  # a row, or None
                model = next((one for one in model.__args__ if _is_row(one)), model)
        else:
            model = model.__args__[1]  # a table: dict[name, row]
    keys = [f.alias or name for name, f in model.model_fields.items()]
    return [*keys, *_FILE_KEYS] if model is scenario else keys
