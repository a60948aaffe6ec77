"""A scenario of many small prosumers on the IEEE 33-bus feeder; a browser."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from browser import chromium

HOMES = 60


@pytest.fixture(scope="session")
def many(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The scenario's file."""
    rng = np.random.default_rng(60)
    homes = {f"h{k}": _home(rng, k) for k in range(HOMES)}
    pairs = [(f"h{k}", f"h{(k + step) % HOMES}") for k in range(HOMES) for step in (1, 7)]
    nobody = {"p1": None, "p2": None, "p3": None}
    unlinked = {"p1-p2": None, "p2-p3": None, "p1-p3": None}
    scenario = {
        "base": "ieee33",
        "title": "Sixty homes",
        "prosumers": {**nobody, **homes},
        "links": {**unlinked, **{f"{a}-{b}": {"a": a, "b": b, "cap_kw": 5.0} for a, b in pairs}},
    }
    file = tmp_path_factory.mktemp("many") / "many.yaml"
    file.write_text(yaml.safe_dump(scenario, sort_keys=False))
    return file


def _home(rng: np.random.Generator, k: int) -> dict[str, object]:
    return {
        "bus": str(int(rng.integers(2, 34))),
        "alpha_usd_per_kw2h": round(float(rng.uniform(0.01, 0.03)), 4),
        "beta_usd_per_kwh": round(float(rng.uniform(0.28, 0.4)), 3),
        "elastic_max_kw": 6.0,
        "bid_max_kw": 20.0,
        "fixed_peak_kw": 3.0,
        "fixed_profile": "household_load",
        "renewable": ("pv", "wind")[k % 2],
        "renewable_peak_kw": (0.0, 8.0, 5.0)[k % 3],
    }


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with chromium() as browser:
        yield browser
