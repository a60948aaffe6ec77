"""Voltage limits of the buses of a pandapower network."""

from __future__ import annotations

from typing import Any

import pandas as pd

from ...network.feeder_checks import VOLTAGE_RANGE_PU
from ..errors import refuse
from .elements import called
from .network import Remarks
from .nodes import Nodes

DEFAULT_PU = (0.9, 1.1)
"""Limits of a bus that has none: those of EN 50160, a tenth either way."""


def voltage_limits(net: Any, nodes: Nodes, root_bus: int, title: str) -> tuple[dict[int, tuple[float, float]], Remarks]:
    """Limits by point, pu: the narrowest of its buses.

    Args:
        net: The network.
        nodes: Its points.
        root_bus: Bus of the external grid, whose limits take in the voltage held there.
        title: What the network is called.

    Raises:
        ScenarioError: A bus has no room between its limits.
    """
    limits: dict[int, tuple[float, float]] = {}
    missing = wide = 0
    low_range, high_range = VOLTAGE_RANGE_PU
    for bus, node in nodes.of_bus.items():
        low, high = (net.bus[key][bus] if key in net.bus else None for key in ("min_vm_pu", "max_vm_pu"))
        missing += bool(pd.isna(low)) + bool(pd.isna(high))
        low, high = (
            default if pd.isna(one) else float(one) for one, default in zip((low, high), DEFAULT_PU, strict=True)
        )
        wide += (low < low_range) + (high > high_range)
        before = limits.get(node, (low_range, high_range))
        limits[node] = max(low, before[0]), min(high, before[1])
    defaults, approximations = [], []
    if missing:
        defaults.append(f"bus: {missing} voltage limits are not given; {DEFAULT_PU[0]:g} and {DEFAULT_PU[1]:g} pu")
    if wide:
        approximations.append(f"bus: {wide} voltage limits beyond {low_range:g} to {high_range:g} pu are set there")
    root, held = nodes.of_bus[root_bus], _held_pu(net, root_bus)
    for node, (low, high) in limits.items():
        if node == root:
            limits[node] = min(low, held), max(high, held)
        elif low >= high:
            first = next(bus for bus, one in nodes.of_bus.items() if one == node)
            sentence = f"{called(net, 'bus', first)}: no voltage is within its limits, {low:g} to {high:g} pu"
            raise refuse(title, "", f"{sentence}; widen them")
    limits |= {node: VOLTAGE_RANGE_PU for node in nodes.names if node not in limits}  # stars of transformers
    return limits, Remarks(approximations=tuple(approximations), defaults=tuple(defaults))


def _held_pu(net: Any, root_bus: int) -> float:
    return float(net.res_bus["vm_pu"][root_bus])
