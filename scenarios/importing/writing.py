"""A scenario folder of an imported network: its YAML file and tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pandas as pd
import yaml

from ...network.elements import Bus
from .hours import Hours
from .network import Machine, Network
from .prosumers import Link, Prosumer

_DIGITS = "%.15g"
_GENERATOR_COLUMNS = {"p_min_profile": "", "p_max_profile": ""}


def write_scenario(
    folder: Path, network: Network, prosumers: Sequence[Prosumer], links: Sequence[Link], hours: Hours
) -> None:
    """Write the YAML file, which is called as its folder, and its tables.

    Args:
        folder: Where; it is there already.
        network: What is written, its loads less those of the prosumers.
        prosumers, links: Who trades.
        hours: Profiles.

    Raises:
        OSError: It cannot be written.
    """
    tables = {
        "buses": [_bus(network, bus) for bus in network.buses],
        "lines": [asdict(line) for line in network.lines],
        "generators": [asdict(network.substation) | _GENERATOR_COLUMNS, *map(_machine, network.machines)],
        "prosumers": [asdict(prosumer) for prosumer in prosumers],
        "links": [asdict(link) for link in links],
    }
    for table, rows in tables.items():
        if rows:
            pd.DataFrame(rows).to_csv(folder / f"{table}.csv", index=False, float_format=_DIGITS)
    periods = pd.DataFrame({key: list(values) for key, values in hours.profiles.items()})
    periods.index = pd.RangeIndex(1, len(periods) + 1, name="period")
    periods.to_csv(folder / "profiles.csv", float_format=_DIGITS)
    text = yaml.safe_dump(_stated_once(network, tables, hours), sort_keys=False, allow_unicode=True, width=110)
    (folder / f"{folder.name}.yaml").write_text(
        f"# Written by `gridbazaar import`; README.md says what is whose.\n{text}", "utf-8"
    )


def _stated_once(network: Network, tables: Mapping[str, Sequence[object]], hours: Hours) -> dict[str, Any]:
    """What stands in the YAML file."""
    feeder = {
        "base_kv": network.base_kv,
        "root": network.substation.bus,
        "root_voltage_pu": network.root_voltage_pu,
        "load_profile": hours.load_profile,
        **{table: f"{table}.csv" for table in ("buses", "lines", "generators") if tables[table]},
    }
    market = {table: f"{table}.csv" for table in ("prosumers", "links") if tables[table]}
    return {"title": network.title, "dt_h": hours.dt_h, "profiles": "profiles.csv", "feeder": feeder, **market}


def _bus(network: Network, bus: Bus) -> dict[str, Any]:
    row = asdict(bus)
    return {"bus": row.pop("name"), **row, "profile": network.load_profiles.get(bus.name, "")}


def _machine(machine: Machine) -> dict[str, Any]:
    least = machine.profile if machine.fixed else ""
    return asdict(machine.generator) | {"p_min_profile": least, "p_max_profile": machine.profile}
