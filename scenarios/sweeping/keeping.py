"""What many runs keep on disk, so that they can go on, and others cannot take their folder."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from ...network.errors import InputError
from ..files.source import find, shipped_scenarios
from ..runs.folders import new_folder

Row = dict[str, Any]
"""What is known of a run that has ended; `outcome` says how it has."""


def lasting_name(scenario: str) -> str:
    """A scenario's name or file, as it holds from anywhere: a file is meant from here.

    Raises:
        ScenarioError: There is no such scenario.
    """
    file = find(scenario)
    return scenario if scenario in shipped_scenarios() else str(file.resolve())


def folder_of_many(scenario: str, what: str, plan: str, folder: Path | None) -> Path:
    """The folder of many runs: a new one, or one that holds a plan of this kind already.

    Args:
        scenario: The name or file of their scenario.
        what: What they are called: "league".
        plan: The name of the file that a plan of this kind is kept in.
        folder: The one that is asked for, if any.

    Raises:
        InputError: It holds something else.
    """
    if folder and (folder / plan).is_file():
        return folder
    return new_folder(f"{Path(scenario).stem}-{what}", folder)


def keep_row(file: Path, row: Row) -> Row:
    """Keep a row on disk, as a whole or not at all; as it will be read again."""
    text = json.dumps(row, allow_nan=False)
    unfinished = file.with_suffix(".partial")
    unfinished.write_text(text, encoding="utf-8")
    os.replace(unfinished, file)
    kept: Row = json.loads(text)
    return kept


def kept_row(file: Path) -> Row | None:
    """What was kept in a file; None if nothing was."""
    if not file.is_file():
        return None
    row: Row = json.loads(file.read_text(encoding="utf-8"))
    return row


def begin_plan(file: Path, plan: dict[str, Any], what: str) -> None:
    """Write into a folder what is going to be run; or see that the folder holds this very plan.

    Args:
        file: Where the plan stands.
        plan: What is to be run, with the scenario as it is now.
        what: What it is called: "a league".

    Raises:
        InputError: The folder holds another one, or that of a scenario that has changed since.
    """
    content = json.loads(json.dumps(plan))
    if file.is_file() and json.loads(file.read_text(encoding="utf-8")) != content:
        raise InputError(f"{file.parent} holds {what} of something else; name a new folder with -o")
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(f"{json.dumps(content, indent=1)}\n", encoding="utf-8")
