"""What a room offers, imported when it is asked for: neither help nor a refusal should wait for numpy or mesa."""

import sys
from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any


def offered(room: str, homes: Mapping[str, str]) -> tuple[Callable[[str], Any], Callable[[], list[str]]]:
    """`__getattr__` and `__dir__` of a room's `__init__`.

    Args:
        room: Its `__name__`.
        homes: Which module of the room each name that it offers comes from.
    """

    def get(name: str) -> Any:
        if name in homes:
            return getattr(import_module(f".{homes[name]}", room), name)
        raise AttributeError(f"module {room} has no attribute {name}")

    return get, lambda: [*vars(sys.modules[room]), *homes]
