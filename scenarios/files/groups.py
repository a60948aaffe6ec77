"""Groups of prosumers that act alike: by a pattern of names, by a share of them, drawn with a seed."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from fnmatch import fnmatchcase
from random import Random
from typing import Any

from ..errors import refuse
from .tree import Tree, did_you_mean
from .yaml_file import Path_

SECTION = "behaviours"
_KEYS = ("prosumers", "share", "seed", "behaviour")


def apply_groups(tree: Tree, stated: Collection[str] = ()) -> None:
    """Give every prosumer of a group the group's behaviour, and take the section out of the tree.

    Args:
        tree: The scenario.
        stated: Places of changes from outside: a behaviour that was changed there stays.

    Raises:
        ScenarioError: A group is not written right, or names nobody.
    """
    groups = tree.values.pop(SECTION, None)
    if groups is None:
        return
    if not isinstance(groups, dict):
        sentence = "these are groups by name; write `name: {prosumers: 'h*', behaviour: Shading}` lines below it"
        raise refuse(tree.place((SECTION,)), SECTION, sentence)
    for name, group in groups.items():
        if group is not None:
            _apply(tree, name, group, stated)


def _apply(tree: Tree, name: str, group: Any, stated: Collection[str]) -> None:
    path = (SECTION, name)
    place, key = tree.place(path), ".".join(path)
    if not isinstance(group, dict) or "behaviour" not in group:
        raise refuse(place, key, "a group needs a behaviour; write {prosumers: 'h*', behaviour: Shading}")
    unknown = next((part for part in group if part not in _KEYS), None)
    if unknown:
        raise refuse(place, f"{key}.{unknown}", f"unknown key{did_you_mean(unknown, _KEYS)}")
    for one in drawn(tree, path, group, "prosumers"):
        if tree.places.get(("prosumers", one, "behaviour")) not in stated:
            tree.put(("prosumers", one, "behaviour"), group["behaviour"], tree.place((*path, "behaviour")))


def drawn(tree: Tree, path: Path_, group: Mapping[str, Any], who: str) -> list[str]:
    """The prosumers of a group, in their order: of those whose names match, a share drawn with a seed.

    Args:
        tree: The scenario.
        path: Where the group is written.
        group: What it says: a pattern of names (all by default), `share` (1) and `seed` (0).
        who: The key of the pattern.

    Raises:
        ScenarioError: Nobody matches, a share or a seed is none, or the share of them is nobody.
    """
    place, key = tree.place(path), ".".join(path)
    pattern = str(group.get(who) or "*")
    everybody = tree.values.get("prosumers")
    known = list(everybody) if isinstance(everybody, dict) else []
    chosen = [pattern] if pattern in known else [one for one in known if fnmatchcase(one, pattern)]
    if not chosen:
        raise refuse(place, f"{key}.{who}", f"no prosumer is called {pattern}{did_you_mean(pattern, known)}")
    share, seed = (_number(group.get(part, default), place, f"{key}.{part}") for part, default in _DEFAULTS.items())
    if not 0 <= share <= 1:
        raise refuse(place, f"{key}.share", f"{share:g} is no share; write a number from 0 to 1")
    if seed != int(seed):
        raise refuse(place, f"{key}.seed", f"{seed:g} is not a whole number; write one")
    if share and not round(share * len(chosen)):
        raise refuse(place, f"{key}.share", f"a share of {share:g} of {len(chosen)} is nobody; write more, or 0")
    some = set(Random(int(seed)).sample(chosen, round(share * len(chosen))))  # noqa: S311  # of a simulation
    return [one for one in chosen if one in some]


_DEFAULTS = {"share": 1.0, "seed": 0}


def _number(value: Any, place: str, key: str) -> float:
    try:
        return float(value)
    except (TypeError, ValueError):
        raise refuse(place, key, f"{value!r} is not a number; write one") from None
