"""One measurement of the benchmark of sizes, in a process of its own: `bench_rivals.py RIVAL PROSUMERS TOLERANCE`.

Prints one JSON object. Every rival gets the same market; 3 prosumers are the paper's case `ieee33`, others a town
(towns.py). Laying out and setting up is told apart from solving; making up the town and imports are in neither. Memory
is the peak of the whole process, libraries included.
"""

from __future__ import annotations

import argparse
import json
import resource
from collections.abc import Callable
from inspect import signature
from pathlib import Path
from time import perf_counter, process_time
from typing import Any

from towns import town

import gridbazaar.scenarios as gb
from gridbazaar.agents import PriceTaker, TradeGraph
from gridbazaar.market import EnergyMarket, MarketSettings, MessageFaults, NetworkUse

PAPER = 3
"""The size that means ieee33."""


def market_of(prosumers: int, buses: int, *, chain: bool = False) -> tuple[dict[str, Any], NetworkUse]:
    """What `EnergyMarket` takes of a market of this size, and what of prosumers its network carries."""
    if chain:
        return town(prosumers, chain=True), NetworkUse.BIDS
    if prosumers == PAPER:
        scenario = gb.load("ieee33")
        parts = scenario.build_clearing(), scenario.build_households(), scenario.build_links()
        return dict(zip(("clearing", "households", "links"), parts, strict=True)), NetworkUse.BIDS
    return town(prosumers, **({"buses": buses} if buses else {})), NetworkUse.WITHDRAWALS


def knows_buses() -> bool:
    """Whether towns can have other feeders than the one of 33 buses."""
    return "buses" in signature(town).parameters


def gridbazaar(data: dict[str, Any], use: NetworkUse, tolerance: float, **how: Any) -> dict[str, Any]:
    """The agents, to a certificate of this part of the turnover."""
    start = perf_counter()
    market = EnergyMarket(**data, rng=0, settings=MarketSettings(regret_tolerance=tolerance, network_use=use), **how)
    ready = perf_counter()
    result = market.run()
    return {
        "setup_s": ready - start,
        "solve_s": perf_counter() - ready,
        "welfare_usd": result.welfare_usd,
        "dso_cost_usd": result.dso_cost_usd,
        "settled": result.settled,
        "regret": result.certificate.relative,
        "rounds": sum(result.sharing_rounds),
        "clearings": result.clearings,
        "elastic_clearings": result.elastic_clearings,
    }


def lossy(data: dict[str, Any], use: NetworkUse, tolerance: float) -> dict[str, Any]:
    """The agents, where one quote in ten is lost, and one offer in ten."""
    return gridbazaar(data, use, tolerance, messages=MessageFaults(loss=0.1))


class OfItsOwn(PriceTaker):
    """A behaviour that changes nothing; who has it is asked alone, and not with the others in one call."""


def own_behaviours(data: dict[str, Any], use: NetworkUse, tolerance: float) -> dict[str, Any]:
    """The agents, one in a hundred with a behaviour of its own."""
    some = [home.name for home in data["households"]][::100]
    return gridbazaar(data, use, tolerance, behaviours={name: OfItsOwn() for name in some})


def by_period(data: dict[str, Any], use: NetworkUse, tolerance: float) -> dict[str, Any]:
    """One planner, period by period in Clarabel on all cores (bench_central.py)."""
    from bench_central import CentralPlanner

    homes, withdrawals = data["households"], use is NetworkUse.WITHDRAWALS
    start = perf_counter()
    graph = TradeGraph([home.name for home in homes], data["links"])
    planner = CentralPlanner(data["clearing"], homes, graph, withdrawals=withdrawals, tolerance=tolerance)
    ready = perf_counter()
    found = planner.solve()
    return {"setup_s": ready - start, "solve_s": perf_counter() - ready, **_worth(found)}


def joint(data: dict[str, Any], use: NetworkUse, _: float) -> dict[str, Any]:
    """One planner, all periods in one problem in cvxpy and Clarabel, to Clarabel's own accuracy of 1e-8."""
    from gridbazaar.market.proof.central import equilibrium

    clearing, homes = data["clearing"], data["households"]
    graph = TradeGraph([home.name for home in homes], data["links"])
    start, withdrawals = perf_counter(), use is NetworkUse.WITHDRAWALS
    loads = clearing.load_kw, clearing.load_kvar
    found = equilibrium(clearing.feeder, *loads, homes, graph, withdrawals=withdrawals)
    return {"setup_s": 0.0, "solve_s": perf_counter() - start, **_worth(found)}


def script(data: dict[str, Any], use: NetworkUse, tolerance: float) -> dict[str, Any]:
    """The paper's algorithms with every problem rebuilt in cvxpy at each solve; for the paper's case alone."""
    from bench_script import script as run

    assert use is NetworkUse.BIDS
    clearing, homes = data["clearing"], data["households"]
    graph = TradeGraph([home.name for home in homes], data["links"])
    start = perf_counter()
    found = run(clearing.feeder, clearing.load_kw, clearing.load_kvar, homes, graph, regret_tolerance=tolerance)
    seconds = perf_counter() - start
    utility = sum(home.utility_usd(elastic) for home, elastic in zip(homes, found.elastic_kw, strict=True))
    worth = {"welfare_usd": utility - found.dso_cost_usd, "dso_cost_usd": found.dso_cost_usd}
    return {"setup_s": 0.0, "solve_s": seconds, **worth, "rounds": found.rounds, "clearings": found.clearings}


def _worth(found: Any) -> dict[str, float]:
    return {"welfare_usd": found.welfare_usd, "dso_cost_usd": found.dso_cost_usd}


RIVALS: dict[str, Callable[[dict[str, Any], NetworkUse, float], dict[str, Any]]] = {
    "gridbazaar": gridbazaar,
    "lossy": lossy,
    "own_behaviours": own_behaviours,
    "by_period": by_period,
    "joint": joint,
    "script": script,
}


def main() -> None:
    """Measure one rival once."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("rival", choices=RIVALS)
    options.add_argument("prosumers", type=int)
    options.add_argument("tolerance", type=float)
    options.add_argument("--buses", type=int, default=0, help="of the feeder; 0: the one of 33")
    options.add_argument("--chain", action="store_true", help="homes that trade with the next alone, over no wire")
    options.add_argument("--memory-gib", type=float, default=0.0, help="end where it wants more; 0: no limit")
    given = options.parse_args()
    if given.memory_gib:
        limit = int(given.memory_gib * 2**30)
        resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    data, before = market_of(given.prosumers, given.buses, chain=given.chain), process_time()
    found = RIVALS[given.rival](*data, given.tolerance)
    print(json.dumps({**found, "cpu_s": process_time() - before, "memory_mib": peak_memory_mib()}))


def peak_memory_mib() -> float:
    """The peak of this process; where /proc does not tell, `getrusage` does, which counts that of its parent too."""
    status = Path("/proc/self/status")
    if status.is_file():
        line = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
        return int(line.split()[1]) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    main()
