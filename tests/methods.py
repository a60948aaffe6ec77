"""How the methods of Algorithm 2 fare: `make methods` prints the tables that README shows.

ieee33 by method and tolerance, at other slopes of demand and with links 1000 times as wide; then random markets (radial
feeders of 5 to 60 buses, 2 to 20 prosumers, PV and wind, limits that bind), each against its joint optimum.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any

from random_markets import RandomMarket, random_market
from rich.console import Console
from rich.table import Table

import gridbazaar.scenarios as gb
from gridbazaar.agents import Link
from gridbazaar.market import EnergyMarket, MarketSettings, Method, NetworkUse

SOON = {"max_iterations": 15, "max_rounds": 100}  # where methods that need not settle give up on random markets
SOLVER = 1e-6  # what the solvers of both sides leave, as a fraction of DSO cost and utility


@dataclass(frozen=True)
class Run:
    """One run in numbers; regret and gap as fractions of DSO cost and utility."""

    what: str
    method: str
    settled: bool
    clearings: int
    elastic_clearings: int
    rounds: int
    regret: float
    gap: float
    seconds: float


def main() -> None:
    """Run everything, print the tables and write the numbers."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--markets", type=int, default=100, help="random markets")
    options.add_argument("--tolerance", type=float, default=1e-5, help="their regret tolerance")
    options.add_argument("--methods", nargs="*", default=["plain", "newton"], help="tried on them")
    options.add_argument("--output", type=Path, default=Path("results/methods.json"), help="where the numbers go")
    given = options.parse_args()
    console = Console(width=120)
    case = list(paper_case())
    console.print(table("ieee33, 24 hours", case))
    drawn = list(random_runs(given.markets, given.tolerance, [Method(name) for name in given.methods], console))
    console.print(summary(f"{given.markets} random markets, regret tolerance {given.tolerance:g}", drawn))
    given.output.parent.mkdir(parents=True, exist_ok=True)
    given.output.write_text(json.dumps([vars(run) for run in case + drawn], indent=1) + "\n", encoding="utf-8")
    console.print(f"all numbers: {given.output}")


def paper_case() -> Iterator[Run]:
    """ieee33 by method and tolerance, then with the default method at other demands and links."""
    for tolerance in (1e-5, 1e-6, 1e-7):
        for method in Method:
            yield ieee33(f"tolerance {tolerance:g}", method, tolerance)
    for scale in (0.1, 0.3, 2.0):
        for method in (Method.PLAIN, Method.NEWTON):
            yield ieee33(f"alpha x {scale:g}, 1e-06", method, 1e-6, alpha_scale=scale)
    for method in (Method.PLAIN, Method.NEWTON):
        yield ieee33("link caps x 1000, 1e-06", method, 1e-6, cap_scale=1000.0)


def ieee33(what: str, method: Method, tolerance: float, alpha_scale: float = 1.0, cap_scale: float = 1.0) -> Run:
    """One run of the paper's case, with all alphas and link caps scaled."""
    scenario = gb.load("ieee33").changed(alpha_scale=alpha_scale)
    clearing, homes = scenario.build_clearing(), scenario.build_households()
    links = [Link(link.a, link.b, cap_scale * link.cap_kw) for link in scenario.build_links()]
    settings = MarketSettings(method=method, regret_tolerance=tolerance, network_use=NetworkUse.BIDS)
    return timed(what, EnergyMarket(clearing, homes, links, settings=settings), None)


def random_runs(markets: int, tolerance: float, methods: list[Method], console: Console) -> Iterator[Run]:
    """Every method on every market."""
    with console.status("drawing markets") as status:
        for seed in range(markets):
            market = random_market(seed)
            for method in methods:
                status.update(f"market {seed + 1} of {markets}: {method}")
                limits = {} if method in (Method.NEWTON, Method.ADMM) else SOON
                settings = MarketSettings(
                    method=method, regret_tolerance=tolerance, network_use=NetworkUse.BIDS, **limits
                )
                built = EnergyMarket(market.clearing(), market.households, market.links, settings=settings)
                yield timed(f"market {seed}", built, market)


def timed(what: str, market: EnergyMarket, drawn: RandomMarket | None) -> Run:
    """A finished run, held against the joint optimum where there is one."""
    start = perf_counter()
    result = market.run()
    seconds = perf_counter() - start
    turnover = result.dso_cost_usd + float(result.utility_usd.sum())
    if drawn:  # a run that was stopped early may leave loads far from what they are worth
        turnover = drawn.optimum.dso_cost_usd + drawn.optimum.utility_usd
    short = result.dispatch.shortage_cost_usd
    gap = (drawn.optimum.welfare_usd - result.welfare_usd + short) / turnover if drawn else float("nan")
    return Run(
        what,
        market.settings.method,
        result.settled,
        result.clearings,
        result.elastic_clearings,
        sum(result.sharing_rounds),
        result.certificate.total_usd / turnover,
        gap,
        seconds,
    )


def table(title: str, runs: list[Run]) -> Table:
    """One row per run."""
    made = Table("", "method", "settled", "clearings", "sharing rounds", "regret", "seconds", title=title)
    for run in runs:
        clearings = f"{run.clearings}" + (f" + {run.elastic_clearings} elastic" if run.elastic_clearings else "")
        settled = "yes" if run.settled else "no"
        made.add_row(
            run.what, run.method, settled, clearings, str(run.rounds), f"{run.regret:.1e}", f"{run.seconds:.2f}"
        )
    return made


def summary(title: str, runs: list[Run]) -> Table:
    """One row per method; counts are of the runs that settled."""
    heads = ("method", "settled", "clearings, median (most)", "elastic in", "rounds, median (most)")
    made = Table(*heads, "largest welfare gap", "certificate wrong", "seconds", title=title)
    for method in dict.fromkeys(run.method for run in runs):
        own = [run for run in runs if run.method == method]
        good = [run for run in own if run.settled] or own
        wrong = sum(run.gap > run.regret + SOLVER for run in own)
        made.add_row(
            method,
            f"{sum(run.settled for run in own)} of {len(own)}",
            _spread([run.clearings for run in good]),
            str(sum(run.elastic_clearings > 0 for run in good)),
            _spread([run.rounds for run in good]),
            f"{max(run.gap for run in good):.1e}",
            str(wrong),
            f"{sum(run.seconds for run in own):.0f}",
        )
    return made


def _spread(counts: list[Any]) -> str:
    return f"{median(counts):g} ({max(counts)})"


if __name__ == "__main__":
    main()
