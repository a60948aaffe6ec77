"""A line by its length and values per km: what may be given, and what contradicts itself."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

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
