"""Classes by name: registered by an installed package, `module:Class`, or `path.py:Class`."""

import importlib
import importlib.util
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from importlib.machinery import SourceFileLoader
from pathlib import Path
from types import ModuleType
from typing import Any

from ..errors import refuse
from .tree import did_you_mean


@dataclass(frozen=True, slots=True)
class Catalogue:
    """The names of one kind of class.

    Attributes:
        noun: What messages call one of them.
        base: Where the class stands that all are derived from, "gridbazaar.agents.Behaviour".
        group: The entry-point group in which packages register theirs.
        own: Those that come with gridbazaar: name and `module:Class`.
    """

    noun: str
    base: str
    group: str
    own: Mapping[str, str]

    def registered(self) -> dict[str, str]:
        """Those that can be named without a module: name and where each comes from."""
        from importlib.metadata import entry_points

        points = sorted(entry_points(group=self.group), key=lambda point: point.name)
        return {**self.own, **{point.name: point.value for point in points}}

    def find(self, name: str, derived_from: type, place: str, key: str) -> Any:
        """The class of this name.

        Args:
            name: A registered name, `module:Class` or `path.py:Class`.
            derived_from: The class that `base` names, which is imported only where one is looked for.
            place, key: Where it is named, for messages.

        Raises:
            ScenarioError: There is none, or it is not derived from the base.
        """
        made = self.loaded(name, place, key)
        if not (isinstance(made, type) and issubclass(made, derived_from)):
            called = getattr(made, "__name__", name)
            raise refuse(place, key, f"{called} is not a subclass of {self.base}; derive it from there")
        return made

    def loaded(self, name: str, place: str, key: str) -> Any:
        """What has this name, whatever it is derived from.

        Raises:
            ScenarioError: There is nothing.
        """
        where = self.own.get(name) or (name if ":" in name else self.registered().get(name, name))
        module_name, colon, class_name = where.rpartition(":")
        if not colon:
            cure = did_you_mean(name, self.registered())
            raise refuse(place, key, f"there is no {self.noun} {name}, nor is it module:Class or path.py:Class{cure}")
        made = getattr(_module(module_name, place, key), class_name, None)
        if made is None:
            raise refuse(place, key, f"{module_name} has no class {class_name}; correct the name after the colon")
        return made


def _module(name: str, place: str, key: str) -> ModuleType:
    from ...agents.behaviour_errors import BehaviourError

    if name.endswith(".py") and not Path(name).is_file():
        raise refuse(place, key, f"there is no file {name}; correct the path before the colon")
    try:
        return _from_file(Path(name)) if name.endswith(".py") else importlib.import_module(name)
    except ModuleNotFoundError as error:
        sentence = f"there is no module {error.name}; correct the name before the colon, or install what holds it"
        raise refuse(place, key, sentence) from None
    except Exception as error:  # a user's code may raise anything; it is told with its place
        raise refuse(place, key, f"{name} cannot be imported: {BehaviourError.told(error)}") from error


class _Source(SourceFileLoader):
    """Reads the file itself, never compiled leftovers of it: those cannot tell two edits of one second apart."""

    def path_stats(self, path: str) -> Mapping[str, Any]:
        """There is nothing to compare leftovers with."""
        raise OSError(path)


def _from_file(path: Path) -> ModuleType:
    """The module of a file, loaded once however often it is named, and anew when the file has changed."""
    whole = str(path.resolve())
    name = f"gridbazaar_file_{sha256(whole.encode() + path.read_bytes()).hexdigest()[:16]}"
    if name not in sys.modules:
        spec = importlib.util.spec_from_loader(name, _Source(name, whole))
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        sys.modules[name] = module
        try:
            spec.loader.exec_module(module)
        except BaseException:
            del sys.modules[name]
            raise
    return sys.modules[name]
