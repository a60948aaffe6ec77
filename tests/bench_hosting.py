"""Speed of worker processes against this process alone, for many prosumers and for three: part of `make bench`."""

from __future__ import annotations

from statistics import median
from time import perf_counter
from typing import Any

from rich.table import Table
from towns import town

import gridbazaar.scenarios as gb
from gridbazaar.market import EnergyMarket, Hosting, Workers

WORKERS = 2
ROUNDS = 15


def measure_hosting(repeat: int, prosumers: int) -> dict[str, Any]:
    """Medians of alternating runs: rounds of a town, here and on workers, and whole runs of ieee33."""
    data = town(prosumers)
    scenario = gb.load("ieee33")
    _, first_start = _whole_run(scenario, Workers(WORKERS))  # the fork server loads what workers need
    times: dict[str, list[float]] = {
        key: [] for key in ("here", "workers", "carrying", "small", "small_workers", "start")
    }
    for turn in range(repeat + 1):
        here, _ = _rounds(data, None)
        there, carrying = _rounds(data, Workers(WORKERS))
        small, _ = _whole_run(scenario, None)
        small_there, start = _whole_run(scenario, Workers(WORKERS))
        if turn:
            for key, seconds in zip(times, (here, there, carrying, small, small_there, start), strict=True):
                times[key].append(seconds)
    found: dict[str, Any] = {key: median(seconds) for key, seconds in times.items()}
    return {
        "prosumers": prosumers,
        "workers": WORKERS,
        "seconds": found,
        "faster": found["here"] / found["workers"],
        "carrying_share": found["carrying"] / found["workers"],
        "first_start_s": first_start,
        "small_slower": found["small_workers"] / found["small"],
    }


def _rounds(data: dict[str, Any], place: Workers | None) -> tuple[float, float]:
    """Seconds a round of sharing, and those of them that went into carrying."""
    with EnergyMarket(**data, rng=1, hosting=Hosting(place)) as market:
        market.step()  # the first clearing
        start = perf_counter()
        for _ in range(ROUNDS):
            market.step()
        return (perf_counter() - start) / ROUNDS, market.communities.report.timing.carrying_s / ROUNDS


def _whole_run(scenario: gb.Scenario, place: Workers | None) -> tuple[float, float]:
    """Seconds of a run, and those before its first step."""
    start = perf_counter()
    with scenario.market(backend=place) as market:
        opened = perf_counter()
        market.run()
        return perf_counter() - opened, opened - start


def hosting_table(found: dict[str, Any]) -> Table:
    """The numbers for a person."""
    seconds, workers = found["seconds"], found["workers"]
    table = Table(title=f"this process against {workers} worker processes")
    for heading in ("", "this process, s", f"{workers} workers, s", "ratio"):
        table.add_column(heading, justify="left" if not heading else "right")
    table.add_row(
        f"a round of sharing, {found['prosumers']:,} prosumers",
        f"{seconds['here']:.3f}",
        f"{seconds['workers']:.3f}",
        f"{found['faster']:.2f} times faster, {found['carrying_share']:.1%} of it carrying",
    )
    table.add_row(
        "a run of ieee33, 3 prosumers",
        f"{seconds['small']:.3f}",
        f"{seconds['small_workers']:.3f}",
        f"{found['small_slower']:.2f} times as long",
    )
    table.add_row("starting workers, at first", "", f"{found['first_start_s']:.2f}", "")
    table.add_row("starting workers, later", "", f"{seconds['start']:.2f}", "")
    return table
