"""What must hold for a pandapower network before its power flow is asked for, each with its sentence."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd

from ..errors import refuse
from .costs import COSTING
from .elements import ENDS, READ, called
from .network import Remarks

_NEEDED = {
    "bus": ("vn_kv",),
    "line": ("length_km", "r_ohm_per_km", "x_ohm_per_km", "c_nf_per_km", "parallel"),
    "trafo": ("sn_mva", "vn_hv_kv", "vn_lv_kv", "vk_percent", "vkr_percent", "parallel"),
    "impedance": ("rft_pu", "xft_pu", "sn_mva"),
    "ext_grid": ("vm_pu",),
    "gen": ("p_mw", "vm_pu"),
    "shunt": ("p_mw", "q_mvar"),
    **dict.fromkeys(("load", "sgen", "storage"), ("p_mw", "q_mvar", "scaling")),
}
"""Numbers that a power flow cannot do without."""


def check_tables(net: Any, title: str) -> tuple[str, ...]:
    """Refuse an element in service that cannot be read; name the tables that hold nothing that a feeder has.

    Raises:
        ScenarioError: An element of another kind is in service; it names the first.
    """
    left_out = [*_costs_of_others(net)]
    for table in _tables(net):
        if table in READ or table in {"poly_cost", "pwl_cost"}:
            continue
        rows = net[table]
        if "in_service" not in rows:
            left_out.append(f"table {table}: {len(rows):,} rows that no feeder has")
            continue
        used = rows.index[rows["in_service"].astype(bool)]
        if table == "controller":
            left_out += [f"controller {k} ({rows['object'][k]}): {_why_left(rows['object'][k])}" for k in rows.index]
        elif len(used):
            cure = "take it out of service, or put a load (or sgen) of its power in its place"
            raise refuse(title, "", f"{called(net, table, used[0])}: elements of this kind cannot be imported; {cure}")
        else:
            left_out += [f"{called(net, table, k)}: out of service" for k in rows.index]
    return tuple(left_out)


def _why_left(controller: Any) -> str:
    """What leaving out a controller means: one that puts profiles into the network, or one that regulates."""
    if type(controller).__name__ == "ConstControl":
        return "its profile is not read; a day of our own making takes its place"
    return "it acts on neither side"


def _costs_of_others(net: Any) -> Iterator[str]:
    """Costs of what has none in a feeder: of loads, storage and the like."""
    for table in ("poly_cost", "pwl_cost"):
        for k, row in net[table].iterrows():
            if row["et"] not in COSTING:
                yield f"{table} {k}: a {row['et']} ({row['element']}) costs nothing in a feeder"


def _tables(net: Any) -> Iterator[str]:
    """Tables that have rows, results and what is only drawn apart."""
    for table, rows in net.items():
        hidden = table.startswith(("_", "res_")) or table.endswith(("geodata", "std_types"))
        if isinstance(rows, pd.DataFrame) and len(rows) and not hidden:
            yield table


def check_values(net: Any, title: str) -> None:
    """Refuse buses that are not there, numbers that are missing, and transformers and impedances that are none.

    Raises:
        ScenarioError: Naming the first element that is wrong.
    """
    for table in sorted(READ - {"switch"}):
        if not len(net[table]):
            continue
        rows = net[table][net[table]["in_service"].astype(bool)]
        for column in () if table == "bus" else ENDS.get(table, ("bus",)):
            for k in rows.index[~rows[column].isin(net.bus.index)]:
                sentence = f"{called(net, table, k)}: its {column} is {rows[column][k]}, and there is no such bus"
                raise refuse(title, "", f"{sentence}; correct it")
        for column in _NEEDED.get(table, ()):
            for k in rows.index[~np.isfinite(rows[column].astype(float))]:
                raise refuse(title, "", f"{called(net, table, k)}: {column} is no number; give one")
    _check_windings(net, title)
    for k, row in net.impedance[net.impedance["in_service"].astype(bool)].iterrows():
        if not row["rft_pu"] and not row["xft_pu"]:
            cure = "give it, or put a closed switch there"
            raise refuse(title, "", f"{called(net, 'impedance', k)}: it has no impedance (rft_pu, xft_pu); {cure}")


def _check_windings(net: Any, title: str) -> None:
    """Refuse a transformer that is turned round, or has no impedance."""
    for table, sides in (("trafo", ("hv", "lv")), ("trafo3w", ("hv", "mv", "lv"))):
        for k, row in net[table][net[table]["in_service"].astype(bool)].iterrows():
            for side in sides:
                rated, nominal = float(row[f"vn_{side}_kv"]), float(net.bus["vn_kv"][row[f"{side}_bus"]])
                if not 0.5 < rated / nominal < 2:
                    sentence = (
                        f"{called(net, table, k)}: its {side} winding of {rated:g} kV is at a bus of {nominal:g} kV"
                    )
                    raise refuse(title, "", f"{sentence}; is it turned round? swap its buses")
        short = net.trafo.index[net.trafo["in_service"].astype(bool) & ~(net.trafo["vk_percent"] > 0)]
        for k in short:
            raise refuse(title, "", f"{called(net, 'trafo', k)}: it has no impedance (vk_percent); give it")


def the_slack(net: Any, title: str) -> tuple[str, int]:
    """Table and number of the one external grid.

    Raises:
        ScenarioError: There is none, or another.
    """
    found = [("ext_grid", k) for k in net.ext_grid.index[net.ext_grid["in_service"].astype(bool)]]
    slack = net.gen["in_service"].astype(bool) & net.gen["slack"].astype(bool)
    found += [("gen", k) for k in net.gen.index[slack]]
    named = [f"{called(net, *one)} at {called(net, 'bus', net[one[0]]['bus'][one[1]])}" for one in found]
    if not found:
        raise refuse(title, "", "no external grid is in service; put one (ext_grid) at the bus of the substation")
    if len(found) > 1:
        sentence = f"there are {len(found)} external grids, {' and '.join(named[:3])}, and a radial feeder has one"
        raise refuse(title, "", f"{sentence}; take the others out of service")
    return found[0]


def without_empty_lines(net: Any) -> Remarks:
    """Make a closed switch of each line that has no impedance: power flows divide by it."""
    from pandapower import create_switch

    ohm = np.hypot(net.line["r_ohm_per_km"], net.line["x_ohm_per_km"]) * net.line["length_km"]
    opened = set(net.switch["element"][(net.switch["et"] == "l") & ~net.switch["closed"].astype(bool)])
    said = []
    for k in net.line.index[net.line["in_service"].astype(bool) & (ohm == 0)]:
        if k not in opened:
            said.append(f"{called(net, 'line', k)}: it has no impedance, so its ends are one point")
            create_switch(net, net.line["from_bus"][k], net.line["to_bus"][k], "b")
        net.line.loc[k, "in_service"] = False
    return Remarks(approximations=tuple(said))
