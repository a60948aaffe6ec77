"""Prosumers for a network that has none: at buses with loads, each of the size of the load there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations

import networkx as nx
import numpy as np

from ..errors import refuse
from ..files.import_row import Links
from .hours import Hours
from .network import Network

FIXED_SHARE = 0.5
"""Part of the load of its bus that is a prosumer's fixed load; the bus keeps the rest, and all reactive power."""
ELASTIC_SHARE = 0.5
"""Its elastic load is at most this part of that load."""
PV_SHARES = 0.5, 1.5
"""Peak of its PV, in parts of that load; every second prosumer has some."""
FEE = 0.1
"""Fee on what is bought from the DSO and on what is sold to it, in parts of the price: what trading saves."""
_LEAST_KW = 0.01
_MOST_ALPHA = 10.0
_WORTH = 1.6, 2.4
_LEAST_WORTH = 0.6


@dataclass(frozen=True, slots=True)
class Prosumer:
    """A row of the table of prosumers; see `files.schema.ProsumerRow`."""

    name: str
    bus: str
    alpha_usd_per_kw2h: float
    beta_usd_per_kwh: float
    elastic_max_kw: float
    bid_max_kw: float
    feed_in_max_kw: float
    grid_fee_usd_per_kwh: float
    feed_in_fee_usd_per_kwh: float
    fixed_peak_kw: float
    fixed_profile: str
    renewable: str
    renewable_peak_kw: float


@dataclass(frozen=True, slots=True)
class Link:
    """A row of the table of links."""

    a: str
    b: str
    cap_kw: float


def stands(network: Network, count: int, seed: int) -> tuple[str, ...]:
    """Buses with loads that prosumers stand at, drawn with a seed, in the network's order; one may be there twice.

    Raises:
        ScenarioError: No bus has a load.
    """
    at = [n for n, bus in enumerate(network.buses) if bus.p_kw > _LEAST_KW and bus.name != network.substation.bus]
    if not at:
        raise refuse(
            network.title, "", "no bus but that of the external grid has a load, so no prosumer can stand there"
        )
    order = np.random.default_rng(seed).permutation(at)
    return tuple(network.buses[n].name for n in sorted(int(order[k % len(order)]) for k in range(count)))


def elastic_kw(network: Network, at: Sequence[str]) -> dict[str, float]:
    """By bus what elastic loads draw at the most when loads are as given."""
    return {bus.name: ELASTIC_SHARE * bus.p_kw for bus in network.buses if bus.name in at}


def place(
    network: Network, at: Sequence[str], peak: float, seed: int, hours: Hours
) -> tuple[Network, tuple[Prosumer, ...]]:
    """Put prosumers at buses: each takes over a part of the load there, and has elastic load and PV of its size.

    Args:
        network: The network.
        at: The bus of each.
        peak: Largest share of the given loads that the day has, which elastic loads follow.
        seed: Of what they have.
        hours: Whose profiles their loads and PV have.

    Returns:
        The network with what loads are left, and the prosumers.
    """
    rng = np.random.default_rng((seed, len(at)))
    loads = {bus.name: bus.p_kw for bus in network.buses}
    grid = network.substation
    price = grid.b_usd_per_kwh + grid.a_usd_per_kw2h * peak * sum(max(kw, 0.0) for kw in loads.values())
    made = []
    for k, bus in enumerate(at, start=1):
        load_kw = loads[bus] / at.count(bus)
        elastic_kw, worth = _digits(ELASTIC_SHARE * peak * load_kw), rng.uniform(*_WORTH)
        pv_kw = _digits(peak * load_kw * rng.uniform(*PV_SHARES)) if k % 2 else 0.0
        made.append(
            Prosumer(
                name=f"p{k}",
                bus=bus,
                alpha_usd_per_kw2h=min(_digits(price * (worth - _LEAST_WORTH) / (2 * elastic_kw)), _MOST_ALPHA),
                beta_usd_per_kwh=_digits(price * worth),
                elastic_max_kw=elastic_kw,
                bid_max_kw=_digits(2 * load_kw),
                feed_in_max_kw=pv_kw,
                grid_fee_usd_per_kwh=_digits(FEE * price),
                feed_in_fee_usd_per_kwh=_digits(FEE * price),
                fixed_peak_kw=FIXED_SHARE * load_kw,
                fixed_profile=network.load_profiles.get(bus, hours.load_profile),
                renewable=hours.sun_profile if pv_kw else "",
                renewable_peak_kw=pv_kw,
            )
        )
    left = tuple(replace(bus, p_kw=(1 - FIXED_SHARE) * bus.p_kw) if bus.name in at else bus for bus in network.buses)
    return replace(network, buses=left), tuple(made)


def linked(network: Network, prosumers: Sequence[Prosumer], links: Links) -> tuple[Link, ...]:
    """Who may trade with whom, and how much: at most what the smaller of both may buy of the grid.

    Args:
        network: The network.
        prosumers: Who may trade.
        links: All with all, in a ring, or each with those two that are nearest by impedance.
    """
    count = len(prosumers)
    if links is Links.COMPLETE:
        pairs = list(combinations(range(count), 2))
    elif links is Links.RING:
        pairs = [(k, (k + 1) % count) for k in range(count)] if count > 2 else list(combinations(range(count), 2))
    else:
        pairs = _nearest(network, prosumers)
    return tuple(
        Link(prosumers[a].name, prosumers[b].name, min(prosumers[a].bid_max_kw, prosumers[b].bid_max_kw) / 2)
        for a, b in sorted({tuple(sorted(pair)) for pair in pairs})
    )


def _nearest(network: Network, prosumers: Sequence[Prosumer]) -> list[tuple[int, int]]:
    """Pairs of each prosumer and the two that are nearest to it."""
    graph: nx.Graph[str] = nx.Graph()
    kv = {bus.name: bus.base_kv for bus in network.buses}
    graph.add_nodes_from(kv)
    for line in network.lines:
        pu = abs(complex(line.r_ohm, line.x_ohm)) / min(kv[line.from_bus], kv[line.to_bus]) ** 2
        graph.add_edge(line.from_bus, line.to_bus, pu=pu)
    pairs = []
    for k, prosumer in enumerate(prosumers):
        away: Mapping[str, float] = nx.single_source_dijkstra_path_length(graph, prosumer.bus, weight="pu")
        others = sorted((away[other.bus], n) for n, other in enumerate(prosumers) if n != k)
        pairs += [(k, n) for _, n in others[:2]]
    return pairs


def _digits(value: float) -> float:
    """Three digits: nothing made up is known more closely."""
    return float(f"{value:.3g}")
