"""Speed, as ratios against stated rivals in the same run: `make bench`.

The ieee33 equilibrium (and see bench_hosting.py for worker processes against one):

(a) gridbazaar: the agents, from building the market to the certificate.
(b) a script: the paper's algorithms (plain), every problem rebuilt in cvxpy at each solve (bench_script.py).
(c) one central joint SOCP in cvxpy and Clarabel, which knows everybody's private data.
(d) the same problem period by period in Clarabel on all cores, laid out as sparse arrays (bench_central.py).

All settle to a regret of 1e-6 of the turnover or better. Times are medians of alternating runs in this process after
one run of each for the imports; memory is the peak of a `gridbazaar run ieee33` by itself.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import resource
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import Any

import numpy as np
from bench_central import CentralPlanner
from bench_hosting import hosting_table, measure_hosting
from bench_script import script
from rich.console import Console
from rich.table import Table

import gridbazaar.scenarios as gb
from gridbazaar.agents.trade_graph import TradeGraph
from gridbazaar.market.proof.central import equilibrium

TOLERANCE = 1e-6


def main() -> None:
    """Run the benchmark, print its table and write its numbers."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--repeat", type=int, default=5, help="alternating runs of each")
    options.add_argument("--output", type=Path, default=Path("results/bench.json"), help="where the numbers go")
    options.add_argument("--prosumers", type=int, default=2000, help="how many live on worker processes")
    given = options.parse_args()
    found = measure(given.repeat)
    found["hosting"] = measure_hosting(given.repeat, given.prosumers)
    given.output.parent.mkdir(parents=True, exist_ok=True)
    given.output.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    show(found, given.output)


def measure(repeat: int) -> dict[str, Any]:
    """Times, errors against (c), memory, and what machine it was."""
    scenario = gb.load("ieee33", {"market.regret_tolerance": TOLERANCE})
    clearing, homes = scenario.build_clearing(), scenario.build_households()
    graph = TradeGraph([home.name for home in homes], scenario.build_links())
    data = clearing.feeder, clearing.load_kw, clearing.load_kvar, homes, graph
    runs: dict[str, Callable[[], Any]] = {
        "gridbazaar": lambda: scenario.market().run(),
        "script": lambda: script(*data, regret_tolerance=TOLERANCE),
        "central": lambda: equilibrium(*data),
        "by_period": lambda: CentralPlanner(clearing, homes, graph, withdrawals=False, tolerance=TOLERANCE).solve(),
    }
    seconds: dict[str, list[float]] = {name: [] for name in runs}
    answers: dict[str, Any] = {}
    for turn in range(repeat + 1):
        for name, run in runs.items():
            start = perf_counter()
            answers[name] = run()
            if turn:
                seconds[name].append(perf_counter() - start)
    exact = answers["central"]
    return {
        "tolerance": TOLERANCE,
        "seconds": {name: median(times) for name, times in seconds.items()},
        "all_seconds": seconds,
        "elastic_error_kw": {name: float(np.abs(a.elastic_kw - exact.elastic_kw).max()) for name, a in answers.items()},
        "dso_cost_error_usd": {name: abs(a.dso_cost_usd - exact.dso_cost_usd) for name, a in answers.items()},
        "faster_than_script": median(seconds["script"]) / median(seconds["gridbazaar"]),
        "slower_than_central": median(seconds["gridbazaar"]) / median(seconds["central"]),
        "slower_than_by_period": median(seconds["gridbazaar"]) / median(seconds["by_period"]),
        "peak_memory_mib": peak_memory_mib(),
        "machine": {"cores": os.cpu_count(), "python": platform.python_version(), "system": platform.platform()},
    }


def peak_memory_mib() -> float:
    """Peak resident memory of one run of the command line."""
    with TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "gridbazaar.scenarios", "run", "ieee33", "--json", "-o", f"{folder}/run"]
        subprocess.run(command, check=True, capture_output=True)
    return resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024


def show(found: dict[str, Any], file: Path) -> None:
    """Print the table."""
    table = Table(title=f"ieee33 to a regret of {found['tolerance']:g} of the turnover")
    for heading in ("", "seconds (median)", "elastic load off by, kW", "DSO cost off by, $"):
        table.add_column(heading, justify="left" if not heading else "right")
    labels = {
        "gridbazaar": "(a) gridbazaar",
        "script": "(b) script",
        "central": "(c) central SOCP",
        "by_period": "(d) by period",
    }
    for name, label in labels.items():
        errors = found["elastic_error_kw"][name], found["dso_cost_error_usd"][name]
        table.add_row(label, f"{found['seconds'][name]:.3f}", f"{errors[0]:.2f}", f"{errors[1]:.2f}")
    console = Console()
    console.print(table)
    console.print(f"(a) is {found['faster_than_script']:.0f} times faster than (b)")
    console.print(f"(a) takes {found['slower_than_central']:.1f} times as long as (c)")
    console.print(f"(a) takes {found['slower_than_by_period']:.1f} times as long as (d)")
    console.print(hosting_table(found["hosting"]))
    console.print(f"peak memory of a run: {found['peak_memory_mib']:.0f} MiB; written to {file}")


if __name__ == "__main__":
    main()
