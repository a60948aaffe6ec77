"""Saved runs to export: of two homes, of the paper's case, on several voltage levels, and some that ended early."""

from __future__ import annotations

import signal
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml
from cigre import cigre_lv
from radial_scenarios import radial_scenario
from two_homes import two_homes

import gridbazaar.scenarios as gb
from gridbazaar.market import Result
from gridbazaar.market.rounds import Round
from gridbazaar.scenarios.runs.running import run_scenario

HOME = {"alpha_usd_per_kw2h": 0.02, "elastic_max_kw": 8.0, "bid_max_kw": 15.0, "beta_usd_per_kwh": 0.4}
GRID = {
    "bus": "hv",
    "a_usd_per_kw2h": 1e-4,
    "b_usd_per_kwh": 0.2,
    "c_usd_per_h": 3.0,
    "p_min_kw": -500,
    "p_max_kw": 900,
}
LEVELS: dict[str, Any] = {
    "title": "Three voltage levels with taps",
    "profiles": {"sun": [0.0, 0.9, 0.3]},
    "feeder": {
        "base_kv": 20.0,
        "root": "hv",
        "root_voltage_pu": 1.02,
        "v_min_pu": 0.85,
        "v_max_pu": 1.15,
        "frequency_hz": 60,
        "buses": {
            "hv": {},
            "mv": {"p_kw": 30, "q_kvar": 8},
            "lv": {"p_kw": 12, "q_kvar": 4, "base_kv": 0.4},
            "end": {"p_kw": 5, "q_kvar": 1, "base_kv": 0.4},
            "panel": {"p_kw": 4, "q_kvar": 1, "base_kv": 0.4},
            "mine": {"p_kw": 40, "q_kvar": 15, "base_kv": 6.0},
            "behind": {"p_kw": 9, "q_kvar": 2},
        },
        "lines": {
            "cable": {"from_bus": "hv", "to_bus": "mv", "r_ohm": 1.2, "x_ohm": 0.6, "b_us": 300, "i_max_a": 200},
            "station": {"from_bus": "mv", "to_bus": "lv", "r_ohm": 0.01, "x_ohm": 0.02, "tap": 1.025, "i_max_a": 400},
            "street": {"from_bus": "end", "to_bus": "lv", "r_ohm": 0.08, "x_ohm": 0.02, "i_max_a": 150, "p_max_kw": 90},
            "fuse": {"from_bus": "end", "to_bus": "panel", "r_ohm": 0, "x_ohm": 0, "i_max_a": 100, "b_us": 20},
            "step up": {"from_bus": "lv", "to_bus": "mine", "r_ohm": 0.02, "x_ohm": 0.05, "tap": 0.96, "b_us": 100},
            "regulator": {"from_bus": "behind", "to_bus": "mv", "r_ohm": 0.3, "x_ohm": 0.9, "tap": 1.03},
        },
        "generators": {
            "grid": {**GRID, "q_min_kvar": "-inf", "q_max_kvar": "inf"},
            "second grid": {**GRID, "b_usd_per_kwh": 0.21, "p_min_kw": 0, "q_min_kvar": 0, "q_max_kvar": 0},
            "chp": {**GRID, "bus": "mine", "p_min_kw": 5, "p_max_kw": 50, "q_min_kvar": -10, "q_max_kvar": 10},
        },
    },
    "prosumers": {
        "ann": {**HOME, "bus": "end", "fixed_peak_kw": 2.0, "renewable": "sun", "renewable_peak_kw": 9.0},
        "bob": {**HOME, "bus": "panel", "fixed_peak_kw": 3.0, "beta_usd_per_kwh": 0.5},
    },
    "links": {"ann-bob": {"a": "ann", "b": "bob", "cap_kw": 6.0}},
}

CLOCK_BACK = "start: 2026-10-25\ntimezone: Europe/Berlin\nstep: 1h\n"
"""A day of 25 hours."""


def cigre() -> dict[str, Any]:
    """The CIGRE low-voltage feeder of pandapower with two homes on it, one with PV."""
    feeder, _ = cigre_lv()
    rows: dict[str, dict[str, Any]] = {"buses": {}, "lines": {}, "generators": {}}
    for table, read in rows.items():
        for row in map(asdict, getattr(feeder, table)):
            key = f"{row['from_bus']}-{row['to_bus']}" if table == "lines" else row.pop("name")
            read[key] = row
    homes = {"ann": {**LEVELS["prosumers"]["ann"], "bus": "20"}, "bob": {**LEVELS["prosumers"]["bob"], "bus": "40"}}
    return {**LEVELS, "feeder": {"base_kv": feeder.base_kv, "root": feeder.root, **rows}, "prosumers": homes}


def scenario_file(name: str, folder: Path) -> str:
    """A scenario by name."""
    file = folder / "s.yaml"
    if name == "ieee33":
        return name
    if name.startswith("radial"):
        seed = int(name.removeprefix("radial"))
        shape = {"buses": 12 + seed, "prosumers": 4, "periods": 4, "low_voltage": seed % 2 == 1}
        return str(radial_scenario(file, **shape, seed=seed))
    made = {
        "levels": lambda: yaml.safe_dump(LEVELS, sort_keys=False),
        "cigre": lambda: yaml.safe_dump(cigre(), sort_keys=False),
        "homes": two_homes,
        "autumn": lambda: CLOCK_BACK + two_homes((0.0,) * 10 + (0.8,) * 5 + (0.0,) * 10),
    }
    file.write_text(made[name](), encoding="utf-8")
    return str(file)


@dataclass(frozen=True)
class Saved:
    """A run, and what is saved of it."""

    result: Result
    stored: gb.StoredRun


Save = Callable[..., Saved]


@pytest.fixture(scope="session")
def save(tmp_path_factory: pytest.TempPathFactory) -> Save:
    """Makes a saved run of a scenario by name, with some values changed; the same only once."""
    kept: dict[str, Saved] = {}

    def make(name: str, **changes: Any) -> Saved:
        key = f"{name} {changes}"
        if key not in kept:
            folder = tmp_path_factory.mktemp("saved")
            dotted = {key.replace("__", "."): value for key, value in changes.items()}
            (folder / "run").mkdir()
            run = run_scenario(gb.load(scenario_file(name, folder), dotted), folder / "run")
            kept[key] = Saved(run.result, gb.load_run(folder / "run"))
        return kept[key]

    return make


@pytest.fixture
def stopped(tmp_path: Path) -> gb.StoredRun:
    """A run that was killed after some rounds: it has rounds and no schedule."""
    folder = tmp_path / "stopped"
    folder.mkdir()

    def stop(record: Round) -> None:
        if record.number == 5:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_scenario(gb.load(scenario_file("homes", tmp_path)), folder, watch=stop)
    return gb.load_run(folder)


@pytest.fixture
def short(tmp_path: Path) -> Saved:
    """A run that was interrupted (Ctrl-C) when bids asked for more than voltages let through."""
    folder = tmp_path / "short"
    folder.mkdir()
    clearings = 0

    def stop(record: Round) -> None:
        nonlocal clearings
        clearings += record.phase == "clearing"
        if clearings == 2:
            signal.raise_signal(signal.SIGINT)

    changes = {
        "feeder.generators.grid.p_max_kw": 14,
        "feeder.v_min_pu": 0.9965,
        "feeder.lines.s-a.x_ohm": 0.08,
        "market.method": "plain",
    }
    run = run_scenario(gb.load(scenario_file("homes", tmp_path), changes), folder, watch=stop)
    return Saved(run.result, gb.load_run(folder))
