"""The limits (6)-(8) as rows of the program that may give way, and what each would then have to be in the tables."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from math import sqrt

import numpy as np

from ..arrays import FloatArray
from ..branch_flow import ConicProgram
from ..elements import Table
from ..feeder import Feeder
from ..feeder_checks import VOLTAGE_RANGE_PU
from ..per_unit import amperes_per_pu, step_kw
from .relaxation import Relaxation, least_relief
from .remedies import LimitChange, LimitCure, rounded

_NEGLIGIBLE_PU = 1e-6  # 1 W; what an interior-point method leaves of a row that need not give way
_STEP_PU = 1e-4
# A limit costs this many times the value of lost load per unit of its own size, so that it gives way only as it must.
_WEIGHT = 100.0


@dataclass(frozen=True, slots=True)
class LimitKind:
    """One kind of limit: the variable and the sides that its rows bound, and its column in the tables."""

    variable: str
    sides: tuple[str, ...]
    table: Table
    key: str


WIRES = (
    LimitKind("p_flow", ("upper", "lower"), "lines", "p_max_kw"),
    LimitKind("current", ("upper",), "lines", "i_max_a"),
    LimitKind("q_flow", ("upper", "lower"), "lines", "q_max_kvar"),
    LimitKind("voltage", ("lower",), "buses", "v_min_pu"),
    LimitKind("voltage", ("upper",), "buses", "v_max_pu"),
)
SOURCES = (
    LimitKind("p_gen", ("upper",), "generators", "p_max_kw"),
    LimitKind("p_gen", ("lower",), "generators", "p_min_kw"),
    LimitKind("q_gen", ("upper",), "generators", "q_max_kvar"),
    LimitKind("q_gen", ("lower",), "generators", "q_min_kvar"),
)


def least_limits(
    program: ConicProgram, rhs: FloatArray, kinds: Sequence[LimitKind], price: float, factor: float = 1.0
) -> LimitCure | None:
    """The limits of some kinds that must give way, each by as little of itself as will do; None where none will do.

    Args:
        program: the program without shortage slack.
        rhs: its right-hand side, (row,).
        kinds: which limits may give way.
        price: value of lost load, $/kWh.
        factor: how many times the least relief to allow, 1 or more.
    """
    places = [
        (kind, element, row, -1.0 if fixed and side == "lower" else 1.0)
        for kind in kinds
        for side in kind.sides
        for fixed in (False, True)
        for element, row in _rows(program, kind.variable, "fixed" if fixed else side)
    ]
    rows = np.array([row for *_, row, _ in places], dtype=np.intp)
    size = np.maximum(np.abs(rhs[rows]), 1e-2)
    caps = np.array([_cap(program.feeder, kind, element) for kind, element, *_ in places])
    signs = np.array([sign for *_, sign in places])
    relaxation = Relaxation(rows, signs, _WEIGHT * price / size, caps)
    given = least_relief(program, rhs, relaxation)
    if given is None:
        return None
    ranked = sorted(zip(given / size, given, places, strict=True), key=lambda item: -item[0])  # the most first
    changes = [
        _change(program.feeder, kind, element, factor * pu)
        for _, pu, (kind, element, *_) in ranked
        if pu > _NEGLIGIBLE_PU
    ]
    return LimitCure(_wires_first(_levelled(changes))) if changes else None


def _rows(program: ConicProgram, variable: str, side: str) -> Iterator[tuple[int, int]]:
    """The elements bounded on a side, or held where they are, and their rows."""
    for block in program.blocks:
        if block.name == f"{variable} {side}" and block.index is not None:
            yield from ((int(element), program.rows[block.name].start + i) for i, element in enumerate(block.index))


def _levelled(changes: list[LimitChange]) -> list[LimitChange]:
    """Voltage limits that are alike at their widest value: one number for all of the buses that need it."""
    widest: dict[tuple[str, float], float] = {}
    for change in changes:
        if change.table == "buses":
            alike, pick = (change.key, change.old), min if change.key == "v_min_pu" else max
            widest[alike] = pick(change.value, widest.get(alike, change.value))
    return [replace(change, value=widest.get((change.key, change.old), change.value)) for change in changes]


def _wires_first(changes: list[LimitChange]) -> tuple[LimitChange, ...]:
    """Where wires and generators must give way together, the wires are the cause."""
    return tuple(sorted(changes, key=lambda change: change.table == "generators"))


def relative_change(cure: LimitCure) -> float:
    """The largest change of a limit relative to it."""
    return max(abs(change.value - change.old) / max(abs(change.old), 1e-6) for change in cure.changes)


def _cap(feeder: Feeder, kind: LimitKind, element: int) -> float:
    """How far a limit may give way, pu: voltages stay in the range of a `Bus`."""
    low, high = VOLTAGE_RANGE_PU
    if kind.key == "v_min_pu":
        return max(float(feeder.v_min_pu[element] - _STEP_PU) ** 2 - (low + _STEP_PU) ** 2, 0.0)
    if kind.key == "v_max_pu":
        return max((high - 2 * _STEP_PU) ** 2 - float(feeder.v_max_pu[element]) ** 2, 0.0)
    return np.inf


def _change(feeder: Feeder, kind: LimitKind, element: int, pu: float) -> LimitChange:
    row = getattr(feeder, kind.table)[element]
    old = float(getattr(row, kind.key))
    up = kind.key not in ("v_min_pu", "p_min_kw", "q_min_kvar")
    if kind.table == "buses":
        value = sqrt(max(old**2 + (pu if up else -pu), VOLTAGE_RANGE_PU[0] ** 2))
        value = min(max(rounded(value, _STEP_PU, up=up), VOLTAGE_RANGE_PU[0]), VOLTAGE_RANGE_PU[1])
    elif kind.key == "i_max_a":
        value = rounded(sqrt(old**2 + pu * float(amperes_per_pu(feeder)[element + 1]) ** 2), step_kw(feeder), up=up)
    else:
        value = rounded(old + pu * feeder.base_kw * (1 if up else -1), step_kw(feeder), up=up)
    return LimitChange(kind.table, row.name, kind.key, old, value)
