"""What the words of a command line mean: choices, addresses, options with another name."""

from __future__ import annotations

import re
from enum import StrEnum
from typing import TypeVar

import typer

from ..errors import refuse

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
