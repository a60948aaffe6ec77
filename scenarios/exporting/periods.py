"""Which period of a run is meant: one by its number, all, or the one with the highest load."""

from __future__ import annotations

import re

import numpy as np

from ...network.arrays import FloatArray
from ..errors import refuse

ALL = "all"


def period_asked(text: str | None, periods: int) -> int | None:
    """The period that somebody asks for, from 0; None for all of them, or where nobody asks for one.

    Args:
        text: What was typed: a number from 1, "all", or nothing.
        periods: How many there are.

    Raises:
        ScenarioError: It is neither, or there is no such period.
    """
    if text is None or text == ALL:
        return None
    if not re.fullmatch(r"[0-9]{1,9}", text) or not 1 <= int(text) <= periods:
        known = f"1 to {periods}" if periods > 1 else "1"
        raise refuse(f"--period {text}", "", f"the run has no such period; write {known}, or {ALL}")
    return int(text) - 1


def highest_load(load_kw: FloatArray) -> int:
    """The period in which all buses together draw most, from 0; the first of equal ones. load_kw: (any, period)."""
    return int(np.argmax(load_kw.sum(axis=0)))
