"""What the words of a command line mean: changes of a scenario, choices, addresses, options with another name."""

from __future__ import annotations

import re
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import typer

from ..errors import refuse

if TYPE_CHECKING:
    from ..files.source import Change

_RENAMED = {"--ledger": "--message-log"}

Choice = TypeVar("Choice", bound=StrEnum)


def one_of(kind: type[Choice], text: str, place: str) -> Choice:
    """The choice of this name.

    Raises:
        ScenarioError: There is none; it names those that there are.
    """
    known = [repr(str(choice)) for choice in kind]
    if repr(text) not in known:
        raise refuse(place, "", f"{text!r} is not known; write one of {', '.join(known[:-1])} or {known[-1]}")
    return kind(text)


def changes_of(texts: list[str]) -> list[Change]:
    """`--set a.b=c`, with c as a file would have it: text, null, lists."""
    from ..files.source import Change
    from ..files.yaml_file import read_value

    changes = []
    for key, value in (parted(text, "--set", "market.case=1") for text in texts):
        place = f"--set {key}={value}"
        changes.append(Change(key, read_value(value, place, key), place))
    return changes


def behaviours_of(texts: list[str]) -> list[Change]:
    """`--behaviour p2=path.py:Class`, with the path meant from here."""
    from ..files.source import Change

    changes = []
    for prosumer, name in (parted(text, "--behaviour", "p2=mine.py:Mine") for text in texts):
        path, _, cls = name.rpartition(":")
        absolute = f"{Path(path).resolve()}:{cls}" if path.endswith(".py") else name
        changes.append(Change(f"prosumers.{prosumer}.behaviour", absolute, f"--behaviour {prosumer}={name}"))
    return changes


def parted(text: str, option: str, example: str) -> tuple[str, str]:
    """The key and the value of "key=value".

    Raises:
        ScenarioError: One of them is missing.
    """
    key, equals, value = text.partition("=")
    if not (equals and key):
        raise refuse(f"{option} {text}", "", f"this is not a key and a value; write it like {option} {example}")
    return key.strip(), value


def with_ray_address(words: list[str]) -> list[str]:
    """`--ray` may stand alone or before an address, which a scenario's name cannot look like."""
    address = re.compile(r"auto|local|(ray://)?[^/\\]+:\d+")
    return [
        "--ray=local" if word == "--ray" and not address.fullmatch(after) else word
        for word, after in zip(words, [*words, ""][1:], strict=True)
    ]


def with_todays_names(words: list[str]) -> list[str]:
    """The command line with options as they are called today, and a note of each that has another name now."""
    for old, new in _RENAMED.items():
        if old in words:
            typer.echo(f"{old} is called {new} now; write {new}", err=True)
    return [_RENAMED.get(word, word) for word in words]
