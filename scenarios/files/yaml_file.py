"""A YAML file as nested mappings of text: whether `010` is a number or a name, only the schema knows."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import yaml

from ..errors import ScenarioError, refuse
from .text import as_name, read_text, shown

Path_ = tuple[str, ...]  # where a value stands, such as ("prosumers", "p2", "bus")
Places = dict[Path_, str]

_NULL, _MERGE = "tag:yaml.org,2002:null", "tag:yaml.org,2002:merge"
_TEXT = {f"tag:yaml.org,2002:{kind}" for kind in ("str", "int", "float", "bool", "timestamp")}
_ENDLESS = "nested without end; no scenario is so deep"
_DEEPEST = 8  # no key of a scenario stands deeper


class _Loader(yaml.SafeLoader):
    """Takes no plain word for a number, a date or a truth value: only what is empty and `<<` mean something."""


_Loader.yaml_implicit_resolvers = {
    first: [(tag, words) for tag, words in resolvers if tag in (_NULL, _MERGE)]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def read_yaml(file: Path) -> tuple[dict[str, Any], Places]:
    """What a scenario file says, and the place of every key.

    Raises:
        ScenarioError: It is not YAML, or no mapping.
    """

    def place(line: int) -> str:
        return f"{shown(file)}:{line}"

    try:
        root = yaml.compose(read_text(file), Loader=_Loader)
    except yaml.YAMLError as error:
        raise _not_yaml(error, shown(file)) from None
    except RecursionError:
        raise refuse(shown(file), "", f"this is {_ENDLESS}") from None
    if not isinstance(root, yaml.MappingNode):
        raise refuse(shown(file), "", "a scenario is keys and values; it needs a base, or a feeder and prosumers")
    reader = _Reader(place)
    return reader.mapping(root, ()), reader.places


def read_value(text: str, place: str, key: str) -> Any:
    """A value that is written as in a file: text, a list, or a mapping; None for what is empty.

    Raises:
        ScenarioError: It is not YAML.
    """
    try:
        node = yaml.compose(text, Loader=_Loader)
    except RecursionError:
        raise refuse(place[:60], key, f"this is {_ENDLESS}") from None
    except yaml.YAMLError as error:
        sentence = f"{text!r} cannot be read ({getattr(error, 'problem', error)}); put it in quotes"
        raise refuse(place, key, sentence) from None
    return None if node is None else _Reader(lambda _: place).value(node, (key,), place)


def _not_yaml(error: yaml.YAMLError, file: str) -> ScenarioError:
    """What PyYAML complains of, with the line where it stands."""
    if not isinstance(error, yaml.MarkedYAMLError):
        reason = getattr(error, "reason", error)
        return refuse(file, "", f"this is not YAML ({reason}); save it as text in UTF-8")
    mark = error.problem_mark or error.context_mark
    twice = error.problem == "second occurrence"  # of an anchor
    words = (error.context or "").partition(";")[0] if twice else " ".join(filter(None, (error.context, error.problem)))
    cure = "indent with spaces, not with tabs" if "\\t" in words else "correct the line"
    return refuse(f"{file}:{mark.line + 1 if mark else 1}", "", f"this is not YAML: {words}; {cure}")


class _Reader:
    """Turns YAML's nodes into values and notes where each was written."""

    def __init__(self, place: Callable[[int], str]) -> None:
        self.places: Places = {}
        self._place = place

    def mapping(self, node: yaml.MappingNode, path: Path_) -> dict[str, Any]:
        """A mapping by key; what it says itself stands before what it merges."""
        self._check_depth(node, path)
        values: dict[str, Any] = {}
        for key, (key_node, value_node) in self._pairs(node, path).items():
            here = (*path, key)
            self.places[here] = self._place(key_node.start_mark.line + 1)
            values[key] = self.value(value_node, here, self.places[here])
        return values

    def value(self, node: yaml.Node, path: Path_, place: str) -> Any:
        """A mapping, a list, text, or None for what is empty."""
        if isinstance(node, yaml.MappingNode):
            return self.mapping(node, path)
        if isinstance(node, yaml.SequenceNode):
            self._check_depth(node, path)
            return [self.value(item, (*path, str(n)), place) for n, item in enumerate(node.value, start=1)]
        if node.tag == _NULL:
            return None
        if node.tag not in _TEXT:
            sentence = f"{node.value!r} cannot be read: nothing here has a tag like {node.tag}; take the tag out"
            raise refuse(place, ".".join(path), sentence)
        return as_name(node.value)

    def _pairs(self, node: yaml.MappingNode, path: Path_) -> dict[str, tuple[yaml.Node, yaml.Node]]:
        """Keys with the nodes of key and value, those of `<<: *other` first; what is written here replaces them."""
        own: dict[str, tuple[yaml.Node, yaml.Node]] = {}
        merged: dict[str, tuple[yaml.Node, yaml.Node]] = {}
        for key_node, value_node in node.value:
            place = self._place(key_node.start_mark.line + 1)
            if key_node.tag == _MERGE:
                merged = {**self._merged(value_node, place, path), **merged}
                continue
            if not isinstance(key_node, yaml.ScalarNode):
                raise refuse(place, ".".join(path), "a key is a single name; write `name: value`")
            key = as_name(key_node.value)
            if key in own:
                raise refuse(place, ".".join((*path, key)), "this key is given twice; keep one")
            own[key] = (key_node, value_node)
        return {**merged, **own}

    def _merged(self, node: yaml.Node, place: str, path: Path_) -> dict[str, tuple[yaml.Node, yaml.Node]]:
        """The keys of the mapping, or of the list of mappings, that stands behind `<<`; the first one counts."""
        others = node.value if isinstance(node, yaml.SequenceNode) else [node]
        pairs: dict[str, tuple[yaml.Node, yaml.Node]] = {}
        for other in others:
            if not isinstance(other, yaml.MappingNode):
                raise refuse(place, ".".join((*path, "<<")), "`<<` merges keys and values; write `<<: *name` of such")
            self._check_depth(other, (*path, "<<"))
            pairs = {**self._pairs(other, (*path, "<<")), **pairs}
        return pairs

    def _check_depth(self, node: yaml.Node, path: Path_) -> None:
        if len(path) > _DEEPEST:
            place = self._place(node.start_mark.line + 1)
            raise refuse(place, ".".join(path[:3]), f"this is {_ENDLESS}")
