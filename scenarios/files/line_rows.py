"""The line of a row: whole, or by its length and values per km, and several that are alike side by side."""

from __future__ import annotations

from math import pi

from ...network.elements import Line
from .schema import LineRow


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
