"""What a scenario may say of a rolling horizon: each refusal has its place, its cure and its sentence."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from rolling_homes import PRICES, homes, load

import gridbazaar.scenarios as gb
from gridbazaar.scenarios.errors import ScenarioError
from gridbazaar.scenarios.files.horizon import forecast_name
from gridbazaar.scenarios.files.scenario import Scenario

OWN = """
from dataclasses import dataclass
from gridbazaar.agents.devices.store import Store

@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Odd(Store):
    def infeasibility(self, periods, dt_h):
        return ""
"""


def refused(folder: Path, horizon: dict[str, Any], **more: Any) -> str:
    with pytest.raises(ScenarioError) as caught:
        load(folder, homes(horizon=horizon, **more)).check()
    return re.sub(r"\S*homes\.yaml:\d+", "FILE", str(caught.value))


@pytest.mark.parametrize(
    ("horizon", "sentence"),
    [
        ({"length_h": 50}, "horizon.length_h: 50 h is no whole number of periods of 6 h; use a multiple"),
        ({"step_h": 2}, "horizon.step_h: 2 h is no whole number of periods of 6 h; use a multiple"),
        ({"step_h": 72}, "horizon.step_h: 72 h is more than a window has (48 h); lower it, or raise length_h"),
        ({"length_h": 0}, "horizon.length_h: 0 is not above 0; give a value above it"),
        (
            {"forecast": "naive"},
            "horizon.forecast: 'naive' is not known; write one of 'perfect', 'persistence' or 'table'",
        ),
        (
            {"forecast": "persistence"},
            "horizon.forecast: what differs from a forecast has to be paid; write imbalance_price_usd_per_kwh: "
            "{buy: 0.5, sell: 0}",
        ),
        (
            {"forecast": "table", "imbalance_price_usd_per_kwh": PRICES},
            "horizon.forecast: no prosumer has a profile with a forecast; name one as its profile, with _forecast "
            "behind",
        ),
        (
            {"imbalance_price_usd_per_kwh": {"buy": 0.1, "sell": 0.2}},
            "horizon.imbalance_price_usd_per_kwh: sell 0.2 is above buy 0.1, and whoever leaves the plan would gain; "
            "swap or change them",
        ),
        ({"steps": 2}, "horizon.steps: unknown key; did you mean step_h"),
    ],
)
def test_what_cannot_be_run_is_refused(tmp_path, horizon, sentence):
    assert f"FILE {sentence}" in refused(tmp_path, horizon)


def test_periods_that_do_not_fill_a_day_have_no_day_before(tmp_path):
    horizon = {"length_h": 14, "step_h": 7, "forecast": "persistence", "imbalance_price_usd_per_kwh": PRICES}
    assert "periods of 7 h do not fill a day" in refused(tmp_path, horizon, dt_h=7)


def test_a_store_with_rules_of_its_own_cannot_be_cut(tmp_path):
    (tmp_path / "own.py").write_text(OWN)
    said = homes()
    device = {"kind": f"{tmp_path / 'own.py'}:Odd", "capacity_kwh": 5, "p_charge_max_kw": 1}
    said["prosumers"]["ann"]["devices"] = {"odd": device}
    with pytest.raises(
        ScenarioError, match=r"prosumers\.ann\.devices\.odd\.kind: a rolling horizon can be cut of stores"
    ):
        load(tmp_path, said).check()


def test_a_forecast_below_zero_is_refused(tmp_path):
    said = homes(days=2, horizon={"forecast": "table", "imbalance_price_usd_per_kwh": PRICES})
    said["profiles"]["sun_forecast"] = [-0.1] * 8
    with pytest.raises(ScenarioError, match="is below 0, and renewable of prosumer ann cannot be"):
        load(tmp_path, said).check()


def test_one_market_alone_is_refused_with_the_cure(tmp_path):
    scenario = load(tmp_path, homes())
    with pytest.raises(ScenarioError, match=r"horizon: it takes a market for each window.*--set horizon=null"):
        scenario.market()
    assert gb.load(str(tmp_path / "homes.yaml"), {"horizon": None}).market().bid_kw.shape == (2, 16)


def test_a_scenario_without_a_horizon_says_nothing_of_it(tmp_path):
    said = homes()
    del said["horizon"]
    assert "horizon" not in load(tmp_path, said).model_dump()


def test_what_is_said_survives_the_manifest(tmp_path):
    horizon = {"forecast": "persistence", "imbalance_price_usd_per_kwh": PRICES, "keep_windows": "yes"}
    scenario = load(tmp_path, homes(horizon=horizon))
    again = Scenario.model_validate(yaml.safe_load(scenario.model_dump_json(by_alias=True)))
    assert again.horizon == scenario.horizon
    assert again.horizon is not None
    assert again.horizon.keep_windows


def test_a_forecast_is_named_after_its_profile():
    assert forecast_name("sun") == "sun_forecast"
    assert forecast_name("meter_kwh") == "meter_forecast_kwh"  # still energies
