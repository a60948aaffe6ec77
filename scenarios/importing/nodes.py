"""The points of a pandapower network that its power flow tells apart, and what the scenario calls them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from ..errors import refuse
from ..files.text import as_name
from .elements import called
from .network import Remarks


@dataclass(frozen=True, slots=True)
class Nodes:
    """The points that the external grid feeds; buses that closed switches join are one.

    Attributes:
        of_bus: The point of each bus of the network that is fed, by their numbers.
        names: By point its name.
        kv: By point its nominal voltage, kV.
        v_pu: By point its voltage in the power flow, pu.
    """

    of_bus: Mapping[int, int]
    names: Mapping[int, str]
    kv: Mapping[int, float]
    v_pu: Mapping[int, float]

    def name(self, bus: int) -> str:
        """What a bus of the network, which is fed, is called."""
        return self.names[self.of_bus[bus]]


def read_nodes(net: Any, title: str) -> tuple[Nodes, Remarks]:
    """The points of a network whose power flow has been solved.

    Raises:
        ScenarioError: A closed switch joins different nominal voltages.
    """
    lookup = net._pd2ppc_lookups["bus"]
    supplied = net.bus.index[net.res_bus["vm_pu"].notna()]
    of_bus = {int(k): int(lookup[k]) for k in supplied}
    members: dict[int, list[int]] = {}
    for bus, node in of_bus.items():
        members.setdefault(node, []).append(bus)
    said = []
    for buses in members.values():
        first = called(net, "bus", buses[0])
        for other in buses[1:]:
            other_kv, own_kv = float(net.bus["vn_kv"][other]), float(net.bus["vn_kv"][buses[0]])
            if other_kv != own_kv:
                sentence = f"{called(net, 'bus', other)} of {other_kv:g} kV and {first} of {own_kv:g} kV are one point"
                raise refuse(title, "", f"{sentence} by a closed switch; open it, or put the transformer there")
            said.append(f"{called(net, 'bus', other)}: one point with {first}, by a closed switch or no impedance")
    names, renamed = _names(net, {node: buses[0] for node, buses in members.items()})
    kv = {node: float(net.bus["vn_kv"][buses[0]]) for node, buses in members.items()}
    for k, node in _stars(net):
        names[node] = _free(f"star of {called(net, 'trafo3w', k)}", set(names.values()))
        kv[node] = float(net.bus["vn_kv"][net.trafo3w["hv_bus"][k]])
    v_pu = {node: float(net._ppc["bus"][node, 7].real) for node in names}
    return Nodes(of_bus, names, kv, v_pu), Remarks(approximations=(*said, *renamed))


def _names(net: Any, first: Mapping[int, int]) -> tuple[dict[int, str], list[str]]:
    """By point the name of its first bus where no other point has it, else the number; and a sentence for each lost.

    Where no bus has a name, nothing is lost.
    """
    given = {node: net.bus["name"][bus] for node, bus in first.items()}
    written = {node: "" if pd.isna(name) else as_name(" ".join(str(name).split())) for node, name in given.items()}
    count = Counter(written.values())
    names = {node: name for node, name in written.items() if name and count[name] == 1}
    taken, said = set(names.values()), []
    for node, bus in first.items():
        if node in names:
            continue
        names[node] = _free(str(bus), taken)
        taken.add(names[node])
        if any(written.values()):
            why = f"{count[written[node]]} buses have this name" if written[node] else "it has no name"
            said.append(f"{called(net, 'bus', bus)}: {why}, so it is called {names[node]}")
    return {node: names[node] for node in first}, said


def _free(name: str, taken: set[str]) -> str:
    while name in taken:
        name += "'"
    return name


def _stars(net: Any) -> list[tuple[int, int]]:
    """Each three-winding transformer that is fed, and the point in its middle."""
    if not len(net.trafo3w):
        return []
    nodes = net._pd2ppc_lookups["bus"][net._pd2ppc_lookups["aux"]["trafo3w"]]
    fed = net._ppc["bus"][nodes, 1].real != 4
    used = net.trafo3w["in_service"].astype(bool).to_numpy() & fed & np.isfinite(net._ppc["bus"][nodes, 7].real)
    return [(int(k), int(node)) for k, node, on in zip(net.trafo3w.index, nodes, used, strict=True) if on]
