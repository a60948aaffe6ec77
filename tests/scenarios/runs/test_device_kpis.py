"""What is told of devices: by hand, from the tables of a run, and in what a person sees."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import gridbazaar.scenarios as gb
from gridbazaar.market.device_schedules import DeviceSchedules
from gridbazaar.market.result import Result
from gridbazaar.network import InputError
from gridbazaar.scenarios.reporting.run_page import write_run_page
from gridbazaar.scenarios.runs import kpis
from gridbazaar.scenarios.runs.device_kpis import device_energies, devices_said
from gridbazaar.scenarios.runs.running import run_scenario


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> tuple[Result, Path]:
    folder = tmp_path_factory.mktemp("homes")
    car = {"kind": "ev", "capacity_kwh": 40, "p_charge_max_kw": 7, "soc_start": 0.5}
    trips = [{"leaves_h": 7, "returns_h": 17, "energy_kwh": 9}]
    scenario = gb.load("two_homes", {"prosumers.bob.devices.car": {**car, "trips": trips}})
    return run_scenario(scenario, folder).result, folder


def schedules(charge: list[list[float]], discharge: list[list[float]], level: list[list[float]]) -> DeviceSchedules:
    """Those of one battery of the first of two prosumers."""
    taken, given = np.array(charge), np.array(discharge)
    injection = np.vstack([given[0] - taken[0], np.zeros(taken.shape[1])])
    return DeviceSchedules((("ann", "b"),), taken, given, np.array(level), injection, np.zeros(2))


@pytest.fixture(scope="module")
def by_hand(saved: tuple[Result, Path]) -> Result:
    """ann has 6 kWh of sun at first: uses 1, stores 4, feeds in 1. Then it gives back 3: uses 1, feeds in 2.

    bob takes 2 kW in both hours.
    """
    arrays = {
        "renewable_kw": [[6, 0], [0, 0]],
        "curtailed_kw": [[0, 0], [0, 0]],
        "fixed_kw": [[1, 1], [2, 2]],
        "elastic_kw": [[0, 0], [0, 0]],
        "bid_kw": [[-1, -2], [2, 2]],
        "trade_kw": [[0, 0]],
        "lmp_usd_per_kwh": [[0.2, 0.2], [0.2, 0.2]],
    }
    rows = {key: np.array(values, dtype=float) for key, values in arrays.items()}
    return replace(saved[0], device_schedules=schedules([[4, 0]], [[0, 3]], [[4, 0]]), **rows)


def test_self_consumption_with_a_store_by_hand(by_hand: Result) -> None:
    # together they feed in nothing: bob takes 1 and then 2 of what ann feeds in
    assert kpis.self_consumption(by_hand) == pytest.approx(1.0)
    # 6 kWh of loads and 1 kWh of losses; 1 kWh is bought in the first hour and none in the second
    assert kpis.self_sufficiency(by_hand) == pytest.approx(6 / 7)
    # of 6 kWh of sun ann feeds in 1 at once and 2 out of its battery
    assert kpis.self_consumption_by_prosumer(by_hand)[0] == pytest.approx(3 / 6)
    np.testing.assert_allclose(kpis.self_sufficiency_by_prosumer(by_hand), [1.0, 0.0])


def test_energy_of_the_grid_does_not_become_one_s_own_in_a_store(by_hand: Result) -> None:
    """Without sun, ann buys 5 kWh, of which it stores 4; an hour later it gives 1 to its load and 2 to bob."""
    dark = replace(by_hand, renewable_kw=np.zeros((2, 2)), bid_kw=np.array([[5.0, -2.0], [2.0, 2.0]]))
    assert kpis.self_sufficiency(dark) == pytest.approx(0.0)  # 7 bought of 6 kWh of loads and 1 of losses
    assert kpis.self_consumption(dark) is None


def test_what_a_device_generates_makes_no_load_smaller(by_hand: Result) -> None:
    """In place of a battery ann has an engine, which gives 3 kWh in the second hour; of these it feeds in 2."""
    engine = schedules([[0, 0]], [[0, 3]], [[np.nan, np.nan]])
    rows = {"renewable_kw": np.zeros((2, 2)), "bid_kw": np.array([[1.0, -2.0], [2.0, 2.0]])}
    dark = replace(by_hand, device_schedules=engine, **rows)
    assert kpis.self_sufficiency(dark) == pytest.approx(3 / 6)  # 6 kWh of loads; 3 are bought, all in the first hour
    np.testing.assert_allclose(kpis.self_sufficiency_by_prosumer(dark), [1 / 2, 0.0])
    (said,) = devices_said(dark)
    assert said.startswith("1 device: 1 only gave 3.00 kWh; what devices cost, part of the welfare, ")


def test_an_engine_beside_a_store_hides_no_losses(by_hand: Result) -> None:
    """The battery loses 1 kWh, which is consumed, however much the engine gives beside."""
    names = (("ann", "b"), ("ann", "engine"))
    flows = np.array([[4.0, 0], [0, 0]]), np.array([[0, 3.0], [5, 5]]), np.array([[4.0, 0], [np.nan, np.nan]])
    injection = np.array([[1.0, 8.0], [0, 0]])
    rows = {"renewable_kw": np.zeros((2, 2)), "bid_kw": np.array([[0.0, -7.0], [2.0, 2.0]])}
    both = replace(by_hand, device_schedules=DeviceSchedules(names, *flows, injection, np.zeros(2)), **rows)
    assert kpis.self_sufficiency(both) == pytest.approx(5 / 7)  # 7 kWh are consumed; 2 are bought in the first hour
    np.testing.assert_allclose(kpis.self_sufficiency_by_prosumer(both), [1.0, 0.0])


def test_devices_that_only_take_are_told_apart_from_those_that_give_back(by_hand: Result) -> None:
    names = (("ann", "b"), ("bob", "heat"), ("bob", "idle"))
    taken, given = np.array([[4.0, 0], [30, 60], [0, 0]]), np.array([[0.0, 3.0], [0, 0], [0, 0]])
    injection = np.array([[-4.0, 3.0], [-30.0, -60.0]])
    mixed = replace(by_hand, device_schedules=DeviceSchedules(names, taken, given, taken, injection, np.zeros(2)))
    assert devices_said(mixed)[0].startswith(
        "3 devices: 1 took 4.00 kWh and gave back 3.00 kWh; 1 only took 90.0 kWh; 1 did nothing; what devices cost, "
    )


def test_what_charges_and_discharges_at_once_is_named(by_hand: Result) -> None:
    both = replace(by_hand, device_schedules=schedules([[4, 2]], [[1, 3]], [[4, 0]]))
    at, cure = "b of ann charges and discharges at once at", "no device could: agents.exact_plan finds what its owner"
    prices = {
        (0.0, -0.1): [f"{at} 00:00-02:00, where a kWh is worth nothing or less; {cure}"],
        (0.2, 0.1): [f"{at} 00:00-02:00; {cure}"],
        (0.2, 0.0): [f"{at} 01:00-02:00, where a kWh is worth nothing or less; {cure}", f"{at} 00:00-01:00; {cure}"],
    }
    for of_ann, sentences in prices.items():
        _, *said = devices_said(replace(both, lmp_usd_per_kwh=np.array([of_ann, (0.2, -0.2)])))
        assert [one.removesuffix(" could do best instead") for one in said] == sentences
    sunny = replace(both, lmp_usd_per_kwh=np.full((2, 2), 0.2), curtailed_kw=np.array([[1.0, 0.0], [0.0, 1.0]]))
    assert [", where a kWh is worth nothing or less" in one for one in devices_said(sunny)[1:]] == [True, False]
    assert len(devices_said(replace(by_hand, lmp_usd_per_kwh=np.full((2, 2), 0.2)))) == 1


def test_kpis_from_the_tables(saved: tuple[Result, Path]) -> None:
    _, folder = saved
    told = json.loads((folder / "kpis.json").read_text())
    devices = pd.read_parquet(folder / "devices.parquet")
    people = pd.read_parquet(folder / "prosumers.parquet")
    sums = devices.groupby("device", observed=True)[["charge_kw", "discharge_kw"]].sum()
    assert told["charged_kwh"] == pytest.approx(sums.charge_kw.sum())
    assert told["discharged_kwh"] == pytest.approx(sums.discharge_kw.sum())
    battery, car = sums.loc["battery"], sums.loc["car"]
    lost = 0.05 * battery.charge_kw + (1 / 0.95 - 1) * battery.discharge_kw  # it ends as full as it began
    assert told["storage_losses_kwh"] == pytest.approx(lost, rel=1e-6)
    of_car = next(one for one in told["devices"] if one["device"] == "car")
    assert of_car["lost_kwh"] is None  # it gives nothing back: a load
    assert of_car["level_change_kwh"] == pytest.approx(0.92 * car.charge_kw - 9, abs=1e-6)
    drawn = devices.charge_kw.sum() - devices.discharge_kw.sum()
    together = people.groupby("period").bid_kw.sum()
    load = people.fixed_kw.sum() + people.elastic_kw.sum() + drawn
    assert told["self_sufficiency"] == pytest.approx(1 - together.clip(lower=0).sum() / load)
    assert told["device_cost_usd"] == pytest.approx(1e-4 * (sums.to_numpy().sum()), rel=1e-6)


def test_energies_of_each_device(saved: tuple[Result, Path]) -> None:
    result, folder = saved
    found = device_energies(result, gb.load_run(folder).scenario.build_households())
    assert [(one.prosumer, one.name, one.kind) for one in found] == [
        ("ann", "battery", "battery"),
        ("bob", "car", "ev"),
    ]
    assert found[0].level_change_kwh == pytest.approx(0.0, abs=1e-9)


def test_a_run_without_devices_says_nothing_of_them(tmp_path: Path) -> None:
    run = run_scenario(gb.load("two_homes", {"prosumers.ann.devices": None}), tmp_path)
    assert "devices" not in run.kpis
    assert devices_said(run.result) == []
    assert not (tmp_path / "devices.parquet").exists()
    with pytest.raises(InputError, match="no prosumer has a device; plot balance, prices or network"):
        run.result.plot("devices")


def test_the_page_shows_them(saved: tuple[Result, Path], tmp_path: Path) -> None:
    run = gb.load_run(saved[1])
    page = write_run_page(run, tmp_path / "page.html").read_text(encoding="utf-8")
    for words in ("Devices", "battery of ann", "car of bob", "lost in stores", "Power of all devices together"):
        assert words in page


def test_their_picture_is_of_their_table(saved: tuple[Result, Path]) -> None:
    result, folder = saved
    for run in (result, gb.load_run(folder)):
        top, bottom = run.plot("devices").axes  # type: ignore[attr-defined]
        given = [np.asarray(patch.get_data().values) for patch in top.patches]
        table = result.devices.groupby("period")[["discharge_kw", "charge_kw"]].sum()
        np.testing.assert_allclose(given[0], table.discharge_kw)
        np.testing.assert_allclose(given[1], -table.charge_kw)
        levels = {str(line.get_label()): np.asarray(line.get_ydata(), dtype=float) for line in bottom.lines}
        assert set(levels) == {"battery of ann", "car of bob"}
        of_ann = result.devices.query("prosumer == 'ann'").energy_kwh
        np.testing.assert_allclose(levels["battery of ann"], of_ann)


def test_a_balance_with_devices_closes(saved: tuple[Result, Path]) -> None:
    result = saved[0]
    patches = result.plot("balance", prosumer="ann").axes[1].patches
    area: dict[str, Any] = {patch.get_label(): patch.get_data() for patch in patches}
    given = area["given by devices"].values - area["given by devices"].baseline
    np.testing.assert_allclose(given, np.maximum(result.device_schedules.injection_kw[0], 0.0), atol=1e-9)
    tops = [max(float(data.values[t]) for data in area.values()) for t in range(24)]
    lows = [min(float(data.values[t]) for data in area.values()) for t in range(24)]
    np.testing.assert_allclose(tops, -np.array(lows), atol=1e-2)  # slivers are left out


def test_a_balance_shows_what_devices_give_beside_what_they_take(saved: tuple[Result, Path]) -> None:
    """A heat pump takes 3 kW while an engine gives as much: neither hides behind the other."""
    result, old = saved[0], saved[0].device_schedules
    names = (*old.names, ("ann", "heat"), ("ann", "engine"))
    three, none = (np.full((1, 24), kw) for kw in (3.0, 0.0))
    flows = replace(
        old,
        names=names,
        charge_kw=np.vstack([old.charge_kw, three, none]),
        discharge_kw=np.vstack([old.discharge_kw, none, three]),
        energy_kwh=np.vstack([old.energy_kwh, none, none]),
    )
    areas: dict[str, Any] = {}
    for patch in replace(result, device_schedules=flows).plot("balance", prosumer="ann").axes[1].patches:
        areas[str(patch.get_label())] = np.abs(patch.get_data().values - patch.get_data().baseline)
    np.testing.assert_allclose(areas["given by devices"], old.discharge_kw[0] + 3)
    np.testing.assert_allclose(areas["taken by devices"], old.charge_kw[0] + 3)


def test_one_s_own_view_of_a_session_has_ones_devices() -> None:
    with gb.Session("two_homes") as session:
        session.run_to("settled")
        frame = session.prosumer("ann").frame
        table = session.result().devices.query("prosumer == 'ann'")
        for column in ("charge_kw", "discharge_kw", "energy_kwh"):
            np.testing.assert_allclose(frame[f"battery_{column}"], table[column], atol=1e-9)
        assert not [column for column in session.prosumer("bob").frame if "battery" in column]


def test_it_is_run_and_resumed(tmp_path: Path) -> None:
    """A run that was stopped goes on to the same end."""
    words = [sys.executable, "-m", "gridbazaar.scenarios", "run"]
    whole = subprocess.run(
        [*words, "two_homes", "-o", "whole"], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert "1 device: 1 took 19.7 kWh and gave back 17.8 kWh; what devices cost, part of the welfare, $0.00" in (
        whole.stdout
    )
    scenario, rounds = gb.load("two_homes"), 0
    (tmp_path / "half").mkdir()

    def stop(record: object) -> None:
        del record
        nonlocal rounds
        rounds += 1
        if rounds == 15:
            raise RuntimeError("stopped")

    with pytest.raises(RuntimeError, match="stopped"):
        run_scenario(scenario, tmp_path / "half", watch=stop)
    subprocess.run([*words, "--resume", "half"], cwd=tmp_path, capture_output=True, text=True, check=True)
    one, other = (pd.read_parquet(tmp_path / name / "devices.parquet") for name in ("whole", "half"))
    pd.testing.assert_frame_equal(one, other, check_exact=True)
