"""The parameters of a class: those of its constructor, checked by its annotations (pydantic)."""

from collections.abc import Mapping
from dataclasses import is_dataclass
from inspect import Parameter, signature
from typing import Any, get_type_hints

from ..errors import refuse
from .tree import did_you_mean


def parameters_of(made: type) -> dict[str, tuple[Any, Any]]:
    """Annotation and default of each parameter by name; the default is `...` where one must be given.

    Annotations of a dataclass are read where each stands, since a class may inherit from another module's.
    """
    hints = get_type_hints(made, include_extras=True) if is_dataclass(made) else {}
    known = signature(made, eval_str=not hints).parameters.values()
    return {
        one.name: (_annotation(one, hints), ... if one.default is one.empty else one.default)
        for one in known
        if one.kind in (Parameter.POSITIONAL_OR_KEYWORD, Parameter.KEYWORD_ONLY)
    }


def _annotation(one: Parameter, hints: Mapping[str, Any]) -> Any:
    return hints.get(one.name, object if one.annotation is Parameter.empty else one.annotation)


def held(known: Mapping[str, tuple[Any, Any]], given: Mapping[str, Any]) -> dict[str, Any]:
    """Given parameters as annotations want them; those that are not given are left to the constructor.

    Raises:
        ValidationError: One is not known, missing, or not what its annotation says (of pydantic).
    """
    from pydantic import ConfigDict, create_model

    config = ConfigDict(extra="forbid", arbitrary_types_allowed=True)
    model: Any = create_model("Parameters", __config__=config, **dict(known))  # type: ignore[call-overload]
    found = model(**given)
    return {name: getattr(found, name) for name in known if name in found.model_fields_set}


def checked(made: type, given: Mapping[str, Any], place: str, key: str) -> dict[str, Any]:
    """The parameters of a class, as its constructor's annotations want them.

    Args:
        made: The class.
        given: Its parameters.
        place, key: Where they are given, for messages.

    Raises:
        ScenarioError: One is not known, missing, or not what its annotation says.
    """
    from pydantic import ValidationError

    known = parameters_of(made)
    try:
        return held(known, given)
    except ValidationError as error:
        first = error.errors()[0]
        name = ".".join(map(str, first["loc"]))
        said = {"extra_forbidden": f"unknown parameter{did_you_mean(name, known)}", "missing": "is missing; add it"}
        sentence = said.get(first["type"]) or f"{first['msg']}; it is {first['input']!r}"
        raise refuse(place, key, f"{made.__name__}, parameter {name}: {sentence}") from None
