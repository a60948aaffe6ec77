"""A street of homes with batteries, cars and heat pumps, run in this process, beside the joint problem.

    python tests/bench_devices.py [HOMES [DAYS]]

says how long the market takes until nobody gains by deviating, how much memory, and what the joint problem in cvxpy
takes for the same optimum in the same run; by default 50 homes and 7 days of 15 minutes.
"""

from __future__ import annotations

import resource
import sys
from time import perf_counter, process_time

import numpy as np

from gridbazaar.agents import Household, Link
from gridbazaar.agents.devices.battery import Battery
from gridbazaar.agents.devices.device import Device
from gridbazaar.agents.devices.ev import Ev, Trip
from gridbazaar.agents.devices.heat_pump import HeatPump
from gridbazaar.market import EnergyMarket, MarketSettings
from gridbazaar.market.proof.central import equilibrium
from gridbazaar.network import Bus, Clearing, Feeder, Generator, Line

DT_H = 0.25
HOMES_PER_BUS = 5


def street(homes: int, days: int, seed: int = 0) -> tuple[Clearing, list[Household], list[Link]]:
    """A low-voltage street that is fed at one end; each home trades with the next and with one across the street."""
    buses = 1 + -(-homes // HOMES_PER_BUS)
    lines = [Line(str(n), str(n + 1), 0.01, 0.004) for n in range(buses - 1)]
    supply = Generator("grid", "0", 2e-4, 0.15, 0.0, -500.0, 2000.0, -900.0, 900.0)
    feeder = Feeder(tuple(Bus(str(n), 0.9, 1.1) for n in range(buses)), tuple(lines), (supply,), "0", 0.4)
    rng = np.random.default_rng(seed)
    people = [_home(i, str(1 + i // HOMES_PER_BUS), days, rng) for i in range(homes)]
    links = [Link(f"h{i}", f"h{(i + step) % homes}", 5.0) for i in range(homes) for step in (1, homes // 2)]
    hours = np.arange(round(24 * days / DT_H)) * DT_H
    load = np.zeros((buses, hours.size))
    load[-1] = 5.0 + 3.0 * np.sin((hours - 12) / 24 * 2 * np.pi)
    once = {frozenset((link.a, link.b)): link for link in links}
    return Clearing(feeder, load, 0.2 * load, DT_H), people, list(once.values())


def _home(i: int, bus: str, days: int, rng: np.random.Generator) -> Household:
    periods = round(24 * days / DT_H)
    hours = np.arange(periods) * DT_H
    clouds = np.repeat(rng.uniform(0.3, 1.0, days), round(24 / DT_H))
    sun = clouds * np.maximum(0.0, np.sin((hours % 24 - 6) / 12 * np.pi))
    leaves, back = rng.uniform(6.5, 9.0), rng.uniform(15.0, 19.0)
    trips = tuple(
        Trip(leaves_h=24 * d + leaves, returns_h=24 * d + back, energy_kwh=float(rng.uniform(4, 12)), soc_needed=0.5)
        for d in range(days)
    )
    devices: list[Device] = [
        Battery(name="battery", capacity_kwh=10.0, p_charge_max_kw=5.0, p_discharge_max_kw=5.0),
        Ev(name="ev", capacity_kwh=50.0, p_charge_max_kw=11.0, trips=trips),
        HeatPump(
            name="heat_pump", capacity_kwh=15.0, p_max_kw=3.0, cop=3.2 + 0.3 * np.sin(hours / 24 * 2 * np.pi),
            heat_demand_kw=2.0 + rng.uniform(0, 1, periods), loss_per_h=0.01,
        ),
    ]  # fmt: skip
    return Household(
        f"h{i}", bus, fixed_kw=0.3 + 0.5 * rng.uniform(0, 1, periods), renewable_kw=rng.uniform(2, 8) * sun,
        alpha_usd_per_kw2h=float(rng.uniform(0.03, 0.08)), beta_usd_per_kwh=float(rng.uniform(0.25, 0.4)),
        elastic_min_kw=0.0, elastic_max_kw=2.0, bid_max_kw=25.0, feed_in_max_kw=10.0, dt_h=DT_H,
        devices=tuple(devices),
    )  # fmt: skip


def main(homes: int = 50, days: int = 7) -> None:
    """Run it and say how long it took."""
    clearing, people, links = street(homes, days)
    start, before = perf_counter(), process_time()
    market = EnergyMarket(clearing, people, links, settings=MarketSettings())
    result = market.run()
    taken, computed = perf_counter() - start, process_time() - before
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    phases = ", ".join(f"{phase} {seconds:.0f} s" for phase, seconds in result.seconds.items())
    print(f"{homes} homes, {clearing.periods} periods: {result.message} in {taken:.0f} s ({phases})")
    print(f"{computed:.0f} s of a core, {memory:.2f} GiB")
    print(f"{sum(result.sharing_rounds)} rounds, {result.clearings} clearings; {result.certificate}")
    start = perf_counter()
    best = equilibrium(clearing.feeder, clearing.load_kw, clearing.load_kvar, people, market.graph, withdrawals=True)
    print(
        f"the joint problem: {perf_counter() - start:.0f} s, welfare ${best.welfare_usd - result.welfare_usd:.2g} more"
    )


if __name__ == "__main__":
    main(*(int(word) for word in sys.argv[1:]))
