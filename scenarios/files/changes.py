"""Changes of a scenario as people type them: `KEY=VALUE`, `PROSUMER=BEHAVIOUR`."""

from __future__ import annotations

from pathlib import Path

from ..errors import refuse
from .behaviour_text import absolute, with_parameters
from .tree import Change
from .yaml_file import read_value


def changes_of(texts: list[str], asked_by: str = "--set") -> list[Change]:
    """`--set a.b=c`, with c as a file would have it: text, null, lists; or what another word asks for so."""
    changes = []
    for key, value in (parted(text, asked_by, "market.case=1") for text in texts):
        place = f"{asked_by} {key}={value}"
        changes.append(Change(key, read_value(value, place, key), place))
    return changes


def behaviours_of(texts: list[str], parameters: list[str] | None = None) -> list[Change]:
    """`--behaviour p2=path.py:Class`, with the path meant from here; each is given all `--with KEY=VALUE`."""
    given = {key: read_value(value, f"--with {key}={value}", key) for key, value in _pairs(parameters or [])}
    changes = []
    for prosumer, name in (parted(text, "--behaviour", "p2=mine.py:Mine") for text in texts):
        place = f"--behaviour {prosumer}={name}"
        try:
            text = with_parameters(str(absolute(name, Path())), given)
        except ValueError as error:
            raise refuse(place, "", str(error)) from None
        changes.append(Change(f"prosumers.{prosumer}.behaviour", text, place))
    if given and not changes:
        raise refuse(f"--with {next(iter(given))}", "", "there is no --behaviour that this could be given to; add one")
    return changes


def _pairs(texts: list[str]) -> list[tuple[str, str]]:
    return [parted(text, "--with", "percent=5") for text in texts]


def parted(text: str, option: str, example: str) -> tuple[str, str]:
    """The key and the value of "key=value".

    Raises:
        ScenarioError: One of them is missing.
    """
    key, equals, value = text.partition("=")
    if not (equals and key):
        raise refuse(f"{option} {text}", "", f"this is not a key and a value; write it like {option} {example}")
    return key.strip(), value
