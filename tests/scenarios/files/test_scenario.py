"""What a scenario becomes: inheritance, changes, tables, profiles; the feeder, households and market built from it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import gridbazaar.scenarios as gb
from gridbazaar.market import MarketSettings
from gridbazaar.market.settings import RenamedWarning
from gridbazaar.scenarios.files.file_schema import file_schema

DATA = gb.shipped_scenarios()["ieee33"].parent


def test_ieee33_is_its_tables() -> None:
    scenario = gb.load("ieee33")
    profiles = pd.read_csv(DATA / "profiles.csv", index_col="hour")
    buses = pd.read_csv(DATA / "buses.csv", index_col="bus")
    prosumers = pd.read_csv(DATA / "prosumers.csv", index_col="name")
    clearing = scenario.build_clearing()
    order = [int(name) for name in clearing.feeder.names]
    for key, loads in (("p_kw", clearing.load_kw), ("q_kvar", clearing.load_kvar)):
        np.testing.assert_allclose(loads, np.outer(buses[key].loc[order], profiles["feeder_load"]))
    for household in scenario.build_households():
        row = prosumers.loc[household.name]
        np.testing.assert_allclose(household.fixed_kw, row["fixed_peak_kw"] * profiles["household_load"])
        np.testing.assert_allclose(household.renewable_kw, row["renewable_peak_kw"] * profiles[row["renewable"]])
        assert household.bus == str(row["bus"])
        assert (household.elastic_max_kw == row["elastic_max_kw"]).all()
    assert scenario.build_settings() == MarketSettings(network_use="bids")


def test_feed_in_fees_and_the_network_s_use_are_read() -> None:
    changes = {
        "prosumers.p1.feed_in_max_kw": 70,
        "prosumers.p1.grid_fee_usd_per_kwh": 0.04,
        "prosumers.p1.feed_in_fee_usd_per_kwh": 0.01,
        "links.p1-p2.fee_usd_per_kwh": 0.02,
        "market.network_use": "withdrawals",
        "market.regret_tolerance_usd": 1e-5,
    }
    scenario = gb.load("ieee33", changes)
    p1, p2, _ = scenario.build_households()
    assert (p1.feed_in_max_kw == 70).all()
    assert (p1.grid_fee_usd_per_kwh, p1.feed_in_fee_usd_per_kwh) == (0.04, 0.01)
    assert (p2.feed_in_max_kw == 0).all()
    assert (p2.grid_fee_usd_per_kwh, p2.feed_in_fee_usd_per_kwh) == (0, 0)
    assert [link.fee_usd_per_kwh for link in scenario.build_links()] == [0.02, 0, 0]
    settings = scenario.build_settings()
    assert (settings.network_use, settings.regret_tolerance_usd) == ("withdrawals", 1e-5)


def test_a_scenario_that_does_not_say_so_loads_the_wires_with_trades() -> None:
    assert gb.load("ieee33", {"market.network_use": None}).build_settings().network_use == "withdrawals"


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("prosumers.p1.grid_fee_usd_per_kwh", -0.01),
        ("prosumers.p1.feed_in_fee_usd_per_kwh", -0.01),
        ("prosumers.p1.feed_in_max_kw", -1),
        ("links.p1-p2.fee_usd_per_kwh", -0.01),
        ("links.p1-p2.fee_usd_per_kwh", "cheap"),
        ("market.network_use", "wires"),
        ("market.regret_tolerance_usd", -1e-6),
    ],
)
def test_bad_tariffs_are_refused_by_their_place(key: str, value: object) -> None:
    with pytest.raises(gb.ScenarioError, match=key.replace(".", r"\.")):
        gb.load("ieee33", {key: value}).check()


def test_a_bid_replaces_the_load_of_its_bus_if_so_asked() -> None:
    added = gb.load("ieee33").build_clearing()
    replaced = gb.load("ieee33", {"feeder.prosumer_bus_load": "replaced"}).build_clearing()
    at = [added.feeder.index(bus) for bus in ("4", "13", "26")]
    others = np.setdiff1d(np.arange(33), at)
    assert (added.load_kw[at] > 0).all()
    assert (replaced.load_kw[at] == 0).all()
    assert (replaced.load_kvar[at] == 0).all()
    assert (replaced.load_kw[others] == added.load_kw[others]).all()


def test_changes_reach_every_kind_of_value() -> None:
    scenario = gb.load(
        "ieee33",
        {
            "links.p1-p3": {"cap_kw": 7},
            "profiles.wind": [0.3] * 24,
            "alpha_scale": 2,
            "feeder.lines.6-26.p_max_kw": "900",
            "feeder.buses.18.profile": "household_load",
            "profiles.pv.12": 0.5,
            "prosumers.p2.bid_max_kw": 321,
            "links.p1-p2": None,
            "market.order": "gauss_seidel",
        },
    )
    p1, p2, _ = scenario.build_households()
    feeder = scenario.build_feeder()
    assert p1.alpha_usd_per_kw2h == pytest.approx(2 * 0.000105)
    assert p1.renewable_kw[11] == 460 * 0.5
    assert (p2.bid_max_kw == 321).all()
    assert (p2.renewable_kw == 480 * 0.3).all()
    assert [link.cap_kw for link in scenario.build_links()] == [200, 7]
    assert feeder.p_max_kw[feeder.index("26")] == 900
    assert [link.name for link in scenario.build_links()] == ["p2-p3", "p1-p3"]
    assert scenario.build_settings().order == "gauss_seidel"
    assert scenario.build_clearing().load_kw[feeder.index("18"), 18] == 90 * 1.0


def test_a_base_is_changed_value_by_value_and_table_by_table(tmp_path: Path) -> None:
    (tmp_path / "links.csv").write_text("a,b,cap_kw\np3,p1,7\n")
    (tmp_path / "one.yaml").write_text("base: ieee33\nlinks: links.csv\nprosumers: {p1: {bid_max_kw: 1}, p2: null}\n")
    text = f"base: one.yaml\nprofiles: {{wind: {[0.1] * 24}, flat: {[1] * 24}}}\nlinks: {{p3-p1: {{cap_kw: 8}}}}\n"
    (tmp_path / "two.yaml").write_text(text + "feeder: {}\nmarket: {}\n")  # adds nothing and takes nothing away
    two = gb.load(str(tmp_path / "two.yaml"))
    assert list(two.prosumers) == ["p1", "p3"]
    assert two.prosumers["p1"].bid_max_kw == 1
    assert [(link.a, link.b, link.cap_kw) for link in two.build_links()] == [("p3", "p1", 8)]
    assert set(two.profiles["wind"].values()) == {0.1}
    assert two.profiles["pv"] == gb.load("ieee33").profiles["pv"]


def test_a_file_of_a_base_is_found_beside_it_and_its_lines_are_named(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "base.yaml").write_text("base: ieee33\nmarket: {max_rounds: 0}\n")
    (tmp_path / "top.yaml").write_text("base: a/base.yaml\n")
    with pytest.raises(gb.ScenarioError, match=r"base.yaml:2 market.max_rounds: 0 must be at least 1"):
        gb.load(str(tmp_path / "top.yaml")).check()


def test_a_scenario_without_profiles_has_one_constant_period(tmp_path: Path) -> None:
    (tmp_path / "tiny.yaml").write_text(
        """
dt_h: 0.25
feeder:
  base_kv: 0.4
  root: s
  buses: {s: {}, h: {p_kw: 3}}
  lines: {s-h: {from_bus: s, to_bus: h, r_ohm: 0.01, x_ohm: 0.01}}
  generators:
    grid: {bus: s, a_usd_per_kw2h: 0.001, b_usd_per_kwh: 0.2, p_min_kw: 0, p_max_kw: 50, q_min_kvar: -9, q_max_kvar: 9}
prosumers:
  home: {bus: h, alpha_usd_per_kw2h: 0.02, beta_usd_per_kwh: 0.5, elastic_max_kw: 9, bid_max_kw: 20, fixed_peak_kw: 2}
"""
    )
    market = gb.load(str(tmp_path / "tiny.yaml"), {"market.regret_tolerance": 1e-9}).market()
    result = market.run()
    assert result.settled
    assert result.bid_kw.shape == (1, 1)
    # the home's marginal utility is the LMP: beta - 2 alpha e
    assert 0.5 - 2 * 0.02 * result.elastic_kw[0, 0] == pytest.approx(result.lmp_usd_per_kwh[0, 0], abs=1e-4)


def test_a_scenario_cannot_be_changed_and_the_market_gets_its_seed() -> None:
    scenario = gb.load("ieee33", {"seed": 3})
    with pytest.raises(ValueError, match="frozen"):
        scenario.seed = 4  # type: ignore[misc]
    draws = [market.rng.random() for market in (scenario.market(), scenario.market(3), scenario.market(4))]
    assert draws[0] == draws[1] != draws[2]


def test_the_schema_knows_every_key_of_the_shipped_file_and_nothing_else() -> None:
    schema = file_schema()
    assert schema["additionalProperties"] is False
    assert {"base", "prosumers", "prosumer_defaults", "market", "feeder"} <= set(schema["properties"])
    assert "required" not in schema
    assert schema["properties"]["prosumers"]["anyOf"][0]["type"] == ["string", "number"]


def test_a_root_with_one_voltage_changes_nothing() -> None:
    found = [
        gb.load("ieee33", changes).market().run()
        for changes in ({}, {"feeder.buses.1.v_min_pu": 1, "feeder.buses.1.v_max_pu": 1})
    ]
    assert found[1].settled
    assert found[1].dso_cost_usd == pytest.approx(found[0].dso_cost_usd, rel=1e-6)


def test_an_old_name_is_noted_with_its_place() -> None:
    note = (
        r"^changes market.order=proximal market.order: proximal is called proximal_jacobi now; write proximal_jacobi$"
    )
    with pytest.warns(RenamedWarning, match=note) as noted:
        scenario = gb.load("ieee33", {"market.order": "proximal"})
    assert scenario.settings.order == "proximal_jacobi"
    assert [note.filename for note in noted] == [__file__]
