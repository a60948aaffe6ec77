"""Scenario files of radial feeders that are not the paper's: medium or low voltage, any number of periods and homes."""

from pathlib import Path
from typing import Any

import numpy as np
import yaml

_MV: dict[str, Any] = {"kv": 12.66, "ohm": (0.05, 0.4), "load_kw": (10, 90), "size_kw": (20, 300), "cap_kw": 100}
_LV: dict[str, Any] = {"kv": 0.4, "ohm": (0.005, 0.02), "load_kw": (0.2, 1.5), "size_kw": (2, 8), "cap_kw": 5}


def radial_scenario(file: Path, *, buses: int, prosumers: int, periods: int, low_voltage: bool, seed: int = 0) -> Path:
    """Write a day of a random radial feeder: PV at two of three homes, wind at the others, a rated line at the root."""
    rng = np.random.default_rng(seed)
    size = _LV if low_voltage else _MV
    hours = (np.arange(periods) + 0.5) * 24 / periods
    sun = np.maximum(np.sin((hours - 6) / 12 * np.pi), 0.0)
    loads = np.append(0.0, rng.uniform(*size["load_kw"], buses - 1))
    peak_kw = float(loads.sum() + prosumers * size["size_kw"][1])
    lines = {}
    for n in range(1, buses):
        parent = int(rng.integers(max(0, n - 5), n))
        r, x = rng.uniform(*size["ohm"], 2)
        lines[f"{parent}-{n}"] = {"from_bus": str(parent), "to_bus": str(n), "r_ohm": float(r), "x_ohm": float(x)}
    lines["0-1"]["p_max_kw"] = 2 * peak_kw
    scenario = {
        "title": f"A day of {buses} buses and {prosumers} prosumers",
        "dt_h": 24 / periods,
        "profiles": {
            "sun": sun.tolist(),
            "wind": rng.uniform(0.3, 0.9, periods).tolist(),
            "load": (0.6 + 0.4 * np.sin((hours - 9) / 24 * 2 * np.pi)).tolist(),
        },
        "feeder": {
            "base_kv": size["kv"],
            "root": "0",
            "v_min_pu": 0.85,
            "v_max_pu": 1.1,
            "load_profile": "load",
            "buses": {str(n): {"p_kw": float(p), "q_kvar": float(0.3 * p)} for n, p in enumerate(loads)},
            "lines": lines,
            "generators": {"grid": _supply(peak_kw)},
        },
        "prosumers": {f"h{k + 1}": _home(rng, k, buses, size["size_kw"]) for k in range(prosumers)},
        "links": {
            f"h{k}-h{k + 1}": {"a": f"h{k}", "b": f"h{k + 1}", "cap_kw": size["cap_kw"]} for k in range(1, prosumers)
        },
    }
    file.write_text(yaml.safe_dump(scenario, sort_keys=False), encoding="utf-8")
    return file


def _supply(peak_kw: float) -> dict[str, Any]:
    cost = {"bus": "0", "a_usd_per_kw2h": 0.1 / peak_kw, "b_usd_per_kwh": 0.12}
    return {**cost, "p_min_kw": 0, "p_max_kw": 3 * peak_kw, "q_min_kvar": -3 * peak_kw, "q_max_kvar": 3 * peak_kw}


def _home(rng: np.random.Generator, k: int, buses: int, size_kw: tuple[float, float]) -> dict[str, Any]:
    size, beta = float(rng.uniform(*size_kw)), float(rng.uniform(0.3, 0.5))
    return {
        "bus": str(int(rng.integers(1, buses))),
        "alpha_usd_per_kw2h": 0.3 * beta / size,
        "beta_usd_per_kwh": beta,
        "elastic_max_kw": size,
        "bid_max_kw": 4 * size,
        "fixed_peak_kw": 0.5 * size,
        "fixed_profile": "load",
        "renewable_peak_kw": size,
        "renewable": "wind" if k % 3 == 1 else "sun",
    }
