"""The scenarios that come with gridbazaar and have devices: each is feasible, settles, and is the joint optimum."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import gridbazaar.scenarios as gb
from gridbazaar.agents.trade_graph import TradeGraph
from gridbazaar.market.proof.central import Equilibrium, equilibrium
from gridbazaar.market.result import Result
from gridbazaar.market.tables import tables_of
from gridbazaar.scenarios.league.sizes import split


def joint(scenario: gb.Scenario) -> Equilibrium:
    """What one planner who knows everything would find."""
    clearing, homes = scenario.build_clearing(), scenario.build_households()
    graph = TradeGraph([home.name for home in homes], scenario.build_links())
    limits = clearing.p_gen_min_kw, clearing.p_gen_max_kw
    loads = clearing.load_kw, clearing.load_kvar
    return equilibrium(clearing.feeder, *loads, homes, graph, withdrawals=True, p_limits_kw=limits)


def run(name: str, **changes: object) -> tuple[gb.Scenario, Result]:
    scenario = gb.load(name, {key.replace("__", "."): value for key, value in changes.items()})
    scenario.check()
    assert scenario.doubts() == []
    return scenario, scenario.market().run()


def check(scenario: gb.Scenario, result: Result, relative: float = 2e-6) -> None:
    """It is settled, at the joint optimum, and energy comes from somewhere."""
    assert result.settled, result.message
    best = joint(scenario)
    turnover = abs(best.dso_cost_usd) + abs(best.utility_usd)
    assert abs((best.welfare_usd - best.fees_usd) - (result.welfare_usd - result.fees_usd)) < relative * turnover
    balance = result.bid_kw + result.net_trade_kw + result.renewable_kw - result.curtailed_kw
    balance += result.device_schedules.injection_kw - result.fixed_kw - result.elastic_kw
    assert np.abs(balance).max() < 1e-9 * np.abs(result.bid_kw).max() + 1e-9
    devices = result.devices
    taken = devices.discharge_kw - devices.charge_kw
    by_owner = taken.groupby([devices.prosumer, devices.period], observed=True).sum()
    own = pd.DataFrame(result.device_schedules.injection_kw, index=list(result.names))
    for (owner, period), kw in by_owner.items():
        assert own.loc[owner, period - 1] == pytest.approx(kw, abs=1e-9)


@pytest.mark.parametrize("name", ["two_homes", "island"])
def test_it_settles_at_the_joint_optimum(name: str) -> None:
    check(*run(name))


def test_the_battery_of_two_homes_saves_what_it_costs() -> None:
    (_, with_battery), (_, without) = run("two_homes"), run("two_homes", prosumers__ann__devices__battery=None)
    assert with_battery.welfare_usd > without.welfare_usd + 0.5
    assert "devices" not in tables_of(without)
    assert "devices" in tables_of(with_battery)


def test_the_island_cannot_do_without_its_stores() -> None:
    _, result = run("island", devices=None)
    assert not result.settled
    assert "short" in result.message


def test_the_island_has_no_other_source() -> None:
    """The diesel and the renewables bring what is used and lost, all day long."""
    scenario, result = run("island")
    (diesel,) = scenario.feeder.generators
    assert diesel == "diesel"
    assert float(result.dispatch.p_gen_kw.max()) < 25.0


def test_an_evening_of_the_street() -> None:
    evening = {"from": "2026-03-24T18:00", "until": "2026-03-25T00:00"}
    scenario, result = run("lv_street", window=evening)
    assert scenario.periods == 24
    check(scenario, result, relative=2e-5)


@pytest.mark.long
def test_a_day_of_the_street() -> None:
    scenario, result = run("lv_street", window__days=1)
    assert scenario.periods == 96
    check(scenario, result, relative=2e-5)


@pytest.mark.long
@pytest.mark.timeout(3600)
def test_the_week_of_the_street() -> None:
    scenario, result = run("lv_street")
    assert scenario.periods == 7 * 96 - 4  # on Sunday the clock is put forward
    check(scenario, result, relative=2e-5)


def test_the_week_is_feasible_and_has_its_cars_away() -> None:
    scenario = gb.load("lv_street")
    scenario.check()
    homes = scenario.build_households()
    cars = [device for home in homes for device in home.devices if device.kind == "ev"]
    assert len(cars) == 8
    assert [trip.leaves_h for trip in cars[0].trips] == [24 * day + 7.5 for day in range(5)] + [5 * 24 + 10.0]  # type: ignore[attr-defined]
    assert {len(home.devices) for home in homes} >= {0, 1, 2}


def test_the_street_s_profiles_are_those_of_its_script(tmp_path: Path) -> None:
    folder = gb.shipped_scenarios()["lv_street"].parent
    made: dict[str, object] = {}
    exec(compile((folder / "make_profiles.py").read_text(), "make_profiles.py", "exec"), made)
    made["profiles"]().to_csv(tmp_path / "again.csv", index=False)  # type: ignore[operator]
    assert (tmp_path / "again.csv").read_text() == (folder / "profiles.csv").read_text()


@pytest.mark.parametrize("name", ["two_homes", "island", "lv_street"])
def test_each_has_a_readme_and_a_picture(name: str) -> None:
    folder = gb.shipped_scenarios()[name].parent
    picture = folder / "result.svg"
    assert picture.stat().st_size < 200_000
    assert "result.svg" in (folder / "README.md").read_text()


def test_who_has_devices_is_not_split() -> None:
    said = (
        r"^--sizes 2 prosumers\.ann\.devices: devices are not split among parts; leave --sizes out, or take devices out"
    )
    with pytest.raises(gb.ScenarioError, match=said):
        split(gb.load("two_homes"), 2)
