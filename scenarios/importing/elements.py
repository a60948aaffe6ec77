"""The elements of a pandapower network: what they are called, which can be read, and which take no part."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pandas as pd

READ = frozenset(
    {"bus", "line", "trafo", "trafo3w", "impedance", "switch", "ext_grid", "gen", "storage"}
    | {"load", "sgen", "shunt", "ward", "motor", "asymmetric_load", "asymmetric_sgen"}
)
"""The tables of elements that are read."""
ENDS = {
    "line": ("from_bus", "to_bus"),
    "trafo": ("hv_bus", "lv_bus"),
    "trafo3w": ("hv_bus", "mv_bus", "lv_bus"),
    "impedance": ("from_bus", "to_bus"),
}
"""The columns that name buses, where that is not `bus`."""
_SWITCHED = {"l": "line", "t": "trafo", "t3": "trafo3w"}


def called(net: Any, table: str, index: object) -> str:
    """An element as messages name it: `line 3 (Cable A)`."""
    name = net[table]["name"].get(index) if "name" in net[table] else None
    written = "" if pd.isna(name) else " ".join(str(name).split())
    return f"{table} {index} ({written})" if written and written != str(index) else f"{table} {index}"


def out_of_use(net: Any, supplied: pd.Series[bool]) -> tuple[str, ...]:
    """A sentence for every element that takes no part in the power flow.

    Args:
        net: The network.
        supplied: By bus whether the external grid feeds it.
    """
    said: list[str] = []
    for table in sorted(READ - {"switch", "storage"}):
        rows = net[table]
        for k in rows.index:
            if not bool(rows["in_service"][k]):
                said.append(f"{called(net, table, k)}: out of service")
                continue
            ends = [rows[column][k] for column in ENDS.get(table, ("bus",))] if table != "bus" else [k]
            dead = [end for end in ends if not supplied[end]]
            if dead and table == "bus":
                said.append(f"{called(net, table, k)}: no line in use leads there from the external grid")
            elif dead:
                said.append(f"{called(net, table, k)}: its {called(net, 'bus', dead[0])} is not supplied")
    return (*said, *_open_switches(net), *_storage(net))


def _open_switches(net: Any) -> Iterator[str]:
    for k, row in net.switch[~net.switch["closed"].astype(bool)].iterrows():
        at = called(net, "bus", row["bus"])
        if row["et"] == "b":
            yield f"{called(net, 'switch', k)}: open between {at} and {called(net, 'bus', row['element'])}"
        else:
            branch = called(net, _SWITCHED[row["et"]], row["element"])
            yield f"{branch}: open at {at} ({called(net, 'switch', k)})"


def storage_at_work(net: Any) -> tuple[str, ...]:
    """The storage that is in service and charges or discharges."""
    rows = net.storage
    power = rows[["p_mw", "q_mvar"]].mul(rows["scaling"], axis=0)
    used = rows["in_service"].astype(bool) & (power.fillna(0.0) != 0).any(axis=1)
    return tuple(called(net, "storage", k) for k in rows.index[used])


def _storage(net: Any) -> Iterator[str]:
    for k, row in net.storage.iterrows():
        kw = 1000 * row["p_mw"] * row["scaling"]
        yield f"{called(net, 'storage', k)}: storage is not imported; it draws {kw:g} kW in the original"
