"""Windows that are no ordinary ones: days of 23 and 25 hours, an end of the data within one, and weak connections."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from rolling_homes import PRICES, homes, load

import gridbazaar.scenarios as gb
from gridbazaar.scenarios.rolling.rolling import run_rolling
from gridbazaar.scenarios.runs.run import Run

pytestmark = pytest.mark.xdist_group("rolling hard")
CAR = {"kind": "ev", "capacity_kwh": 40, "p_charge_max_kw": 11, "efficiency_charge": 1.0}


def hourly(hours: int, bob: dict[str, Any], horizon: dict[str, Any], **top: Any) -> dict[str, Any]:
    """The two homes by hours; bob owns these devices."""
    said, clock = homes(horizon=horizon), np.arange(hours) % 24
    said["profiles"] = {
        "sun": np.clip(np.sin((clock - 6) / 12 * np.pi), 0, 1).round(3).tolist(),
        "load": (0.5 + 0.3 * np.sin(clock / 24 * 2 * np.pi) ** 2).round(3).tolist(),
    }
    said["prosumers"]["bob"]["devices"] = bob
    return {**said, "dt_h": 1.0, **top}


def run(folder: Path, said: dict[str, Any]) -> Run:
    (folder / "results").mkdir()
    scenario = load(folder, said)
    scenario.check()
    return run_rolling(scenario, folder / "results")


@pytest.mark.parametrize(("start", "day_h"), [("2026-03-28T00:00", 23), ("2026-10-24T00:00", 25)])
def test_days_on_which_the_clock_is_put_and_data_that_end_within_a_window(tmp_path, start, day_h):
    """The car is away over the end of the first window, and washing may wait over that of the second one."""
    jobs = [{"earliest": "01:30", "latest": "05:00"}, {"earliest": "22:00", "latest": "01:00"}]
    devices = {
        "car": {**CAR, "trips": [{"leaves": "22:00", "returns": "04:00", "energy_kwh": 10, "days": ["saturday"]}]},
        "washing": {"kind": "deferrable", "energy_kwh": 2, "p_max_kw": 2, "jobs": jobs},
    }
    horizon = {"forecast": "persistence", "imbalance_price_usd_per_kwh": PRICES}
    done = run(tmp_path, hourly(60, devices, horizon, start=start, timezone="Europe/Berlin"))
    assert done.exit_code == 0, done.kpis["message"]
    stored = gb.load_run(done.folder)
    began = pd.date_range(start, periods=60, freq="h", tz="Europe/Berlin")
    assert list(pd.to_datetime(stored.windows["from"])) == [began[0], began[24], began[48]]
    assert pd.Timestamp(stored.windows["horizon_until"].iloc[-1]) == began[-1] + pd.Timedelta(hours=1)
    table = stored.devices.set_index("device")
    _balanced(table.loc["washing"], np.zeros(60))
    returns = 24 + 4 - (24 - day_h)  # 04:00 on Sunday
    away = (np.arange(60) >= 22) & (np.arange(60) < returns)
    _balanced(table.loc["car"], np.where(away, 10 / (returns - 22), 0.0), began_kwh=20.0)
    assert not table.loc["car", "charge_kw"].to_numpy()[away].any()
    clock = began.hour + 0.0
    night = (clock >= 22) | ((clock >= 1) & (clock < 5)) | (clock < 1)
    used = table.loc["washing", "charge_kw"].to_numpy()
    assert not used[~night].any()
    shifts = pd.Series(used).groupby((began + pd.Timedelta(hours=11)).date).sum()  # from 13:00 to 13:00
    assert shifts.to_numpy() == pytest.approx([2.0, 4.0, 4.0], abs=1e-9)


def _balanced(own: pd.DataFrame, drawn_kwh: np.ndarray, began_kwh: float = 0.0) -> None:
    """Nothing is lost on the way in, and nothing with time: each level is the one before it and what was charged."""
    level = own["energy_kwh"].to_numpy()
    assert np.abs(np.diff(level, prepend=began_kwh) - own["charge_kw"].to_numpy() + drawn_kwh).max() < 1e-9


@pytest.mark.parametrize("forecast", ["perfect", "table", "persistence"])
def test_what_a_weak_connection_can_bring_only_slowly_is_brought_in_the_windows_before(tmp_path, forecast):
    """36 kWh are needed at 06:00; until then bob can spare 2.2 kW at the most of the 3.7 that he can get."""
    trips = [
        {"leaves_h": 24 * day + 6, "returns_h": 24 * day + 9, "energy_kwh": 5, "soc_needed": 0.9} for day in (1, 2)
    ]
    horizon: dict[str, Any] = {"length_h": 24}
    if forecast != "perfect":
        horizon |= {"forecast": forecast, "imbalance_price_usd_per_kwh": PRICES}
    said = hourly(72, {"car": {**CAR, "trips": trips}}, horizon)
    said["profiles"]["load_forecast"] = said["profiles"]["load"]
    said["prosumers"]["bob"]["bid_max_kw"] = 3.2
    said["links"]["ann-bob"]["cap_kw"] = 0.5
    done = run(tmp_path, said)
    assert done.exit_code == 0, done.kpis["message"]
    level = gb.load_run(done.folder).devices.query("device == 'car'")["energy_kwh"].to_numpy()
    assert (level[[29, 53]] >= 36 - 1e-9).all()
    assert level[23] >= 36 - 6 * 2.2  # more than what it began with, 20


def test_windows_in_which_not_all_is_served_have_no_certificate(tmp_path):
    scenario = gb.load("two_homes", {"feeder.generators.grid.p_max_kw": 20, "horizon.length_h": 12})
    said = run_rolling(scenario, tmp_path).result.certificate
    assert str(said) == "no certificate: what is asked for cannot be served (in 2 of 2 windows)"
    assert not said.bounds_optimum
