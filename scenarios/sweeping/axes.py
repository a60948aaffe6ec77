"""What is swept: keys of a scenario with the values that each is to take, and every combination of them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

from ..errors import refuse
from ..files.tree import Change
from ..files.yaml_file import read_value

_OPEN, _CLOSE, _QUOTES = "[{(", "]})", "'\""


@dataclass(frozen=True, slots=True)
class Axis:
    """A key and the values that it is to take.

    Attributes:
        key: The key, dotted, as `--set` has it.
        values: The values as a file would have them, ready for JSON.
        texts: How each is written in tables.
    """

    key: str
    values: tuple[Any, ...]
    texts: tuple[str, ...]

    @classmethod
    def of(cls, key: str, values: Sequence[object]) -> Axis:
        """An axis with values from Python: numbers, text, None, lists, arrays.

        Raises:
            ScenarioError: There is no value, or one is there twice, or it is no list of them.
        """
        if isinstance(values, str) or not isinstance(values, Iterable):
            raise refuse(key, "", f"{values!r} is no list of values; write [{values!r}, ...]")
        plain = tuple(json.loads(json.dumps(value, default=_as_list)) for value in values)
        texts = tuple(value if isinstance(value, str) else json.dumps(value) for value in plain)
        return cls(key, plain, texts)._checked()

    @classmethod
    def read(cls, key: str, text: str, place: str) -> Axis:
        """An axis as the command line has it: "1,2,3"; a list in brackets is one value.

        Raises:
            ScenarioError: A value is missing, is there twice, or is not as a file would have it.
        """
        texts = split(text)
        if not all(texts):
            raise refuse(place, "", "a value is missing between commas; write it, or take a comma out")
        values = tuple(read_value(one, f"--set {key}={one}", key) for one in texts)
        return cls(key, values, tuple(texts))._checked()

    def _checked(self) -> Axis:
        if not self.texts:
            raise refuse(self.key, "", "there is no value to sweep; name one at least")
        twice = next((text for text in self.texts if self.texts.count(text) > 1), None)
        if twice is not None:
            raise refuse(self.key, "", f"the value {twice} is given twice; leave one out")
        return self

    def change(self, k: int) -> Change:
        """What the k-th value changes in the scenario."""
        return Change(self.key, self.values[k], f"--set {self.key}={self.texts[k]}")


def split(text: str) -> list[str]:
    """Values between commas; commas within brackets or quotes are part of a value."""
    values, depth, quote = [""], 0, ""
    for letter in text:
        if quote:
            quote = "" if letter == quote else quote
        elif letter in _QUOTES:
            quote = letter
        else:
            depth += (letter in _OPEN) - (letter in _CLOSE)
        if letter == "," and depth == 0 and not quote:
            values.append("")
        else:
            values[-1] += letter
    return [value.strip() for value in values]


def combinations(axes: Sequence[Axis]) -> list[tuple[int, ...]]:
    """Every combination of values, by their places; those of the last axis change first."""
    return list(product(*(range(len(axis.values)) for axis in axes)))


def axes_of(values: Mapping[str, Sequence[object]]) -> list[Axis]:
    """Axes from Python: values by key."""
    return [Axis.of(key, given) for key, given in values.items()]


def _as_list(value: Any) -> Any:
    """Arrays, series and their numbers as JSON knows them."""
    return value.tolist()
