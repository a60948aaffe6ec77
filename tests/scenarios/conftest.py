"""A scenario that is not the paper's: 12 prosumers on a feeder of 20 buses, with PV, wind and neither."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

PERIODS = 12


@pytest.fixture(scope="session")
def twelve(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The scenario's file."""
    file = tmp_path_factory.mktemp("twelve") / "twelve.yaml"
    file.write_text(yaml.safe_dump(twelve_prosumers(), sort_keys=False))
    return file


def twelve_prosumers() -> dict[str, Any]:
    rng = np.random.default_rng(12)
    hours = np.arange(PERIODS)
    sun = np.maximum(0.0, np.sin((hours - 3) / 6 * np.pi)).round(3)
    wind = (0.5 + 0.4 * np.cos(hours / PERIODS * 2 * np.pi)).round(3)
    load = (0.8 + 0.2 * np.sin((hours - 2) / PERIODS * 2 * np.pi)).round(3)
    parents = [0, 1, 2, 3, 4, 5, 6, 2, 8, 9, 10, 4, 12, 13, 6, 15, 16, 9, 18]
    lines = {
        f"b{parent}-b{k}": {
            "from_bus": f"b{parent}",
            "to_bus": f"b{k}",
            "r_ohm": round(float(rng.uniform(0.05, 0.25)), 3),
            "x_ohm": round(float(rng.uniform(0.05, 0.2)), 3),
        }
        for k, parent in enumerate(parents, start=1)
    }
    prosumers = {
        f"h{k}": {
            "bus": f"b{bus}",
            "alpha_usd_per_kw2h": round(float(rng.uniform(1e-3, 3e-3)), 5),
            "beta_usd_per_kwh": round(float(rng.uniform(0.25, 0.35)), 3),
            "elastic_max_kw": 60.0,
            "bid_max_kw": 120.0,
            "fixed_peak_kw": round(float(rng.uniform(10, 40)), 1),
            "fixed_profile": "load",
            **([{"renewable": "sun"}, {"renewable": "wind"}, {}][k % 3]),
            "renewable_peak_kw": [70.0, 50.0, 0.0][k % 3],
        }
        for k, bus in enumerate(rng.choice(np.arange(1, 20), 12, replace=False))
    }
    pairs = [(k, (k + 1) % 12) for k in range(12)] + [(0, 5), (2, 7), (4, 11)]
    links = {f"h{a}-h{b}": {"a": f"h{a}", "b": f"h{b}", "cap_kw": 15.0} for a, b in pairs}
    return {
        "title": "Twelve prosumers on twenty buses",
        "dt_h": 0.5,
        "profiles": {"sun": sun.tolist(), "wind": wind.tolist(), "load": load.tolist()},
        "feeder": {
            "base_kv": 11.0,
            "root": "b0",
            "load_profile": "load",
            "buses": {f"b{k}": {"p_kw": 30.0 if k else 0.0, "q_kvar": 12.0 if k else 0.0} for k in range(20)},
            "lines": lines,
            "generators": {
                name: {
                    "bus": bus,
                    "a_usd_per_kw2h": a,
                    "b_usd_per_kwh": b,
                    "p_min_kw": 0.0,
                    "p_max_kw": top,
                    "q_min_kvar": -top,
                    "q_max_kvar": top,
                }
                for name, bus, a, b, top in (("grid", "b0", 4e-5, 0.15, 2000.0), ("chp", "b10", 2e-4, 0.14, 200.0))
            },
        },
        "prosumers": prosumers,
        "links": links,
    }
