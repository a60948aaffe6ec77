"""Imports when they are needed: neither help nor a refusal should wait for numpy, nor a run for what it never uses."""

import sys
from collections.abc import Callable, Mapping
from importlib import import_module
from importlib.machinery import PathFinder
from importlib.util import find_spec, module_from_spec
from types import ModuleType
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


class _Later(ModuleType):
    """A module that is executed when anything is asked of it that an empty one has not."""

    def __getattr__(self, name: str) -> Any:
        spec = self.__spec__
        assert spec is not None
        assert spec.loader is not None
        self.__class__ = ModuleType  # type: ignore[assignment]  # from here on it is like any other
        if spec.submodule_search_locations is not None:
            self.__path__ = spec.submodule_search_locations
        spec.loader.exec_module(self)
        return getattr(self, name)


def import_later(name: str) -> None:
    """Let a library's module be imported when it is first used, by whomever, not when it is first named.

    For heavy modules that a library imports for uses that may never come. Nothing to do where it is imported already,
    or not installed.
    """
    package, _, _ = name.rpartition(".")
    if name in sys.modules:
        return
    above = find_spec(package) if package else None
    spec = PathFinder.find_spec(name, above.submodule_search_locations if above else None)
    if spec is None:
        return
    module = module_from_spec(spec)
    vars(module).pop("__path__", None)  # which an import of what lies below it asks for
    module.__class__ = _Later
    sys.modules[name] = module
