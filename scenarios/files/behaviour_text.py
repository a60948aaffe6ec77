"""How a behaviour is written: a name with parameters, `Shading(percent=5)` or `{name: Shading, percent: 5}`."""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from .text import beside

_IN_FILE = re.compile(r"(?P<file>.*?\.py):(?P<rest>.*)", re.DOTALL)
_WITH_PARAMETERS = re.compile(r"(?P<name>(?:.*?\.py:)?[^(]*)(?P<parameters>\(.*)?", re.DOTALL)
_TAKES_PRICES = ("price_taker", "PriceTaker")


def takes_prices(text: str) -> bool:
    """Whether it is the default behaviour, which needs no object of its own."""
    return text in _TAKES_PRICES


def as_text(value: Any) -> Any:
    """A behaviour as one text: of a mapping its name with parameters; anything else as it is."""
    if not (isinstance(value, Mapping) and isinstance(value.get("name"), str)):
        return value
    given = {key: part for key, part in value.items() if key != "name"}
    return with_parameters(value["name"], given)


def with_parameters(text: str, given: Mapping[str, Any]) -> str:
    """The same behaviour with more parameters.

    Raises:
        ValueError: The text is no name with parameters.
    """
    name, known = parsed(text)
    told = {**known, **{key: _number(part) for key, part in given.items()}}
    return f"{name}({', '.join(f'{key}={part!r}' for key, part in told.items())})" if told else name


def parsed(text: str) -> tuple[str, dict[str, Any]]:
    """The name and the parameters of a text.

    Raises:
        ValueError: It is no name with parameters.
    """
    found = _WITH_PARAMETERS.fullmatch(text)
    assert found is not None
    name, parameters = found["name"], found["parameters"]
    if not parameters:
        return text, {}
    try:
        call = ast.parse(f"behaviour{parameters}", mode="eval").body
        assert isinstance(call, ast.Call)
        assert isinstance(call.func, ast.Name)
        given = {str(part.arg): ast.literal_eval(part.value) for part in call.keywords}
        assert not call.args
        assert None not in {part.arg for part in call.keywords}
        assert len(given) == len(call.keywords)
    except (SyntaxError, ValueError, AssertionError):
        sentence = "is no behaviour with parameters; write it like Shading(percent=5), what is text in quotes"
        raise ValueError(f"{text!r} {sentence}") from None
    return name.strip(), given


def absolute(value: Any, folder: Path) -> Any:
    """A behaviour of `path.py:Class` with the whole path, meant from this folder; others as they are."""
    if isinstance(value, Mapping) and "name" in value:
        return {**value, "name": absolute(value["name"], folder)}
    found = _IN_FILE.fullmatch(value) if isinstance(value, str) else None
    return f"{beside(folder, found['file']).resolve()}:{found['rest']}" if found else value


def _number(value: Any) -> Any:
    """A parameter as files write it: text that is a number is one."""
    if isinstance(value, str):
        try:
            return ast.literal_eval(value)
        except (SyntaxError, ValueError):
            return value
    return value
