"""What devices do is their owners' affair: the page shows it where private data are asked for, else nothing of it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tabs import Served, Tab, serving

import gridbazaar.scenarios as gb
from gridbazaar.scenarios.runs.amounts import energy
from gridbazaar.scenarios.stepping.device_flows import committed
from gridbazaar.scenarios.stepping.session import Session
from gridbazaar.scenarios.view.charts import balance_chart, devices_chart
from gridbazaar.scenarios.view.scene import Scene, scene_of
from gridbazaar.scenarios.view.snapshot import snapshot_of
from gridbazaar.scenarios.view.wanted import Wanted

pytestmark = pytest.mark.xdist_group("page")  # one server and one browser for all of them
SECRET = re.compile("battery|devices|laundry|kWh of ice", re.IGNORECASE)


@pytest.fixture(scope="module")
def island() -> Iterator[Session]:
    with Session("island") as session:
        session.run_to("settled")
        yield session


def sent(scene: Scene) -> str:
    """Everything that is sent to the browser, but for what the keys are called."""
    return json.dumps([getattr(scene, cell.name) for cell in fields(scene)], default=str)


def test_rows_and_chart_are_those_of_the_results_table(island: Session) -> None:
    table = island.result().devices
    scene = scene_of(island, Wanted(private=True, period=12))
    assert scene.device_title == "devices in period 13 (12:00-13:00), as committed to"
    owned = [(home.name, own.name) for home in gb.load("island").build_households() for own in home.devices]
    assert [row["device"] for row in scene.device_rows] == [f"{own} of {who}" for who, own in owned]
    for row, (who, own) in zip(scene.device_rows, owned, strict=True):
        rows = table[(table.prosumer == who) & (table.device == own)]
        now = rows[rows.period == 13].iloc[0]
        expected = (now.charge_kw, now.discharge_kw, now.energy_kwh, rows.charge_kw.sum(), rows.discharge_kw.sum())
        assert [row[key] for key in ("takes", "gives", "holds", "charged", "discharged")] == [*map(energy, expected)]
    series = {one["name"]: one["data"] for one in scene.devices["series"]}
    school = table[(table.prosumer == "school") & (table.device == "battery")]
    given = (school.discharge_kw - school.charge_kw).to_numpy()
    assert series["battery of school, kW"] == pytest.approx(given, rel=1e-5, abs=1e-8)
    assert series["battery of school, kWh"] == pytest.approx(school.energy_kwh.to_numpy(), rel=1e-5, abs=1e-8)


def test_of_one_prosumer_its_own_devices_are_shown(island: Session) -> None:
    scene = scene_of(island, Wanted(private=True, prosumer="inn"))
    assert scene.device_title.startswith("devices of inn in period 1 (00:00-01:00)")
    assert [row["device"] for row in scene.device_rows] == ["laundry"]
    with Session("two_homes") as session:
        assert scene_of(session, Wanted(private=True, prosumer="bob")).device_title == ""


def test_plans_are_shown_while_prosumers_share_and_the_balance_adds_up(island: Session) -> None:
    with Session("island") as session:
        session.step(6)
        scene = scene_of(session, Wanted(private=True, prosumer="mill", period=3))
        assert scene.device_title == "devices of mill in period 4 (03:00-04:00), as planned in this round"
        view = session.prosumer("mill")
        own = view.frame["battery_energy_kwh"]
        assert "bid_kw is what it withdraws from the network: trades are in it" in view.sentences
        assert scene.device_rows[0]["holds"] == energy(own.loc[4])
        nows = [snapshot_of(session.market), snapshot_of(island.market)]
    for now in nows:
        for rows in ([0], [0, 1, 2, 3]):
            parts = balance_chart(now, rows, private=True)["series"]
            assert parts[-1]["name"] == "devices"
            np.testing.assert_allclose(np.sum([part["data"] for part in parts], axis=0), 0.0, atol=1e-3)


def test_nothing_of_a_device_is_sent_unless_private_data_are_asked_for(island: Session) -> None:
    for who in ("", "mill"):
        assert not SECRET.search(sent(scene_of(island, Wanted(prosumer=who))))
        assert SECRET.search(sent(scene_of(island, Wanted(prosumer=who, private=True))))


def test_of_many_devices_all_are_drawn_together(island: Session) -> None:
    flows = 3 * committed(island.result())
    names = [f"d{k}" for k in range(len(flows))]
    series = devices_chart(snapshot_of(island.market), flows, names)["series"]
    assert [one["name"] for one in series[:2]] == ["all give, kW", "all take, kW"]
    assert len(series) == 2 + 6
    assert series[1]["data"] == pytest.approx(-np.sum([flow.charge_kw for flow in flows], axis=0), rel=1e-5, abs=1e-8)


@pytest.fixture(scope="module")
def dated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("dated") / "dated.yaml"
    file.write_text("base: two_homes\nstart: 2026-03-28 12:00\ntimezone: Europe/Berlin\n")
    return file


@pytest.fixture(scope="module")
def served(dated: Path) -> Iterator[Served]:
    with serving(dated.parent, dated.name, "--workers", "2") as served:
        yield served


def test_a_person_sees_it_by_the_clock(browser: Any, served: Served, dated: Path, tmp_path: Path) -> None:
    tab = Tab(browser, served)
    tab.go("to-end", r"^round \d+, settled")
    assert not SECRET.search(tab.page.inner_text("body"))
    tab.press("private")
    tab.wait(lambda: tab.text("device-title").endswith("12:00-13:00), as committed to"))
    head, row = tab.rows("device-rows")
    assert head == ["device", "takes, kW", "gives, kW", "then holds, kWh", "takes in all, kWh", "gives in all, kWh"]
    table = gb.load(str(dated)).market().run().devices
    taken, given = table[["charge_kw", "discharge_kw"]].sum()
    now = table.iloc[0]
    assert row == ["battery of ann", *map(energy, (now.charge_kw, now.discharge_kw, now.energy_kwh, taken, given))]
    chart = tab.page.get_by_test_id("devices")
    tab.wait(lambda: "time, Europe/Berlin" in chart.inner_text())
    assert "battery of ann, kWh" in chart.inner_text()
    tab.page.screenshot(path=tmp_path / "devices-1280.png", full_page=True)
    tab.choose("prosumer", "bob")
    tab.wait(lambda: tab.text("device-title") == "")
    assert not chart.is_visible()
    tab.choose("prosumer", "ann")
    tab.wait(lambda: tab.text("device-title").startswith("devices of ann in "))
    tab.go("back", r"trades are delivered")
    tab.go("back", r"next, ")
    tab.wait(lambda: "in other processes" in tab.text("device-title"))
    assert not chart.is_visible()
    tab.close()
