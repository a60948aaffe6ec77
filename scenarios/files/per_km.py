"""A line as people have it: by its length and values per km, and several that are alike side by side."""

from __future__ import annotations

from collections.abc import Mapping
from math import pi
from typing import TYPE_CHECKING, Any

from ...network.elements import Line

if TYPE_CHECKING:
    from .schema import LineRow

_PER_KM = {"r_ohm": ("r_ohm_per_km",), "x_ohm": ("x_ohm_per_km",), "b_us": ("b_us_per_km", "c_nf_per_km")}
"""What is given for the whole line, or per km."""


def contradiction(values: Mapping[str, Any]) -> tuple[str, str] | None:
    """What is wrong with the length of a line and its values per km: the key, and a sentence; None if nothing is.

    Args:
        values: Those of a row of the table of lines, by key.
    """
    per_km = [key for keys in _PER_KM.values() for key in keys if values[key] is not None]
    if per_km and values["length_km"] is None:
        return per_km[0], "a value per km needs the length; add length_km"
    if values["length_km"] is not None and not per_km:
        return "length_km", "no value per km stands beside it; add r_ohm_per_km and x_ohm_per_km, or take it out"
    for whole, keys in _PER_KM.items():
        given = [key for key in keys if values[key] is not None]
        charges_nothing = whole == "b_us" and not values[whole]
        if given and values[whole] is not None and not charges_nothing:
            return given[0], f"{whole} is given, too; keep one"
        if len(given) > 1:
            return given[1], f"{given[0]} is given, too; keep one"
    return None


def missing(values: Mapping[str, Any]) -> str | None:
    """The part of a line's impedance that is given neither for the whole line nor per km."""
    return next((key for key in ("r_ohm", "x_ohm") if values[key] is None and values[f"{key}_per_km"] is None), None)


def line_of(row: LineRow, frequency_hz: float) -> Line:
    """The line of a row: n parallel ones have the n-th part of its impedance, and n times its charging and ratings."""
    n, length_km = row.parallel, row.length_km or 0.0
    c_us_per_km = 2e-3 * pi * frequency_hz * (row.c_nf_per_km or 0.0)
    return Line(
        row.from_bus,
        row.to_bus,
        r_ohm=_whole(row.r_ohm, row.r_ohm_per_km, length_km) / n,
        x_ohm=_whole(row.x_ohm, row.x_ohm_per_km, length_km) / n,
        p_max_kw=row.p_max_kw * n,
        q_max_kvar=row.q_max_kvar * n,
        i_max_a=row.i_max_a * n,
        b_us=(row.b_us + ((row.b_us_per_km or 0.0) + c_us_per_km) * length_km) * n,
        tap=row.tap,
    )


def _whole(total: float | None, per_km: float | None, length_km: float) -> float:
    return total if per_km is None and total is not None else (per_km or 0.0) * length_km
