"""Time and memory against the number of prosumers, beside rivals that solve the same problem: `make bench-scale`.

(a) gridbazaar: the agents, until their certificate says 1e-4, or 1e-6, of the turnover.
(b) a script: the paper's algorithms, every problem rebuilt in cvxpy at each solve; ieee33 alone.
(c) one joint problem of all periods in cvxpy and Clarabel.
(d) the same problem period by period in Clarabel on all cores, laid out and set up once (bench_central.py), until the
    duality gap is 1e-4, or 1e-6, of the welfare.

(b) to (d) need somebody who knows everybody's private data. Each measurement runs in a process of its own, one after
the other (bench_rivals.py); a rival that has not ended in time is left out at larger sizes. "Off" is the difference in
welfare from the most accurate answer of that size, which (c) gives, or (d) to 1e-6 where (c) takes too long, as a part
of the DSO's cost, which is most of the turnover. In all these markets the welfare is smaller than that, so (d) is asked
for a little more than (a); its interior point gives more than it is asked for anyway.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from bench_figure import draw
from bench_rivals import PAPER, knows_buses
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

SIZES = "3,30,300,2000,10000,100000:3000"
TOLERANCES = 1e-4, 1e-6
LABELS = {"gridbazaar": "(a) gridbazaar", "script": "(b) script", "joint": "(c) joint", "by_period": "(d) by period"}
_WIDTH = 100  # of the table
_EXACT = {"joint": 1e-8}
"""Rivals that have one accuracy."""


@dataclass
class Measured:
    """One measurement.

    Attributes:
        rival, prosumers, buses, tolerance: What was measured; buses 0 are the 33 of ieee33.
        ended: Why there is no answer; empty where there is one.
        found: What bench_rivals.py says.
    """

    rival: str
    prosumers: int
    buses: int
    tolerance: float
    ended: str = ""
    found: dict[str, Any] = field(default_factory=dict)

    @property
    def seconds(self) -> float:
        """Set-up and solution."""
        return float(self.found["setup_s"] + self.found["solve_s"])


def main() -> None:
    """Run the benchmark, print its table, write its numbers and draw its figure."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--sizes", default=SIZES, help=f"prosumers, or prosumers:buses ({SIZES})")
    options.add_argument("--rivals", default=",".join(LABELS), help="which of them")
    options.add_argument("--limit", type=float, default=300.0, help="seconds that a measurement may take")
    options.add_argument("--memory-gib", type=float, default=4.0, help="memory that a measurement may take")
    options.add_argument("--output", type=Path, default=Path("results/bench_scale.json"))
    options.add_argument("--figure", type=Path, default=Path("results/bench_scale.svg"))
    given = options.parse_args()
    console, done = Console(), list[Measured]()
    console.width = max(console.width, _WIDTH)
    if "gridbazaar" in given.rivals:
        _measured(Measured("gridbazaar", 10, 0, 1e-4), given.limit, given.memory_gib)  # what is compiled once is kept
    for prosumers, buses in _sizes(given.sizes, console):
        for rival in given.rivals.split(","):
            for tolerance in TOLERANCES if rival not in _EXACT else (_EXACT[rival],):
                late = any(each.ended for each in done if (each.rival, each.tolerance) == (rival, tolerance))
                if late or (rival == "script" and prosumers != PAPER):
                    continue
                with console.status(f"{LABELS[rival]}, {prosumers:,} prosumers, to {tolerance:g}"):
                    done.append(_measured(Measured(rival, prosumers, buses, tolerance), given.limit, given.memory_gib))
    machine = {"cores": os.cpu_count(), "python": platform.python_version(), "system": platform.platform()}
    console.print(_table(done))
    for file in (given.output, given.figure):
        file.parent.mkdir(parents=True, exist_ok=True)
    told = {"limit_s": given.limit, "machine": machine, "measured": [asdict(each) for each in done]}
    given.output.write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")
    draw(told, LABELS, given.figure)
    console.print(f"written to {given.output} and {given.figure}")


def _sizes(text: str, console: Console) -> list[tuple[int, int]]:
    """Prosumers and buses of each size."""
    pairs = [part.partition(":") for part in text.split(",")]
    sizes = [(int(prosumers), int(buses or 0)) for prosumers, _, buses in pairs]
    if not knows_buses():
        for prosumers, buses in (size for size in sizes if size[1]):
            console.print(
                f"{prosumers:,} prosumers on {buses:,} buses are left out: town() knows one feeder, of 33 buses"
            )
        sizes = [size for size in sizes if not size[1]]
    return sizes


def _measured(asked: Measured, limit_s: float, memory_gib: float) -> Measured:
    """A measurement, in a process of its own."""
    words = [asked.rival, str(asked.prosumers), str(asked.tolerance), "--buses", str(asked.buses)]
    command = [
        sys.executable,
        str(Path(__file__).with_name("bench_rivals.py")),
        *words,
        "--memory-gib",
        str(memory_gib),
    ]
    one_thread = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, check=False, timeout=limit_s, env=os.environ | one_thread
        )
    except subprocess.TimeoutExpired:
        asked.ended = f"more than {limit_s:g} s"
        return asked
    if done.returncode == 0:
        asked.found = json.loads(done.stdout.splitlines()[-1])
        if not asked.found.get("settled", True):
            asked.ended = f"not settled: regret {asked.found['regret']:.1e}"
    elif "memory" in done.stderr.lower():
        asked.ended = f"more than {memory_gib:g} GiB"
    else:
        asked.ended = (done.stderr.strip().splitlines() or [f"ended with {done.returncode}"])[-1][:60]
    return asked


def _table(done: list[Measured]) -> Table:
    table = Table(title="the equilibrium of markets of all sizes, 24 hours", box=SIMPLE_HEAD, padding=(0, 1, 0, 0))
    for heading in ("prosumers", "", "to", "set-up s", "solve s", "rounds", "clearings", "MiB", "off"):
        table.add_column(heading, justify="left" if not heading else "right", no_wrap=True)
    for each in done:
        head = f"{each.prosumers:,}", LABELS[each.rival], f"{each.tolerance:.0e}"
        found = each.found
        if each.ended:
            table.add_row(*head, "", *[""] * 4, each.ended)
            continue
        clearings = "+".join(str(found[key]) for key in ("clearings", "elastic_clearings") if found.get(key))
        times = f"{found['setup_s']:.2f}", f"{found['solve_s']:.2f}"
        counts = str(found.get("rounds", "")), clearings, f"{found['memory_mib']:.0f}"
        table.add_row(*head, *times, *counts, f"{_off(each, done):.0e}")
    return table


def _off(one: Measured, done: list[Measured]) -> float:
    """By how much the welfare differs from that of the most accurate answer, as a part of the DSO's cost."""
    of_size = [each for each in done if (each.prosumers, each.buses) == (one.prosumers, one.buses) and not each.ended]
    exact = min(of_size, key=lambda each: (each.tolerance, each.rival != "by_period")).found
    return abs(float(one.found["welfare_usd"]) - float(exact["welfare_usd"])) / float(exact["dso_cost_usd"])


if __name__ == "__main__":
    main()
