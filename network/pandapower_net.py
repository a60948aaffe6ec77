"""A feeder as a network of pandapower: the same power flow, with names, ratings, limits and taps.

power = import_pandapower("the AC replay")
net = pandapower_net(power, feeder)   # no loads and no generators yet; bus n of the feeder is bus n of the net

A line between buses of one voltage is a line, one with a tap or between two voltages a transformer, one without any
impedance a closed switch. pandapower's line has no limit on active or reactive power: these stand in columns of their
own, `p_max_mw` and `q_max_mvar` of `net.line` and `net.trafo`.
"""

from __future__ import annotations

from importlib import import_module
from math import inf, nan, pi, sqrt
from typing import Any

import numpy as np

from .elements import NOMINAL_HZ
from .errors import InputError
from .feeder import Feeder

UNBOUNDED_PERCENT = 1e12
"""What a transformer without a rating may be loaded to: it has 1 MVA, for pandapower must have some."""


def import_pandapower(purpose: str) -> Any:
    """The module, which is an extra and takes two seconds to import.

    Args:
        purpose: What it is needed for, as the beginning of a sentence.

    Raises:
        InputError: It is not installed.
    """
    try:
        return import_module("pandapower")
    except ImportError:
        raise InputError(f"{purpose} needs pandapower, which is missing: pip install 'gridbazaar[grid]'") from None


def pandapower_net(power: Any, feeder: Feeder, frequency_hz: float = NOMINAL_HZ) -> Any:
    """The network of a feeder: buses, lines, transformers, closed switches, and the grid that holds the root's voltage.

    Args:
        power: The module pandapower.
        feeder: The feeder.
        frequency_hz: What charging is told as a capacitance at.
    """
    net = power.create_empty_network(sn_mva=1.0, f_hz=frequency_hz)
    for bus, kv in zip(feeder.buses, feeder.kv, strict=True):
        power.create_bus(net, vn_kv=float(kv), name=bus.name, min_vm_pu=bus.v_min_pu, max_vm_pu=bus.v_max_pu)
    for n in range(1, len(feeder.buses)):
        _branch(power, net, feeder, n)
    power.create_ext_grid(net, bus=0, vm_pu=feeder.root_voltage_pu)
    return net


def _branch(power: Any, net: Any, feeder: Feeder, n: int) -> None:
    """The line that feeds bus n as what it is in pandapower."""
    line, parent = feeder.lines[n - 1], int(feeder.parent[n])
    is_line = feeder.kv[n] == feeder.kv[parent] and line.tap == 1
    if is_line and line.r_ohm == line.x_ohm == 0:
        rating = {} if line.i_max_a == inf else {"in_ka": line.i_max_a / 1e3}
        power.create_switch(net, bus=parent, element=n, et="b", name=line.name, **rating)
        _shunts(power, net, feeder, n)
    elif is_line:
        _line(power, net, feeder, n)
    else:
        _transformer(power, net, feeder, n)
        _shunts(power, net, feeder, n)


def _line(power: Any, net: Any, feeder: Feeder, n: int) -> None:
    line = feeder.lines[n - 1]
    power.create_line_from_parameters(
        net,
        from_bus=int(feeder.parent[n]),
        to_bus=n,
        length_km=1.0,
        r_ohm_per_km=line.r_ohm,
        x_ohm_per_km=line.x_ohm,
        c_nf_per_km=1e3 * line.b_us / (2 * pi * net.f_hz),
        max_i_ka=_limit(line.i_max_a),
        name=line.name,
        **_limits(feeder, n),
    )


def _transformer(power: Any, net: Any, feeder: Feeder, n: int) -> None:
    """A transformer with its tap at the sending end; its rated power is that of its current, at the lower voltage."""
    line, parent = feeder.lines[n - 1], int(feeder.parent[n])
    low_kv = float(feeder.line_kv[n])
    sends_from_above = feeder.kv[parent] >= feeder.kv[n]
    high, low = (parent, n) if sends_from_above else (n, parent)
    sn_mva = 1.0 if line.i_max_a == inf else sqrt(3) * low_kv * line.i_max_a / 1e3
    loading = {"max_loading_percent": UNBOUNDED_PERCENT} if line.i_max_a == inf else {}
    per_ohm = 100.0 * sn_mva / low_kv**2
    tap = {
        "tap_side": "hv" if sends_from_above else "lv",
        "tap_neutral": 0,
        "tap_pos": 1,
        "tap_step_percent": 100 * (line.tap - 1),
        "tap_changer_type": "Ratio",
    }
    power.create_transformer_from_parameters(
        net,
        hv_bus=high,
        lv_bus=low,
        sn_mva=sn_mva,
        vn_hv_kv=float(feeder.kv[high]),
        vn_lv_kv=float(feeder.kv[low]),
        vkr_percent=line.r_ohm * per_ohm,
        vk_percent=float(np.hypot(line.r_ohm, line.x_ohm)) * per_ohm,
        pfe_kw=0.0,
        i0_percent=0.0,
        name=line.name,
        **(_limits(feeder, n) | loading),
        **(tap if line.tap != 1 else {}),
    )


def _limits(feeder: Feeder, n: int) -> dict[str, float]:
    """What bounds the flow through a line in an optimal power flow, and what pandapower has no limit for."""
    line = feeder.lines[n - 1]
    limits = {"p_max_mw": _limit(line.p_max_kw), "q_max_mvar": _limit(line.q_max_kvar)}
    return limits | ({"max_loading_percent": 100.0} if line.i_max_a < inf else {})


def _limit(value: float) -> float:
    """A limit in thousands; none is no number to pandapower."""
    return nan if value == inf else value / 1e3


def _shunts(power: Any, net: Any, feeder: Feeder, n: int) -> None:
    """What a transformer or a coupler charges, half of it at either end."""
    line = feeder.lines[n - 1]
    if line.b_us:
        charged_mvar = 0.5e-6 * line.b_us * float(feeder.line_kv[n]) ** 2
        for end in (int(feeder.parent[n]), n):
            power.create_shunt(net, bus=end, q_mvar=-charged_mvar, vn_kv=float(feeder.kv[end]), name=line.name)
