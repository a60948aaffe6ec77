"""What the MATLAB code of a MATPOWER case does beside stating numbers: unit conversions of known form, or a refusal.

Libraries that read case files take the numbers and skip the code. Radial cases state ohm and kW, and convert them to
per unit and MW in statements at their end; these are understood here, word by word, and any other is refused.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from math import acos, sin
from typing import Any

import numpy as np

from ..errors import refuse

BUS = {"PD": 2, "QD": 3, "BASE_KV": 9}
BRANCH = {"BR_R": 2, "BR_X": 3}
"""Columns that conversions name."""
Case = dict[str, Any]
"""`baseMVA`, the arrays `bus`, `branch`, `gen` and `gencost`, and variables of the code."""
_NUMBER = r"(\d+\.?\d*(?:e[-+]?\d+)?)"


def _ohm_to_pu(case: Case, _: re.Match[str]) -> str:
    base_ohm = case["Vbase"] ** 2 / case["Sbase"]
    case["branch"][:, [BRANCH["BR_R"], BRANCH["BR_X"]]] /= base_ohm
    return f"r and x of branches are in ohm there, and divided by {base_ohm:.6g} ohm"


def _kw_to_mw(case: Case, found: re.Match[str]) -> str:
    case["bus"][:, [BUS["PD"], BUS["QD"]]] /= float(found[1])
    return f"loads are divided by {float(found[1]):g}"


def _volts(case: Case, _: re.Match[str]) -> str:
    case["Vbase"] = case["bus"][0, BUS["BASE_KV"]] * 1e3
    return ""


def _watts(case: Case, _: re.Match[str]) -> str:
    case["Sbase"] = case["baseMVA"] * 1e6
    return ""


def _power_factor(case: Case, found: re.Match[str]) -> str:
    case["pf"] = float(found[1])
    return ""


def _kvar_of_kva(case: Case, _: re.Match[str]) -> str:
    case["bus"][:, BUS["QD"]] = case["bus"][:, BUS["PD"]] * sin(acos(case["pf"]))
    return ""


def _kw_of_kva(case: Case, _: re.Match[str]) -> str:
    case["bus"][:, BUS["PD"]] *= case["pf"]
    return f"loads are apparent powers there, of a power factor of {case['pf']:g}"


def _base(case: Case, found: re.Match[str]) -> str:
    case["baseMVA"] = float(found[1]) / float(found[2] or 1)
    return ""


def _nothing(_: Case, __: re.Match[str]) -> str:
    return ""


_STATEMENTS: Mapping[str, Callable[[Case, re.Match[str]], str]] = {
    r"function \[?\w+\]?=\w+": _nothing,
    r"mpc\.version='?2'?": _nothing,
    rf"mpc\.baseMVA={_NUMBER}(?:/{_NUMBER})?": _base,
    r"\[[\w,]+\]=idx_(?:bus|brch|gen|cost)": _nothing,
    r"define_constants|end|return": _nothing,
    r"Vbase=mpc\.bus\(1,BASE_KV\)\*1e3": _volts,
    r"Sbase=mpc\.baseMVA\*1e6": _watts,
    r"mpc\.branch\(:,\[BR_R,BR_X\]\)=mpc\.branch\(:,\[BR_R,BR_X\]\)/\(Vbase\^2/Sbase\)": _ohm_to_pu,
    rf"mpc\.bus\(:,\[PD,QD\]\)=mpc\.bus\(:,\[PD,QD\]\)/{_NUMBER}": _kw_to_mw,
    rf"pf={_NUMBER}": _power_factor,
    r"mpc\.bus\(:,QD\)=mpc\.bus\(:,PD\)\*sin\(acos\(pf\)\)": _kvar_of_kva,
    r"mpc\.bus\(:,PD\)=mpc\.bus\(:,PD\)\*pf": _kw_of_kva,
}
"""Statements as they are written without space, and what each does; it returns what is worth saying of it."""


def statements(text: str) -> Iterator[tuple[int, str]]:
    """Line and text of each statement of a case file that is no table, comments and space taken out."""
    depth, begun, statement = 0, 0, ""
    for number, line in enumerate(text.splitlines(), start=1):
        code = re.sub(r"%.*", "", line).strip()
        if not code:
            continue
        begun = begun if statement else number
        statement += code.removesuffix("...") if code.endswith("...") else f"{code}\n"
        depth += sum(code.count(mark) for mark in "[{") - sum(code.count(mark) for mark in "]}")
        if depth == 0 and not code.endswith("..."):
            yield from ((begun, _plain(part)) for part in _parts(statement))
            statement = ""
    if statement:
        yield begun, _plain(statement)


def _parts(statement: str) -> list[str]:
    """The statements of a line; a table, which has semicolons of its own, is one."""
    if re.match(r"\s*mpc\.\w+\s*=\s*[\[{]", statement):
        return [statement]
    return [part for part in re.split(r"[;\n]", statement) if part.strip()]


def _plain(statement: str) -> str:
    """Without space, but for that behind `function`; between names in brackets stand commas."""
    text = re.sub(r"(?<=\w)[\s,]+(?=\w+[\s,\w]*\])", ",", statement.strip())
    return re.sub(r"(?<!function)\s+", "", text)


def apply_code(case: Case, text: str, place: str) -> list[str]:
    """Do to a case what the statements of its file do; sentences on what was converted.

    Args:
        case: The numbers as they are written; they are changed.
        text: The file.
        place: What messages call it.

    Raises:
        ScenarioError: A statement is none that is understood; it names the line.
    """
    said = []
    for number, statement in statements(text):
        if re.match(r"mpc\.\w+=[\[{]", statement):
            continue
        for form, do in _STATEMENTS.items():
            found = re.fullmatch(form, statement)
            if found:
                said.append(_done(case, do, found, f"{place}:{number}", statement))
                break
        else:
            cure = "run the case in MATPOWER and save it with savecase"
            raise refuse(f"{place}:{number}", "", f"this code is not understood: {statement[:80]}; {cure}")
    return [sentence for sentence in said if sentence]


def _done(
    case: Case, do: Callable[[Case, re.Match[str]], str], found: re.Match[str], place: str, statement: str
) -> str:
    try:
        with np.errstate(all="raise"):
            return do(case, found)
    except (KeyError, ArithmeticError):
        raise refuse(place, "", f"this code cannot be done: {statement[:80]}; correct what it needs") from None
