"""Random markets whose physics bind: PV up to three times the load, feed-in, power that is worth nothing or less."""

from dataclasses import dataclass, replace

import cvxpy as cp
import numpy as np

from gridbazaar.agents import Household, Link
from gridbazaar.market import EnergyMarket, Result
from gridbazaar.market.settings import MarketSettings, NetworkUse
from gridbazaar.network import Bus, Clearing, Feeder, Generator, Line


@dataclass(frozen=True)
class PhysicalMarket:
    """A feeder with its loads and generators by period, and prosumers."""

    clearing: Clearing
    households: list[Household]
    links: list[Link]

    def run(self, network_use: NetworkUse | str, **settings: object) -> Result:
        """The market run to its end."""
        chosen = MarketSettings(network_use=NetworkUse(network_use), **settings)
        return EnergyMarket(self.clearing, self.households, self.links, settings=chosen, rng=1).run()

    def cured(self, less_kw: dict[str, float], period: int) -> "PhysicalMarket":
        """The same with other loads in a period, (bus: change in kW)."""
        clearing = self.clearing
        load = clearing.load_kw.copy()
        for bus, change in less_kw.items():
            load[clearing.feeder.index(bus), period] += change
        limits = {"p_gen_min_kw": clearing.p_gen_min_kw, "p_gen_max_kw": clearing.p_gen_max_kw}
        again = Clearing(clearing.feeder, load, clearing.load_kvar, clearing.dt_h, **limits)
        return replace(self, clearing=again)


def physical_market(seed: int, buses: tuple[int, int] = (3, 30), homes: tuple[int, int] = (2, 8)) -> PhysicalMarket:
    """LV or MV, 1 to 8 periods; solar parks (some must run), a surplus that is paid to go in some hours, ratings."""
    rng = np.random.default_rng(seed)
    low = rng.random() < 0.5
    kv = 0.4 if low else float(rng.choice([10.0, 12.66, 20.0]))
    size = float(np.exp(rng.uniform(*np.log((2, 60) if low else (300, 20_000)))))
    periods = int(rng.choice([1, 3, 8]))
    dt_h = 24 / periods if periods > 1 else 1.0
    sun = (
        np.maximum(np.sin(np.pi * ((np.arange(periods) + 0.5) / periods * 2 - 0.5)), 0.0) if periods > 1 else np.ones(1)
    )
    feeder, load = _feeder(rng, int(rng.integers(buses[0], buses[1] + 1)), kv, size)
    machines, most, least = _machines(rng, len(feeder.buses), size, sun)
    feeder = replace(feeder, generators=tuple(machines))
    shape = rng.uniform(0.4, 1.0, periods)
    order = [int(name) for name in feeder.names]
    load_kw = np.outer(load[order], shape)
    limits = {"p_gen_min_kw": np.array(least), "p_gen_max_kw": np.array(most)}
    clearing = Clearing(feeder, load_kw, 0.3 * load_kw, dt_h, **limits)
    people = [
        _household(rng, f"p{k}", str(rng.integers(1, len(order))), size / 6, sun, dt_h)
        for k in range(1, int(rng.integers(homes[0], homes[1] + 1)) + 1)
    ]
    names = [home.name for home in people]
    pairs = [(a, b) for i, a in enumerate(names) for b in names[i + 1 :] if rng.random() < 0.5]
    return PhysicalMarket(clearing, people, [Link(a, b, float(rng.uniform(0.02, 0.3) * size)) for a, b in pairs])


def _feeder(rng: np.random.Generator, count: int, kv: float, size: float) -> tuple[Feeder, np.ndarray]:
    """A tree whose loads, `size` kW in all, let the voltage fall by 2 to 6 %."""
    load = rng.uniform(0, 1, count)
    load[0] = 0.0
    load *= size / load.sum()
    parent = [0, *(int(rng.integers(max(0, n - 4), n)) for n in range(1, count))]
    z, flow, drop = rng.uniform(0.3, 1, count), load.copy(), np.zeros(count)
    for n in range(count - 1, 0, -1):
        flow[parent[n]] += flow[n]
    for n in range(1, count):
        drop[n] = drop[parent[n]] + z[n] * flow[n]
    z *= rng.uniform(0.02, 0.06) / drop.max() * kv**2 * 1000
    angle = np.arctan(rng.uniform(0.2, 2.0))
    lines = []
    for n in range(1, count):
        rated = {}
        if rng.random() < 0.15:
            rated = {"p_max_kw": float(flow[n] * rng.uniform(1.2, 2.5))}
        elif rng.random() < 0.1:
            rated = {"i_max_a": float(flow[n] * rng.uniform(1.3, 2.5) / kv / 3**0.5)}
        lines.append(Line(str(parent[n]), str(n), float(z[n] * np.cos(angle)), float(z[n] * np.sin(angle)), **rated))
    grid = Generator("grid", "0", 0.0, 0.2, 0, 0, 4 * size, -4 * size, 4 * size)
    return Feeder(tuple(Bus(str(n), 0.92, 1.06) for n in range(count)), tuple(lines), (grid,), "0", kv), load


def _machines(
    rng: np.random.Generator, buses: int, size: float, sun: np.ndarray
) -> tuple[list[Generator], list[np.ndarray], list[np.ndarray]]:
    """The grid (some take power back), a surplus at a price below 0 in some hours, and solar parks."""
    back = -3 * size if rng.random() < 0.6 else 0.0
    slope = float(rng.choice([0.0, 0.1 / size]))
    machines = [Generator("grid", "0", slope, 0.2, 0, back, 4 * size, -4 * size, 4 * size)]
    most, least = [np.full(sun.size, 4 * size)], [np.full(sun.size, back)]
    if rng.random() < 0.6:
        machines.append(Generator("surplus", "0", 0.0, float(rng.choice([0.0, -0.05, -0.1])), 0, 0, 3 * size, 0, 0))
        most.append(3 * size * (rng.random(sun.size) < 0.5))
        least.append(np.zeros(sun.size))
    for k in range(int(rng.integers(0, 3))):
        park, must = float(rng.uniform(0.2, 1.5) * size), rng.random() < 0.2
        q = 0.3 * park if rng.random() < 0.4 else 0.0
        cost = float(rng.choice([0.0, 0.0, -0.05, 0.02]))
        machines.append(Generator(f"pv{k}", str(rng.integers(1, buses)), 0.0, cost, 0, 0, park, -q, q))
        most.append(park * sun)
        least.append(park * sun if must else np.zeros(sun.size))
    return machines, most, least


def _household(rng: np.random.Generator, name: str, bus: str, size: float, sun: np.ndarray, dt_h: float) -> Household:
    """PV up to three times its load; most may feed in, and some pay fees."""
    size *= float(np.exp(rng.uniform(-1.5, 0.7)))
    beta = float(rng.uniform(0.15, 0.6))
    fees = rng.random() < 0.3
    return Household(
        name=name,
        bus=bus,
        fixed_kw=0.5 * size * rng.uniform(0.3, 1.0, sun.size),
        renewable_kw=float(rng.uniform(0, 3)) * size * sun,
        alpha_usd_per_kw2h=beta / size * float(rng.uniform(0.2, 1.0)),
        beta_usd_per_kwh=beta,
        elastic_min_kw=np.zeros(sun.size),
        elastic_max_kw=np.full(sun.size, size),
        bid_max_kw=np.full(sun.size, 2 * size),
        feed_in_max_kw=np.full(sun.size, 3 * size if rng.random() < 0.7 else 0.0),
        grid_fee_usd_per_kwh=0.03 if fees else 0.0,
        feed_in_fee_usd_per_kwh=0.01 if fees else 0.0,
        dt_h=dt_h,
    )


def gains_usd(market: PhysicalMarket, result: Result) -> float:
    """What all prosumers could gain by deviating, each alone, at the prices of a result, by cvxpy: the true regret."""
    graph, periods = result.graph, result.bid_kw.shape[1]
    seen = result.network_use is NetworkUse.WITHDRAWALS
    homes, dt_h = market.households, result.dt_h
    shape, arcs = (len(homes), periods), 2 * len(graph.links)
    owned = np.zeros((len(homes), max(arcs, 1)))
    if arcs:
        owned[graph.owner, np.arange(arcs)] = 1.0
    bid, elastic, curtailed = (cp.Variable(shape) for _ in range(3))
    trade = cp.Variable((max(arcs, 1), periods))
    # a trade costs its owner the sharing price and half of the network's charge, which both ends pay to the DSO
    price = np.zeros((max(arcs, 1), periods))
    if arcs:
        price[graph.forward] = result.price_usd_per_kwh
        price[graph.backward] = result.price_usd_per_kwh
        if seen:
            lmp = result.lmp_usd_per_kwh
            price += (lmp[graph.owner] - lmp[graph.partner]) / 2
    of = {
        key: np.array([getattr(home, key) for home in homes])
        for key in ("fixed_kw", "renewable_kw", "elastic_min_kw", "elastic_max_kw", "bid_max_kw", "feed_in_max_kw")
    }
    column = {
        key: np.array([[getattr(home, key)] * periods for home in homes])
        for key in ("alpha_usd_per_kw2h", "beta_usd_per_kwh", "grid_fee_usd_per_kwh", "feed_in_fee_usd_per_kwh")
    }
    cap = np.zeros((max(arcs, 1), periods))
    if arcs:
        cap += graph.cap_kw[graph.link][:, None]

    def cost(b: object, e: object, t: object) -> object:
        fees = cp.multiply(column["grid_fee_usd_per_kwh"], cp.pos(b)) + cp.multiply(
            column["feed_in_fee_usd_per_kwh"], cp.neg(b)
        )
        utility = cp.multiply(column["beta_usd_per_kwh"], e) - cp.multiply(column["alpha_usd_per_kw2h"], cp.square(e))
        return dt_h * cp.sum(cp.multiply(result.lmp_usd_per_kwh, b) + fees - utility) + dt_h * cp.sum(
            cp.multiply(price, t)
        )

    limits = [
        bid + of["renewable_kw"] - curtailed + owned @ trade == of["fixed_kw"] + elastic,
        curtailed >= 0,
        curtailed <= of["renewable_kw"],
        elastic >= of["elastic_min_kw"],
        elastic <= of["elastic_max_kw"],
        bid <= of["bid_max_kw"],
        bid >= -of["feed_in_max_kw"],
        cp.abs(trade) <= cap,
    ]
    problem = cp.Problem(cp.Minimize(cost(bid, elastic, trade)), limits)
    problem.solve(solver=cp.CLARABEL)
    now = np.zeros((max(arcs, 1), periods))
    if arcs:
        now[graph.forward], now[graph.backward] = result.trade_kw, -result.trade_kw
    return float(cost(result.bid_kw, result.elastic_kw, now).value) - float(problem.value)
