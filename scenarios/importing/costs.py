"""What a kWh of a machine or of the external grid costs in a pandapower network."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pandas as pd

from ..errors import refuse
from .elements import called
from .network import Remarks

COSTING = ("ext_grid", "gen", "sgen")
"""Tables of what may have costs."""


@dataclass(frozen=True, slots=True)
class Cost:
    """Cost `a p^2 + b p + c`, $/h with p in kW."""

    a_usd_per_kw2h: float
    b_usd_per_kwh: float
    c_usd_per_h: float


def cost_of(net: Any, table: str, k: int, title: str) -> Cost | None:
    """The cost of an element, or None; euros are taken for dollars.

    Raises:
        ScenarioError: It is none that a generator may have: of several slopes, not convex, or of reactive power.
    """
    pieces = _rows_of(net.pwl_cost, table, k)
    for index, row in pieces.iterrows():
        points = list(row["points"])
        where = f"pwl_cost {index} of {called(net, table, k)}"
        if str(row["power_type"]) != "p" or len(points) != 1:
            raise refuse(title, "", f"{where}: only a cost of one slope can be imported; give it as a poly_cost")
        return Cost(0.0, float(points[0][2]) / 1e3, 0.0)
    for index, row in _rows_of(net.poly_cost, table, k).iterrows():
        where = f"poly_cost {index} of {called(net, table, k)}"
        if zero_if_missing(row["cq1_eur_per_mvar"]) or zero_if_missing(row["cq2_eur_per_mvar2"]):
            raise refuse(title, "", f"{where}: reactive power costs nothing here; take cq1 and cq2 out")
        square, linear = zero_if_missing(row["cp2_eur_per_mw2"]) / 1e6, zero_if_missing(row["cp1_eur_per_mw"]) / 1e3
        if square < 0:
            raise refuse(title, "", f"{where}: cp2_eur_per_mw2 is negative, so the cost is not convex; give 0 or more")
        return Cost(square, linear, zero_if_missing(row["cp0_eur"]))
    return None


def cost_remarks(net: Any) -> Remarks:
    """What is said where costs are read."""
    some = any(net[table]["et"].isin(COSTING).any() for table in ("poly_cost", "pwl_cost") if len(net[table]))
    return Remarks(defaults=("costs: their unit of money is taken for a dollar",) if some else ())


def _rows_of(costs: pd.DataFrame, table: str, k: int) -> pd.DataFrame:
    return costs[(costs["et"] == table) & (costs["element"] == k)]


def zero_if_missing(value: Any) -> float:
    """A number that may be missing: 0 then."""
    return 0.0 if pd.isna(value) else float(value)
