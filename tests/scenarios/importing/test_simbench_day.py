"""A day of profiles that a network brings along, held against pandas; the network is ours, in the form of SimBench."""

from __future__ import annotations

import numpy as np
import pandapower as pp
import pandas as pd
import pytest
from small_networks import small

import gridbazaar.scenarios as gb
from gridbazaar.scenarios.importing import sources


def year(days=3):
    """Quarters of some days: two kinds of loads, one of PV."""
    rng = np.random.default_rng(1)
    quarters = {"time": range(96 * days)}
    load = pd.DataFrame(
        quarters | {f"{kind}_{power}load": rng.uniform(0.2, 1.0, 96 * days) for kind in "AB" for power in "pq"}
    )
    return {"load": load, "renewables": pd.DataFrame(quarters | {"PV1": rng.uniform(0, 1, 96 * days)})}


@pytest.fixture
def grid(monkeypatch):
    net = small()
    pp.create_load(net, 3, 0.02, 0.004)
    net.load["profile"] = ["A", "A", "B"]
    pp.create_sgen(net, 3, 0.03, type="PV", name="roof")
    net.sgen["profile"] = ["PV1"]
    net.gen["profile"] = net.storage["profile"] = None
    net["profiles"] = year()
    monkeypatch.setattr(sources, "_of_simbench", lambda _: net)
    return net


def test_loads_and_pv_of_a_day_are_means_over_its_periods(grid, importing):
    scenario = importing("1-LV-ours", day=2, periods=48, prosumers=2, peak=1).scenario
    assert (scenario.periods, scenario.dt_h) == (48, 0.5)
    kinds = {name: table.iloc[96:192].reset_index(drop=True) for name, table in grid["profiles"].items()}
    half_hours = {name: table.groupby(table.index // 2).mean() for name, table in kinds.items()}
    a, b = half_hours["load"]["A_pload"], half_hours["load"]["B_pload"]
    profiles = {name: pd.Series(values.values()) for name, values in scenario.profiles.items()}
    buses = scenario.feeder.buses
    assert buses["2"].profile == "A"
    assert np.allclose(profiles["A"], a, atol=1e-6)
    assert np.allclose(60 * profiles[buses["3"].profile], 40 * a + 20 * b, atol=1e-4)
    assert {home.bus: home.fixed_profile for home in scenario.prosumers.values()} == {
        "2": "A",
        "3": buses["3"].profile,
    }
    roof = scenario.feeder.generators["roof"]
    assert (roof.p_min_profile, roof.p_max_profile) == ("PV1", "PV1")
    assert np.allclose(profiles["PV1"], half_hours["renewables"]["PV1"], atol=1e-6)
    assert scenario.prosumers["p1"].renewable == "PV1"


def test_reactive_power_that_follows_another_profile_is_told_of(grid, importing):
    remarks = importing("1-LV-ours", day=1).network.remarks
    assert any(
        one.startswith("reactive power of a load follows the profile of its active") for one in remarks.approximations
    )
    assert "day 1 of the grid's year of profiles, in means over 1 h" in remarks.defaults
    assert len(grid.load) == 3


@pytest.mark.parametrize(
    ("wish", "sentence"),
    [
        ({"day": 4}, "its profiles have 3 days and no day 4; give one of them"),
        ({"periods": 23}, "a day of 96 quarters of an hour cannot have 23 periods; give a divisor of 96, such as 24"),
    ],
)
def test_a_day_that_there_is_not_is_refused(wish, sentence, grid, importing):
    with pytest.raises(gb.ScenarioError) as refusal:
        importing("1-LV-ours", **wish)
    assert str(refusal.value).endswith(sentence)
    assert len(grid.load) == 3


def test_without_simbench_it_says_what_to_install(importing, monkeypatch):
    monkeypatch.setattr(sources, "find_spec", lambda _: None)
    with pytest.raises(gb.ScenarioError, match=r"SimBench grids come with simbench, which is missing: pip install"):
        importing("1-LV-rural1--0-no_sw")
