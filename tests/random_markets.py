"""Random markets that any method must cope with: radial feeders with binding limits, prosumers of all sizes."""

from dataclasses import dataclass, replace

import numpy as np

from gridbazaar.agents import Household, Link
from gridbazaar.agents.trade_graph import TradeGraph
from gridbazaar.market.proof.central import Equilibrium, equilibrium
from gridbazaar.network import Bus, Clearing, Feeder, Generator, Line, SolverError


@dataclass(frozen=True)
class RandomMarket:
    """A market and its joint optimum."""

    feeder: Feeder
    load_kw: np.ndarray
    load_kvar: np.ndarray
    households: list[Household]
    links: list[Link]
    optimum: Equilibrium

    def clearing(self) -> Clearing:
        """The DSO's market."""
        return Clearing(self.feeder, self.load_kw, self.load_kvar, self.households[0].dt_h)


def random_market(
    seed: int,
    *,
    buses: tuple[int, int] = (5, 60),
    prosumers: tuple[int, int] = (2, 20),
    feed_in: bool = False,
    fees: bool = False,
    withdrawals: bool = False,
) -> RandomMarket:
    """A radial feeder of 5 to 60 buses, 2 to 20 prosumers with PV and wind, a random trade graph, limits that bind.

    Some prosumers may feed in, bids and links have fees, and the network carries withdrawals, if that is asked for.
    """
    rng = np.random.default_rng(seed)
    periods = int(rng.choice([1, 6, 12, 24]))
    dt_h = 24.0 / periods if periods > 1 else 1.0
    feeder, load_kw = _feeder(rng, int(rng.integers(buses[0], buses[1] + 1)), periods)
    homes = _households(rng, feeder, int(rng.integers(prosumers[0], prosumers[1] + 1)), periods, dt_h)
    links = _links(rng, homes)
    homes, links = _tariffs(seed, homes, links, feed_in=feed_in, fees=fees)
    graph = TradeGraph([home.name for home in homes], links)
    load_kvar = 0.3 * load_kw
    free = equilibrium(feeder, load_kw, load_kvar, homes, graph, withdrawals=withdrawals)
    for share in (rng.uniform(0.2, 0.6), 0.1, 0.02):
        bound = _bind(rng, feeder, Clearing(feeder, load_kw, load_kvar, dt_h), homes, free, share)
        try:
            optimum = equilibrium(bound, load_kw, load_kvar, homes, graph, withdrawals=withdrawals)
        except SolverError:
            continue
        if Clearing(bound, load_kw, load_kvar, dt_h).clear(0 * load_kw).shortage_cost_usd == 0:
            return RandomMarket(bound, load_kw, load_kvar, homes, links, optimum)
    return RandomMarket(feeder, load_kw, load_kvar, homes, links, free)


def _feeder(rng: np.random.Generator, count: int, periods: int) -> tuple[Feeder, np.ndarray]:
    peak = np.concatenate([[0.0], rng.uniform(10, 120, count - 1)])
    buses = [Bus(str(n), 0.85, 1.15) for n in range(count)]
    lines = []
    for n in range(1, count):
        parent = int(rng.integers(max(0, n - 6), n))
        lines.append(Line(str(parent), str(n), float(rng.uniform(0.05, 0.8)), float(rng.uniform(0.05, 0.6))))
    supply = Generator("substation", "0", float(rng.uniform(5e-6, 1e-4)), 0.12, 0, 0, 20_000, -10_000, 10_000)
    machines = [supply]
    for k in range(int(rng.integers(0, 3))):
        at, slope, cost = str(rng.integers(1, count)), float(rng.uniform(5e-5, 5e-4)), float(rng.uniform(0.1, 0.2))
        machines.append(Generator(f"g{k}", at, slope, cost, 0, 0, float(rng.uniform(100, 600)), -200, 200))
    feeder = Feeder(tuple(buses), tuple(lines), tuple(machines), "0", 12.66)
    peaks = dict(zip((str(n) for n in range(count)), peak, strict=True))
    shape = rng.uniform(0.4, 1.0, periods)
    return feeder, np.outer([peaks[name] for name in feeder.names], shape)


def _households(rng: np.random.Generator, feeder: Feeder, count: int, periods: int, dt_h: float) -> list[Household]:
    hours = (np.arange(periods) + 0.5) * 24 / periods
    sun = np.maximum(np.sin((hours - 6) / 12 * np.pi), 0.0) if periods > 1 else np.ones(1)
    homes = []
    for i in range(count):
        size = float(np.exp(rng.uniform(np.log(3), np.log(400))))
        own = size * rng.uniform(0, 2.5) * (sun if rng.random() < 0.6 else rng.uniform(0.1, 1.0, periods))
        most = size * rng.uniform(0.3, 1.2)
        beta = rng.uniform(0.25, 0.6)
        homes.append(
            Household(
                name=f"p{i + 1}",
                bus=str(rng.integers(1, len(feeder.buses))),
                fixed_kw=size * rng.uniform(0.1, 0.8) * rng.uniform(0.5, 1.0, periods),
                renewable_kw=own,
                alpha_usd_per_kw2h=float(rng.uniform(0.05, 0.6) * beta / most),
                beta_usd_per_kwh=float(beta),
                elastic_min_kw=np.full(periods, most * rng.uniform(0, 0.3)),
                elastic_max_kw=np.full(periods, most),
                bid_max_kw=np.full(periods, 4 * size),
                dt_h=dt_h,
            )
        )
    return homes


def _links(rng: np.random.Generator, homes: list[Household]) -> list[Link]:
    chance = rng.uniform(0.2, 1.0)
    links = []
    for i, one in enumerate(homes):
        for j in range(i):
            if (rng.random() < chance and len(homes) < 8) or j == i - 1 or rng.random() < 0.15:
                cap = float(rng.choice([0.3, 1.0, 5.0, 1000.0])) * max(one.fixed_kw.max(), homes[j].fixed_kw.max())
                links.append(Link(homes[j].name, one.name, cap))
    return links


def _tariffs(
    seed: int, homes: list[Household], links: list[Link], *, feed_in: bool, fees: bool
) -> tuple[list[Household], list[Link]]:
    """The same, where some may feed in and there are fees, if that is asked for; drawn apart from all the rest."""
    rng = np.random.default_rng([seed, 1])
    charged = []
    for home in homes:
        most = home.bid_max_kw * rng.choice([0.0, 0.3, 1.0])
        grid, feed = 0.05 * rng.uniform(0, 1), 0.01 * rng.uniform(0, 1)
        charged.append(
            replace(
                home,
                feed_in_max_kw=feed_in * most,
                grid_fee_usd_per_kwh=fees * grid,
                feed_in_fee_usd_per_kwh=fees * feed,
            )
        )
    return charged, [replace(link, fee_usd_per_kwh=fees * float(rng.choice([0.0, 0.01, 0.03]))) for link in links]


def _bind(
    rng: np.random.Generator,
    feeder: Feeder,
    clearing: Clearing,
    homes: list[Household],
    free: Equilibrium,
    share: float,
) -> Feeder:
    """The feeder with limits between what its own load needs and what the free optimum uses, so that they bind."""
    at_bus = np.zeros_like(clearing.load_kw)
    np.add.at(at_bus, [feeder.index(home.bus) for home in homes], np.maximum(free.bid_kw, 0))
    idle, busy = clearing.clear(0 * at_bus), clearing.clear(at_bus)
    lines, buses = list(feeder.lines), list(feeder.buses)
    extra = busy.p_flow_kw.max(axis=1) - idle.p_flow_kw.max(axis=1)
    for n in rng.choice(np.arange(1, len(buses)), size=min(2, len(buses) - 1), replace=False):
        if extra[n] > 1 and idle.p_flow_kw[n].min() >= 0:
            limit = busy.p_flow_kw[n].max() - share * extra[n]
            lines[n - 1] = replace(lines[n - 1], p_max_kw=float(max(limit, idle.p_flow_kw[n].max() + 1)))
    if rng.random() < 0.5:
        drop = idle.v_pu.min() - busy.v_pu.min()
        low = busy.v_pu.min() + share * drop
        if drop > 1e-4 and low < 1.0:
            buses = [replace(bus, v_min_pu=float(low)) for bus in buses]
    return Feeder(tuple(buses), tuple(lines), feeder.generators, feeder.root, feeder.base_kv)
