"""Behaviours by name: registered by an installed package, `module:Class`, or `path.py:Class`."""

import importlib
import importlib.util
import sys
from collections.abc import Mapping
from difflib import get_close_matches
from hashlib import sha256
from importlib.machinery import SourceFileLoader
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

from ..errors import ScenarioError, refuse
from .behaviour_text import parsed
from .source import did_you_mean

if TYPE_CHECKING:
    from ...agents.behaviour import Behaviour

GROUP = "gridbazaar.behaviours"
"""The entry-point group in which packages register behaviours."""
OWN = {
    "price_taker": "gridbazaar.agents.behaviour:PriceTaker",
    "PriceTaker": "gridbazaar.agents.behaviour:PriceTaker",
    "Shading": "gridbazaar.agents.behaviours.shading:Shading",
    "Withholding": "gridbazaar.agents.behaviours.withholding:Withholding",
    "ZeroIntelligence": "gridbazaar.agents.behaviours.zero_intelligence:ZeroIntelligence",
    "Inertial": "gridbazaar.agents.behaviours.inertial:Inertial",
    "LossAverse": "gridbazaar.agents.behaviours.loss_averse:LossAverse",
    "Learner": "gridbazaar.agents.behaviours.learner:Learner",
    "Colluders": "gridbazaar.agents.behaviours.colluders:Colluders",
    "Remote": "gridbazaar.agents.behaviours.remote:Remote",
}
"""Those that come with gridbazaar."""


def registered_behaviours() -> dict[str, str]:
    """The behaviours that can be named without a module: name and where each comes from."""
    from importlib.metadata import entry_points

    found = {point.name: point.value for point in sorted(entry_points(group=GROUP), key=lambda point: point.name)}
    return {**OWN, **found}


def make_behaviour(text: str, place: str, key: str) -> "Behaviour":
    """A new behaviour object.

    Args:
        text: A registered name, `module:Class` or `path.py:Class`, with parameters if there are any.
        place, key: Where it is named, for messages.

    Raises:
        ScenarioError: There is no such behaviour, or it is not a subclass of Behaviour, or cannot be made.
    """
    from ...agents.behaviour import BehaviourError

    try:
        name, parameters = parsed(text)
    except ValueError as error:
        raise refuse(place, key, str(error)) from None
    made = find_behaviour(name, place, key)
    try:
        return made(**checked(made, parameters, place, key))
    except ScenarioError:
        raise
    except Exception as error:  # a user's code may raise anything; it is told with its place
        raise refuse(place, key, f"{made.__name__}() cannot be made: {BehaviourError.told(error)}") from error


def find_behaviour(name: str, place: str, key: str) -> "type[Behaviour]":
    """The class of a behaviour; as `make_behaviour`.

    Raises:
        ScenarioError: There is no such behaviour, or it is not a subclass of Behaviour.
    """
    from ...agents.behaviour import Behaviour

    where = OWN.get(name) or (name if ":" in name else registered_behaviours().get(name, name))
    module_name, colon, class_name = where.rpartition(":")
    if not colon:
        cure = did_you_mean(name, registered_behaviours())
        raise refuse(place, key, f"there is no behaviour {name}, nor is it module:Class or path.py:Class{cure}")
    made = getattr(_module(module_name, place, key), class_name, None)
    if made is None:
        raise refuse(place, key, f"{module_name} has no class {class_name}; correct the name after the colon")
    if not (isinstance(made, type) and issubclass(made, Behaviour)):
        raise refuse(place, key, f"{class_name} is not a subclass of gridbazaar.agents.Behaviour; derive it from there")
    hooks = [hook for hook in vars(Behaviour) if not hook.startswith("_")]
    for method in vars(made):
        near = get_close_matches(method, hooks, n=1, cutoff=0.75)
        if near and method not in hooks:
            raise refuse(place, key, f"{class_name}.{method} overrides nothing; did you mean {near[0]}?")
    return made


def checked(made: "type[Behaviour]", given: Mapping[str, Any], place: str, key: str) -> dict[str, Any]:
    """The parameters of a behaviour, as its constructor's annotations want them.

    Raises:
        ScenarioError: One is not known, missing, or not what its annotation says.
    """
    from inspect import Parameter, signature

    from pydantic import ConfigDict, ValidationError, create_model

    known = {
        name: (object if one.annotation is Parameter.empty else one.annotation, _default(one))
        for name, one in signature(made, eval_str=True).parameters.items()
        if one.kind in (Parameter.POSITIONAL_OR_KEYWORD, Parameter.KEYWORD_ONLY)
    }
    config = ConfigDict(extra="forbid", arbitrary_types_allowed=True)
    model: Any = create_model("Parameters", __config__=config, **known)  # type: ignore[call-overload]
    try:
        held = model(**given)
    except ValidationError as error:
        first = error.errors()[0]
        name = ".".join(map(str, first["loc"]))
        said = {"extra_forbidden": f"unknown parameter{did_you_mean(name, known)}", "missing": "is missing; add it"}
        sentence = said.get(first["type"]) or f"{first['msg']}; it is {first['input']!r}"
        raise refuse(place, key, f"{made.__name__}, parameter {name}: {sentence}") from None
    return {name: getattr(held, name) for name in known if name in held.model_fields_set}


def _default(one: Any) -> Any:
    return ... if one.default is one.empty else one.default


def _module(name: str, place: str, key: str) -> ModuleType:
    from ...agents.behaviour import BehaviourError

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
    name = f"gridbazaar_behaviour_{sha256(whole.encode() + path.read_bytes()).hexdigest()[:16]}"
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
