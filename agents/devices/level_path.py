"""The level of a store, run back and forward in time: functions of numbers and lists or arrays of them.

`rows.run_rows` interprets or compiles them, as one row that needs no room, to the same bits: equal numbers are compared
in one way only.
"""

from __future__ import annotations

from typing import Any

Numbers = Any
"""A list of floats, or an array of them."""


def larger(a: float, b: float) -> float:
    """The larger of two, the first of equal ones."""
    return b if b > a else a


def smaller(a: float, b: float) -> float:
    """The smaller of two, the first of equal ones."""
    return b if b < a else a


def corridor(
    _: Any, keep: float, rise: Numbers, fall: Numbers, low: Numbers, high: Numbers, results: Any, __: Any
) -> None:
    """The levels before each period from which all that follows can be kept; those at the end are there already.

    Args:
        keep: What is left of a kWh after a period.
        rise, fall: By how much the level can rise and fall, (period,).
        low, high: Its limits at the end of each period, (period,).
        results: Least and most, (period + 1,) each.
    """
    least, most = results
    for t in range(len(rise) - 1, -1, -1):
        lowest, highest = (least[t + 1] - rise[t]) / keep, (most[t + 1] + fall[t]) / keep
        least[t] = lowest if t == 0 else larger(low[t - 1], lowest)
        most[t] = highest if t == 0 else smaller(high[t - 1], highest)


def shifted(less: float, less_h: float, more: float, more_h: float, most: float, by_kwh: float) -> tuple[float, float]:
    """Two opposite powers, moved by so many kWh: the one is lowered as far as it goes, then the other is raised."""
    saved = smaller(less, by_kwh / less_h) if less > 0.0 else 0.0
    rest = by_kwh - saved * less_h
    return less - saved, smaller(most, more + rest / more_h) if rest > 0.0 else more


def mended(
    _: Any,
    level: float,
    keep: float,
    wanted: Any,
    gains: Any,
    most_kw: Any,
    corridor_kwh: Any,
    results: Any,
    __: Any,
) -> None:
    """Charge, discharge and level next to what is wanted that stay in the corridor.

    Args:
        level: Before the first period.
        keep: What is left of a kWh after a period.
        wanted: Charge and discharge, within their limits, (period,) each.
        gains: kWh for a kW of charge, and of discharge, and what is drawn, (period,) each.
        most_kw: Largest charge and discharge, (period,) each.
        corridor_kwh: Least and most levels, (period + 1,) each.
        results: Where all three go, (period,) each.
    """
    charges, discharges = wanted
    into, out, drawn = gains
    for t in range(len(drawn)):
        charge, discharge = charges[t], discharges[t]
        free = keep * level - drawn[t]
        level = free + into[t] * charge - out[t] * discharge
        if level < corridor_kwh[0][t + 1]:
            lacks = corridor_kwh[0][t + 1] - level
            discharge, charge = shifted(discharge, out[t], charge, into[t], most_kw[0][t], lacks)
        elif level > corridor_kwh[1][t + 1]:
            over = level - corridor_kwh[1][t + 1]
            charge, discharge = shifted(charge, into[t], discharge, out[t], most_kw[1][t], over)
        level = free + into[t] * charge - out[t] * discharge
        results[0][t], results[1][t], results[2][t] = charge, discharge, level
