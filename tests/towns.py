"""Towns: many prosumers on the IEEE 33-bus feeder or on one of any size, in neighbourhoods that trade."""

from typing import Any

import numpy as np
from grids import grid_clearing

import gridbazaar.scenarios as gb
from gridbazaar.agents import Household, Link
from gridbazaar.network import Clearing

_TOTAL_KW, _KW_PER_BUS = 1500.0, 0.5


def town(prosumers: int, seed: int = 0, *, buses: int | None = None, chain: bool = False) -> dict[str, Any]:
    """What `EnergyMarket` takes: homes of all sizes with PV, named in no order, linked to some of their neighbours.

    They live on ieee33, or on a `grid` with so many buses. In a `chain` each is linked to the next, from first to last.
    """
    rng = np.random.default_rng(seed)
    host = grid_clearing(buses) if buses else gb.load("ieee33").build_clearing()
    clearing = Clearing(host.feeder, 0.5 * host.load_kw, 0.5 * host.load_kvar, host.dt_h)
    stands = np.sort(rng.integers(1, len(host.feeder.buses), prosumers))
    sizes = rng.lognormal(0.0, 0.6, prosumers)
    sizes *= (_KW_PER_BUS * buses if buses else _TOTAL_KW) / sizes.sum()
    hours = np.arange(24) + 0.5
    sun = np.maximum(np.sin((hours - 6) / 12 * np.pi), 0.0)
    names = [f"h{n}" for n in rng.permutation(prosumers)]
    homes = []
    for name, bus, size in zip(names, stands, sizes, strict=True):
        beta, most = rng.uniform(0.25, 0.5), size * rng.uniform(0.5, 1.2)
        homes.append(
            Household(
                name=name,
                bus=host.feeder.names[bus],
                fixed_kw=size * rng.uniform(0.2, 0.6, 24),
                renewable_kw=size * rng.uniform(0.0, 2.0) * sun * (rng.random() < 0.6),
                alpha_usd_per_kw2h=float(rng.uniform(0.1, 0.5) * beta / most),
                beta_usd_per_kwh=float(beta),
                elastic_min_kw=np.full(24, 0.1 * most),
                elastic_max_kw=np.full(24, most),
                bid_max_kw=np.full(24, 4 * size),
            )
        )
    pairs = {(i, i + step) for i in range(prosumers) for step in (1, 2) if rng.random() < 0.8}
    pairs = {(i, i + 1) for i in range(prosumers)} if chain else pairs
    links = [Link(names[i], names[j], float(min(sizes[i], sizes[j]))) for i, j in sorted(pairs) if j < prosumers]
    order = rng.permutation(prosumers)
    return {"clearing": clearing, "households": [homes[i] for i in order], "links": links}
