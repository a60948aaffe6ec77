"""Two homes over some days of four periods each, with a horizon that rolls; a battery, and a car that is away at night.

Periods are of 6 h, so that days are short.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import yaml
from two_homes import FEEDER, HOMES

import gridbazaar.scenarios as gb
from gridbazaar.scenarios.files.scenario import Scenario

DT_H = 6.0
DAY = 4
BATTERY: dict[str, Any] = {
    "kind": "battery",
    "capacity_kwh": 20,
    "p_charge_max_kw": 2,
    "p_discharge_max_kw": 2,
    "loss_per_h": 0.002,
}
CAR: dict[str, Any] = {"kind": "ev", "capacity_kwh": 40, "p_charge_max_kw": 4, "loss_per_h": 0.001}
PRICES = {"buy": 0.5, "sell": 0.05}


def profiles(days: int) -> dict[str, list[float]]:
    """Sun and loads of some days, none like the other."""
    rng = np.random.default_rng(days)
    sun = np.tile([0.0, 0.8, 0.6, 0.0], days) * rng.uniform(0.5, 1.0, DAY * days)
    load = np.tile([0.4, 0.7, 0.6, 1.0], days) * rng.uniform(0.8, 1.2, DAY * days)
    return {"sun": sun.round(3).tolist(), "load": load.round(3).tolist()}


def homes(days: int = 4, horizon: dict[str, Any] | None = None, **top: Any) -> dict[str, Any]:
    """The scenario as a file has it: two days a window, of which one is kept, unless told otherwise.

    ann has a battery. bob has a car that leaves at noon of the first day and is back at noon of the second one: with
    windows of a day it is away where one ends.
    """
    said = yaml.safe_load(FEEDER + HOMES)
    said |= {"dt_h": DT_H, "profiles": profiles(days)}
    said["feeder"]["generators"]["grid"]["a_usd_per_kw2h"] = 0.02  # so that hours differ, and storing pays
    said["prosumer_defaults"]["fixed_profile"] = "load"
    said["prosumers"]["ann"]["devices"] = {"battery": BATTERY}
    trips = [{"leaves_h": 12, "returns_h": 36, "energy_kwh": 12, "soc_needed": 0.6}]
    said["prosumers"]["bob"]["devices"] = {"car": {**CAR, "trips": trips}}
    return {**said, "horizon": {"length_h": 48, "step_h": 24, **(horizon or {})}, **top}


def load(folder: Path, said: dict[str, Any], changes: dict[str, object] | None = None) -> Scenario:
    """The scenario of this, written to a file in a folder."""
    file = folder / "homes.yaml"
    file.write_text(yaml.safe_dump(said, sort_keys=False))
    return gb.load(str(file), changes or {})
