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

from .arrays import FloatArray
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
    limits = {"min_vm_pu": feeder.v_min_pu, "max_vm_pu": feeder.v_max_pu}
    power.create_buses(net, len(feeder.buses), vn_kv=feeder.kv, name=list(feeder.names), **limits)
    power.create_ext_grid(net, bus=0, vm_pu=feeder.root_voltage_pu)
    lines = []
    for n in range(1, len(feeder.buses)):
        line, parent = feeder.lines[n - 1], int(feeder.parent[n])
        if feeder.kv[n] != feeder.kv[parent] or line.tap != 1:
            _transformer(power, net, feeder, n)
        elif line.r_ohm == line.x_ohm == 0:
            rating = {} if line.i_max_a == inf else {"in_ka": line.i_max_a / 1e3}
            power.create_switch(net, bus=parent, element=n, et="b", name=line.name, **rating)
        else:
            lines.append(n)
            continue
        _shunts(power, net, feeder, n)
    if lines:
        _lines(power, net, feeder, lines)
    return net


def _lines(power: Any, net: Any, feeder: Feeder, fed: list[int]) -> None:
    """The lines that feed some buses, all at once: one by one they take pandapower 10 ms each."""
    rated = np.where(np.isfinite(feeder.i_max_a[fed]), 100.0, nan)
    power.create_lines_from_parameters(
        net,
        from_buses=feeder.parent[fed],
        to_buses=fed,
        length_km=1.0,
        r_ohm_per_km=feeder.r_ohm[fed],
        x_ohm_per_km=feeder.x_ohm[fed],
        c_nf_per_km=1e3 * feeder.b_us[fed] / (2 * pi * net.f_hz),
        max_i_ka=_thousands(feeder.i_max_a[fed]),
        max_loading_percent=rated,
        name=[feeder.line_name(n) for n in fed],
        p_max_mw=_thousands(feeder.p_max_kw[fed]),
        q_max_mvar=_thousands(feeder.q_max_kvar[fed]),
    )


def _transformer(power: Any, net: Any, feeder: Feeder, n: int) -> None:
    """A transformer with its tap at the sending end; its rated power is that of its current, at the lower voltage."""
    line, parent = feeder.lines[n - 1], int(feeder.parent[n])
    low_kv = float(feeder.line_kv[n])
    sends_from_above = feeder.kv[parent] >= feeder.kv[n]
    high, low = (parent, n) if sends_from_above else (n, parent)
    sn_mva = 1.0 if line.i_max_a == inf else sqrt(3) * low_kv * line.i_max_a / 1e3
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
        max_loading_percent=UNBOUNDED_PERCENT if line.i_max_a == inf else 100.0,
        p_max_mw=float(_thousands(feeder.p_max_kw[n])),
        q_max_mvar=float(_thousands(feeder.q_max_kvar[n])),
        **(tap if line.tap != 1 else {}),
    )


def _thousands(limits: FloatArray) -> FloatArray:
    """Limits in MW, Mvar or kA; none is no number to pandapower."""
    return np.where(np.isfinite(limits), limits / 1e3, nan)


def _shunts(power: Any, net: Any, feeder: Feeder, n: int) -> None:
    """What a transformer or a coupler charges, half of it at either end."""
    line = feeder.lines[n - 1]
    if line.b_us:
        charged_mvar = 0.5e-6 * line.b_us * float(feeder.line_kv[n]) ** 2
        for end in (int(feeder.parent[n]), n):
            power.create_shunt(net, bus=end, q_mvar=-charged_mvar, vn_kv=float(feeder.kv[end]), name=line.name)
