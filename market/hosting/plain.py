"""Data as JSON, exactly: numbers, texts, lists, tuples, dicts and arrays of numbers come back as they were.

What is read from a file can be nothing else, so that reading it is safe whoever wrote it.
"""

from typing import Any

import numpy as np

from ...network.errors import InputError

_EXACT = [np.dtype(kind) for kind in ("?", "f8", "f4", "f2", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8")]
"""Kinds of numbers that JSON can write to the last bit."""


class UnsavedError(InputError):
    """Prosumers cannot be saved, which costs time when they are needed once more, and nothing else."""


class NotPlainError(UnsavedError):
    """Something remembered is neither number, text, list, tuple, dict nor array of numbers.

    Attributes:
        where: Whose it is.
        kind: Its type.
    """

    def __init__(self, where: str, kind: str) -> None:
        super().__init__(where, kind)
        self.where, self.kind = where, kind

    def __str__(self) -> str:
        return f"{self.where} remembers a {self.kind}, which cannot be kept; leave it out in saved_state()"


def to_plain(value: Any, where: str, seen: set[int] | None = None) -> Any:
    """The value as JSON has it.

    Args:
        value: The value.
        where: Whose it is.
        seen: Ids of the lists, dicts and arrays that have been met: what is in two places would come back as two.

    Raises:
        NotPlainError: It cannot be.
    """
    seen = set() if seen is None else seen
    if isinstance(value, list | dict | np.ndarray):
        if id(value) in seen:
            raise NotPlainError(where, f"{type(value).__name__} that is in two places")
        seen.add(id(value))
    if value is None or type(value) in {bool, int, float, str}:
        return value
    if (type(value) is np.ndarray or isinstance(value, np.generic)) and value.dtype in _EXACT:
        kind = "array" if isinstance(value, np.ndarray) else "scalar"
        return {kind: [_exact(value), value.dtype.str, list(value.shape)]}
    if type(value) is list:
        return [to_plain(part, where, seen) for part in value]
    if type(value) is tuple:
        return {"tuple": [to_plain(part, where, seen) for part in value]}
    if type(value) is dict:
        return {"dict": [[to_plain(key, where, seen), to_plain(part, where, seen)] for key, part in value.items()]}
    raise NotPlainError(where, type(value).__name__)


def from_plain(kept: Any) -> Any:
    """The value that was made plain."""
    if isinstance(kept, list):
        return [from_plain(part) for part in kept]
    if not isinstance(kept, dict):
        return kept
    kind, parts = next(iter(kept.items()))
    if kind == "tuple":
        return tuple(from_plain(part) for part in parts)
    if kind == "dict":
        return {from_plain(key): from_plain(part) for key, part in parts}
    values, dtype, shape = parts
    array = np.array(values, dtype=dtype).reshape(shape)
    return array if kind == "array" else array[()]


def _exact(value: Any) -> list[Any]:
    """The numbers of an array; JSON writes floats so that they are read back to the last bit."""
    values: list[Any] = np.ravel(value).tolist()
    return values
