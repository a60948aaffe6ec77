"""A pandapower network as a radial network of constant powers."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import dataclass
from typing import Any

from ...network.elements import Bus
from .branches import read_branches
from .checks import check_tables, check_values, the_slack, without_empty_lines
from .costs import cost_remarks
from .elements import out_of_use, storage_at_work
from .limits import voltage_limits
from .lines import drawn_kw, lines_of, without_stubs
from .network import Network, Remarks
from .nodes import Nodes, read_nodes
from .pandapower_flow import solve
from .powers import LOADS, constants, load_remarks, loads, machine_name, machines, substation


@dataclass(frozen=True, slots=True)
class Read:
    """What was read, and what the proof holds it against.

    Attributes:
        network: The network.
        original: The pandapower network that was read, its power flow solved; storage is out of service in it.
        bus_names: Name of the bus that each bus of the original is, by its number there.
        machine_elements: By name of a machine the table and number of what it is: `sgen 3`.
        apart: What draws or feeds in in the network as it was given and in neither power flow: its storage.
    """

    network: Network
    original: Any
    bus_names: dict[int, str]
    machine_elements: dict[str, str]
    apart: tuple[str, ...] = ()


def from_pandapower(original: Any, title: str, price_usd_per_kwh: float) -> Read:
    """Read a network.

    Args:
        original: A pandapower network; it stays as it is.
        title: What messages call it.
        price_usd_per_kwh: What a kWh of the external grid costs if it has no costs.

    Raises:
        ScenarioError: It cannot be imported; the sentence names the element.
    """
    net = deepcopy(original)
    remarks = Remarks(left_out=check_tables(net, title))
    check_values(net, title)
    table, slack = the_slack(net, title)
    remarks += without_empty_lines(net)
    apart = storage_at_work(net)
    net.storage["in_service"] = False
    solve(net, title)
    remarks += Remarks(left_out=out_of_use(original, net.res_bus["vm_pu"].notna()))
    nodes, said = read_nodes(net, title)
    branches, earth, open_ends = without_stubs(read_branches(net, title), nodes)
    lines, branch_names, joined = lines_of(branches, nodes, earth, title)
    root_bus = int(net[table]["bus"][slack])
    limits, of_limits = voltage_limits(net, nodes, root_bus, title)
    bus_names = {bus: nodes.name(bus) for bus in nodes.of_bus}
    found, of_machines = machines(net, bus_names, title)
    buses = _buses(net, nodes, limits)
    steady = constants(_steady(net, nodes, drawn_kw(earth, nodes)))
    nominal_kw = sum(abs(bus.p_kw) for bus in buses) + sum(abs(one.generator.p_max_kw) for one in found)
    grid, of_grid = substation(net, table, slack, nodes.name(root_bus), nominal_kw or 1e3, title, price_usd_per_kwh)
    remarks += (
        said + open_ends + joined + load_remarks(net, bus_names) + of_machines + of_limits + of_grid + cost_remarks(net)
    )
    voltage_pu = float(net[table]["vm_pu"][slack])
    network = Network(title, buses, lines, (*found, *steady), grid, voltage_pu, branch_names, remarks=remarks)
    elements = {machine_name(net, kind, k): f"{kind} {k}" for kind in ("sgen", "gen") for k in net[kind].index}
    return Read(network, net, bus_names, elements, apart)


def _buses(net: Any, nodes: Nodes, limits: dict[int, tuple[float, float]]) -> tuple[Bus, ...]:
    """The buses with their loads as constant powers."""
    drawn = dict.fromkeys(nodes.names, 0j)
    for bus, kva in loads(net, *LOADS):
        if bus in nodes.of_bus:
            drawn[nodes.of_bus[bus]] += kva
    return tuple(
        Bus(name, *limits[node], drawn[node].real, drawn[node].imag, nodes.kv[node])
        for node, name in nodes.names.items()
    )


def _steady(net: Any, nodes: Nodes, earthed: dict[int, complex]) -> dict[str, complex]:
    """By bus what is drawn there at all hours, kW + j kvar: by shunts, and by lines and transformers themselves."""
    drawn = dict(earthed)
    for bus, kva in loads(net, "shunt", "ward"):
        if bus in nodes.of_bus:
            drawn[nodes.of_bus[bus]] = drawn.get(nodes.of_bus[bus], 0j) + kva
    return {nodes.names[node]: kva for node, kva in drawn.items()}
