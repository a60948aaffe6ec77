"""Changes of a scenario as people type them: `KEY=VALUE`, `PROSUMER=BEHAVIOUR`."""

from __future__ import annotations

from pathlib import Path

from ..errors import refuse
from .source import Change
from .yaml_file import read_value


def changes_of(texts: list[str]) -> list[Change]:
    """`--set a.b=c`, with c as a file would have it: text, null, lists."""
    changes = []
    for key, value in (parted(text, "--set", "market.case=1") for text in texts):
        place = f"--set {key}={value}"
        changes.append(Change(key, read_value(value, place, key), place))
    return changes


def behaviours_of(texts: list[str]) -> list[Change]:
    """`--behaviour p2=path.py:Class`, with the path meant from here."""
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
