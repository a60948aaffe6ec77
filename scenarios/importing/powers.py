"""What is drawn and fed in in a pandapower network: loads by bus, machines with their costs and limits.

All powers are those of the power flow of the original, so scalings and shares that follow the voltage are in them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pandas as pd

from ...network.elements import Generator
from ..errors import refuse
from ..runs.amounts import energy
from .costs import Cost, cost_of, zero_if_missing
from .elements import called
from .network import Machine, Remarks

SUN = "sun"
"""Name of the profile of what is called PV."""
MARGIN = 4.0
"""A limit that is not given is so many times all that loads and machines do together."""
NOTHING_KVA = 1e-6
UNLIMITED_MW = 1e6
"""Power limits from here on stand for none."""
LOADS = ("load", "motor", "asymmetric_load")
"""Tables of what draws power as people use it."""
_FED = ("sgen", "gen", "asymmetric_sgen")
_ZIP = tuple(f"const_{part}{which}_percent" for part in "zi" for which in ("", "_p", "_q"))
_BY_VOLTAGE = {"shunt": "a shunt", "ward": "a ward, whose constant admittance is"}


def loads(net: Any, *tables: str) -> Iterator[tuple[int, complex]]:
    """Bus of the network, and kW + j kvar, of what draws power there in the solved power flow."""
    for table in tables:
        result = net[f"res_{table}"]
        for k in net[table].index[net[table]["in_service"].astype(bool)]:
            yield (
                int(net[table]["bus"][k]),
                1e3 * complex(zero_if_missing(result["p_mw"][k]), zero_if_missing(result["q_mvar"][k])),
            )


def constants(drawn_kw: Mapping[str, complex]) -> tuple[Machine, ...]:
    """What draws the same at all hours (shunts, iron of transformers), by bus, kW + j kvar: machines that feed in less.

    The load of a bus follows its profile, which these do not.
    """
    return tuple(
        Machine(
            Generator(f"constant at {bus}", bus, 0.0, 0.0, 0.0, -kva.real, -kva.real, -kva.imag, -kva.imag),
            -kva.real,
            -kva.imag,
            fixed=True,
        )
        for bus, kva in drawn_kw.items()
        if abs(kva) > NOTHING_KVA
    )


def load_remarks(net: Any, bus_names: Mapping[int, str]) -> Remarks:
    """Which of the loads at these buses are no constant powers in the original."""
    said = []
    for k in _used(net, "load", bus_names):
        shares = _shares(net, k)
        if shares:
            told = ", ".join(f"{key} {percent:g}" for key, percent in shares.items())
            said.append(f"{called(net, 'load', k)}: constant power as at its voltage now, though it has {told}")
    for table, what in _BY_VOLTAGE.items():
        for k in _used(net, table, bus_names):
            kvar = 1e3 * zero_if_missing(net[f"res_{table}"]["q_mvar"][k])
            said.append(
                f"{called(net, table, k)}: {what} taken for a constant power ({kvar:.4g} kvar as at its voltage now)"
            )
    said += [
        f"{called(net, table, k)}: the sum of its phases, balanced"
        for table in ("asymmetric_load", "asymmetric_sgen")
        for k in _used(net, table, bus_names)
    ]
    return Remarks(approximations=tuple(said))


def by_voltage(net: Any, bus_names: Mapping[int, str]) -> tuple[str, ...]:
    """What follows the voltage in the original, and is a constant power here: first generators, which hold it."""
    generators = [k for k in _used(net, "gen", bus_names) if not bool(net.gen["slack"][k])]
    drawing = [k for k in _used(net, "load", bus_names) if _shares(net, k)]
    return (
        *(f"reactive power of {called(net, 'gen', k)}" for k in generators),
        *(called(net, "load", k) for k in drawing),
        *(called(net, table, k) for table in _BY_VOLTAGE for k in _used(net, table, bus_names)),
    )


def _shares(net: Any, k: int) -> dict[str, float]:
    """By column how much of a load follows the voltage, percent."""
    row = net.load.loc[k]
    return {key: float(row[key]) for key in _ZIP if key in row and zero_if_missing(row[key])}


def machines(net: Any, bus_names: Mapping[int, str], title: str) -> tuple[tuple[Machine, ...], Remarks]:
    """What feeds in, but the external grid.

    Args:
        net: The solved network.
        bus_names: Names of the buses that are supplied.
        title: What the network is called.

    Raises:
        ScenarioError: A cost is none that a generator may have.
    """
    found, approximations, defaults = [], [], []
    for table in _FED:
        rows = net[table]
        for k, row in rows[rows["in_service"].astype(bool)].iterrows():
            if row["bus"] not in bus_names or (table == "gen" and bool(row.get("slack", False))):
                continue
            machine = _machine(net, table, k, bus_names[row["bus"]], title)
            found.append(machine)
            what = called(net, table, k)
            if table == "gen":
                cost = "" if not machine.fixed else "; it has no costs, so it feeds in what it does now"
                sentence = f"{what}: it holds {row['vm_pu']:g} pu in the original; voltage control is not modelled"
                approximations.append(f"{sentence}, its {machine.q_kvar:.4g} kvar are those of the power flow{cost}")
            elif not machine.fixed and cost_of(net, table, k, title) is None:
                defaults.append(f"{what}: it may be curtailed and costs nothing, for it has no costs")
    return tuple(found), Remarks(approximations=tuple(approximations), defaults=tuple(defaults))


def _machine(net: Any, table: str, k: int, bus: str, title: str) -> Machine:
    row, result = net[table].loc[k], net[f"res_{table}"].loc[k]
    p_kw, q_kvar = 1e3 * zero_if_missing(result["p_mw"]), 1e3 * zero_if_missing(result["q_mvar"])
    cost = cost_of(net, table, k, title)
    free = _is(row.get("controllable"), otherwise=table == "gen") and (cost is not None or table == "sgen")
    low, high = (_kilo(row.get(key), otherwise) for key, otherwise in (("min_p_mw", 0.0), ("max_p_mw", p_kw)))
    q_low, q_high = (_kilo(row.get(f"{end}_q_mvar"), q_kvar) if free else q_kvar for end in ("min", "max"))
    if not free:
        low = high = p_kw
    if low > high or q_low > q_high:
        raise refuse(title, "", f"{called(net, table, k)}: a least power is above the most; correct its limits")
    sunny = table == "sgen" and any(word in str(row.get("type", "")).lower() for word in ("pv", "solar"))
    cost = cost or Cost(0.0, 0.0, 0.0)
    generator = Generator(
        machine_name(net, table, k),
        bus,
        cost.a_usd_per_kw2h,
        cost.b_usd_per_kwh,
        cost.c_usd_per_h,
        low,
        high,
        q_low,
        q_high,
    )
    return Machine(generator, p_kw, q_kvar, SUN if sunny else "", fixed=not free)


def machine_name(net: Any, table: str, k: int) -> str:
    """Its name where no other machine has it, else its table and number."""
    names = [str(name).strip() for other in ("ext_grid", *_FED) for name in net[other]["name"] if not pd.isna(name)]
    name = str(net[table]["name"][k]).strip()
    return name if name and names.count(name) == 1 else f"{table} {k}"


def substation(
    net: Any, table: str, k: int, bus: str, nominal_kw: float, title: str, price_usd_per_kwh: float
) -> tuple[Generator, Remarks]:
    """The external grid as a generator.

    Args:
        net: The solved network.
        table: `ext_grid`, or `gen` for one that is the slack.
        k: Its number.
        bus: Name of its bus.
        nominal_kw: All that loads draw and machines can feed in: limits that are not given are a multiple of it.
        title: What the network is called.
        price_usd_per_kwh: What a kWh costs where it has no costs, a half more at the margin of all that.

    Raises:
        ScenarioError: Its cost is none that a generator may have.
    """
    what, defaults = called(net, table, k), []
    cost = cost_of(net, table, k, title)
    if cost is None or not (cost.a_usd_per_kw2h or cost.b_usd_per_kwh):
        cost = Cost(price_usd_per_kwh / (4 * nominal_kw), price_usd_per_kwh, 0.0)
        rising = f"{price_usd_per_kwh:g} $/kWh, rising to {1.5 * price_usd_per_kwh:g} at {energy(nominal_kw)} kW"
        defaults.append(f"{what}: it has no costs; a kWh costs {rising}, all loads and machines together")
    limits, said = _grid_limits(net, table, k, MARGIN * nominal_kw)
    name = machine_name(net, table, k)
    generator = Generator(name, bus, cost.a_usd_per_kw2h, cost.b_usd_per_kwh, cost.c_usd_per_h, *limits)
    return generator, Remarks(defaults=(*defaults, *said))


def _grid_limits(net: Any, table: str, k: int, most: float) -> tuple[list[float], list[str]]:
    """Limits of the external grid, kW and kvar, and what is said of them; one that its own power breaks is none."""
    row, result, what = net[table].loc[k], net[f"res_{table}"].loc[k], called(net, table, k)
    limits, missing, said = [], [], []
    for power, end in (("p_mw", "min"), ("p_mw", "max"), ("q_mvar", "min"), ("q_mvar", "max")):
        otherwise, now = (-most if end == "min" else most), 1e3 * zero_if_missing(result[power])
        limit = _kilo(row.get(f"{end}_{power}"), otherwise)
        if limit == otherwise:
            missing.append(f"{end}_{power}")
        elif (now - limit) * (1 if end == "max" else -1) > 0:
            sentence = f"{what}: its {end}_{power} of {limit / 1e3:g} is broken by its own {now / 1e3:.4g}"
            said.append(f"{sentence}; {otherwise / 1e3:.4g} instead")
            limit = otherwise
        limits.append(limit)
    if missing:
        said.append(
            f"{what}: no limit {', '.join(missing)}; {energy(most)} kW (kvar), {MARGIN:g} times that, either way"
        )
    return limits, said


def _used(net: Any, table: str, bus_names: Mapping[int, str]) -> list[int]:
    """The elements of a table that are in service at a bus that is supplied."""
    rows = net[table]
    return [k for k in rows.index[rows["in_service"].astype(bool)] if rows["bus"][k] in bus_names]


def _is(value: Any, *, otherwise: bool) -> bool:
    """A truth that may be missing."""
    return otherwise if pd.isna(value) else bool(value)


def _kilo(mega: Any, otherwise: float) -> float:
    """As kW; where that is missing, or as good as infinite, something else."""
    return otherwise if pd.isna(mega) or abs(mega) >= UNLIMITED_MW else 1e3 * float(mega)
