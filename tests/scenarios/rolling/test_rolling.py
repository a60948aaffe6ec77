"""Runs of a rolling horizon, held against plain runs, the joint optimum of each window, and pandas."""

from __future__ import annotations

import json
from math import exp
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from rolling_homes import BATTERY, CAR, DAY, DT_H, PRICES, homes, load, profiles

import gridbazaar.scenarios as gb
from gridbazaar.agents import Household
from gridbazaar.agents.devices.battery import Battery
from gridbazaar.agents.devices.ev import Ev, Trip
from gridbazaar.agents.trade_graph import TradeGraph
from gridbazaar.market.proof.central import equilibrium
from gridbazaar.market.tables import DEVICES, TABLES
from gridbazaar.scenarios.rolling.rolling import run_rolling
from gridbazaar.scenarios.runs.run import Run
from gridbazaar.scenarios.runs.summary import kpis

pytestmark = pytest.mark.xdist_group("rolling")  # runs are made once


def run(folder: Path, said: dict, changes: dict[str, object] | None = None) -> Run:
    results = folder / "results"
    results.mkdir(parents=True)
    return run_rolling(load(folder, said, changes), results)


@pytest.fixture(scope="session")
def four_days(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Four windows of two days, of which one is kept, with folders of their own."""
    return run(tmp_path_factory.mktemp("four"), homes(horizon={"keep_windows": True}))


@pytest.fixture(scope="session")
def by_persistence(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Four windows of a day each, planned with what the day before brought."""
    said = homes(horizon={"length_h": 24, "forecast": "persistence", "imbalance_price_usd_per_kwh": PRICES})
    return run(tmp_path_factory.mktemp("persistence"), said)


def test_a_horizon_as_long_as_the_data_is_the_plain_run(tmp_path):
    rolled = run(tmp_path, homes(horizon={"length_h": 96, "step_h": 96}))
    plain = load(tmp_path, homes(), {"horizon": None}).market().run()
    assert rolled.result.settled
    assert plain.settled
    for name in (*TABLES, DEVICES):
        ours = gb.load_run(rolled.folder).table(name)
        pd.testing.assert_frame_equal(ours, getattr(plain, name), check_exact=name != "buses", rtol=1e-12)
    ours, theirs = json.loads(json.dumps(rolled.kpis)), json.loads(json.dumps(kpis(plain)))
    for key in theirs.keys() - {"seconds", "diagnosis", "communities"}:
        assert ours[key] == _nearly(theirs[key]), key
    assert str(rolled.result.certificate) == str(plain.certificate)


def _nearly(found: object) -> object:
    """Sums over time may be added up in another order, and costs of devices one after the other."""
    if isinstance(found, dict):
        return {key: _nearly(one) for key, one in found.items()}
    return pytest.approx(found, rel=1e-12, abs=1e-12) if isinstance(found, float) else found


def home(name: str, hours: slice, **more: object) -> Household:
    """One of the two homes, written down once more by hand."""
    data = {key: np.array(values[hours]) for key, values in profiles(4).items()}
    ann = name == "ann"
    return Household(
        name=name,
        bus="a" if ann else "b",
        fixed_kw=(2 if ann else 3) * data["load"],
        renewable_kw=9 * data["sun"] if ann else 0 * data["sun"],
        alpha_usd_per_kw2h=0.02,
        beta_usd_per_kwh=0.5 if ann else 0.4,
        elastic_min_kw=np.array(0.0),
        elastic_max_kw=np.array(8.0),
        bid_max_kw=np.array(15.0),
        dt_h=DT_H,
        **more,  # type: ignore[arg-type]
    )


def test_every_window_is_the_joint_optimum_from_the_levels_before(four_days):
    """The first two windows by hand: levels at the end of the first day are those that the second window begins with.

    The car leaves at noon of the first day and returns at noon of the second, so it is away where the first day ends.
    """
    battery = {key: value for key, value in BATTERY.items() if key != "kind"}
    car = {key: value for key, value in CAR.items() if key != "kind"}
    levels = gb.load_run(four_days.folder).devices.query("period == @DAY").set_index("device")["energy_kwh"]
    starts = [{"battery": 0.5, "car": 0.5}, {"battery": levels["battery"] / 20, "car": levels["car"] / 40}]
    scenario = gb.load_run(four_days.folder).scenario
    graph = TradeGraph(["ann", "bob"], scenario.build_links())
    for number, start in enumerate(starts, start=1):
        hours = slice(DAY * (number - 1), DAY * (number + 1))
        trip = Trip(leaves_h=12 - 24 * (number - 1), returns_h=36 - 24 * (number - 1), energy_kwh=12, soc_needed=0.6)
        ends = {"soc_end": 0.5}
        people = [
            home("ann", hours, devices=(Battery(name="battery", **battery, soc_start=start["battery"], **ends),)),
            home("bob", hours, devices=(Ev(name="car", **car, trips=(trip,), soc_start=start["car"], **ends),)),
        ]
        feeder = scenario.build_feeder()
        load_kw, load_kvar = (np.repeat(power[:, None], 2 * DAY, axis=1) for power in (feeder.p_kw, feeder.q_kvar))
        best = equilibrium(feeder, load_kw, load_kvar, people, graph)
        window = gb.load_run(four_days.folder / "windows" / f"{number:06d}")
        assert window.settled
        lost = best.welfare_usd - window.kpis["welfare_usd"]
        assert -1e-5 < lost < window.kpis["regret_usd"] + 1e-5
        assert window.kpis["dso_cost_usd"] == pytest.approx(best.dso_cost_usd, rel=1e-3)


def test_what_is_kept_is_the_first_step_of_every_window(four_days):
    whole = gb.load_run(four_days.folder)
    for name in ("prosumers", "trades", "prices", "generators", "lines", DEVICES):
        parts = []
        for number in range(4):
            part = gb.load_run(whole.folder / "windows" / f"{number + 1:06d}").table(name)
            parts.append(part[part["period"] <= DAY].assign(period=part["period"] + DAY * number))
        keys = [*parts[0].columns[:2].difference(["period"]), "period"]
        expected = pd.concat(parts).sort_values(keys, kind="stable").reset_index(drop=True)
        found = whole.table(name).sort_values(keys, kind="stable").reset_index(drop=True)
        pd.testing.assert_frame_equal(found, expected, check_exact=True)


def test_windows_without_folders_of_their_own_come_to_the_same_bits(tmp_path, four_days):
    kept, alone = (gb.load_run(one.folder) for one in (four_days, run(tmp_path, homes())))
    assert kept.windows["rounds"].tolist() == alone.windows["rounds"].tolist()
    for name in ("prosumers", "trades", "prices", "generators", "lines", DEVICES, "bills"):
        pd.testing.assert_frame_equal(kept.table(name), alone.table(name), check_exact=True)


def test_the_energy_balance_closes_over_all_windows(four_days):
    """Each level is that before it, kept and charged as (1 - exp(-l dt)) / l says, also from window to window."""
    table = gb.load_run(four_days.folder).devices.set_index("device")
    drive_kw = np.r_[0, 0, np.full(4, 12 / 24), np.zeros(10)]
    cases = {"battery": (20, 0.002, 0.95, 0.95, np.zeros(16)), "car": (40, 0.001, 0.92, 0.92, drive_kw)}
    for name, (capacity, loss, into, out, drain) in cases.items():
        own = table.loc[name]
        before = np.r_[0.5 * capacity, own["energy_kwh"].to_numpy()[:-1]]
        rate_kw = into * own["charge_kw"] - own["discharge_kw"] / out - drain
        level = exp(-loss * DT_H) * before + (1 - exp(-loss * DT_H)) / loss * rate_kw
        assert np.abs(level - own["energy_kwh"]).max() < 1e-9
        assert own["energy_kwh"].iloc[-1] >= 0.5 * capacity - 1e-9
    away = table.loc["car"].set_index("period").loc[[3, 4, 5, 6]]
    assert not away[["charge_kw", "discharge_kw"]].to_numpy().any()
    assert table.loc["car", "energy_kwh"].iloc[1] >= 0.6 * 40 - 1e-9
    assert table.loc["battery", "discharge_kw"].sum() > 0.1


def test_what_devices_did_is_told_over_all_windows(four_days):
    found = {row["device"]: row for row in four_days.kpis["devices"]}
    table = gb.load_run(four_days.folder).devices.groupby("device")
    charged = DT_H * table["charge_kw"].sum()
    change = table["energy_kwh"].last() - pd.Series({"battery": 10.0, "car": 20.0})
    for name, kind in {"battery": "battery", "car": "ev"}.items():
        assert found[name]["kind"] == kind
        assert found[name]["charged_kwh"] == pytest.approx(charged[name], rel=1e-12)
        assert found[name]["level_change_kwh"] == pytest.approx(change[name], abs=1e-9)
    assert found["battery"]["lost_kwh"] > 0.1
    assert found["car"]["lost_kwh"] is None  # it gives nothing back


def test_the_power_of_everybody_is_balanced(four_days):
    own = gb.load_run(four_days.folder).prosumers
    got = own["bid_kw"] + own["net_trade_kw"] + own["devices_kw"] + own["renewable_kw"] - own["curtailed_kw"]
    assert (got - own["fixed_kw"] - own["elastic_kw"]).abs().max() < 1e-9


def test_the_table_of_windows_says_how_each_ended(four_days):
    windows = gb.load_run(four_days.folder).windows
    assert windows[["from", "until", "horizon_until"]].to_numpy().tolist() == [
        [0, 24, 48],
        [24, 48, 72],
        [48, 72, 96],
        [72, 96, 96],
    ]
    assert (windows["outcome"] == "settled").all()
    assert windows["settled"].all()
    assert windows["dso_cost_usd"].sum() == pytest.approx(four_days.kpis["dso_cost_usd"], rel=1e-12)
    assert windows["regret_usd"].sum() == pytest.approx(four_days.kpis["regret_usd"], rel=1e-12)
    assert windows["rounds"].sum() == four_days.kpis["rounds"]
    assert four_days.kpis["message"] == "settled: nobody gains by deviating in any of 4 windows"
    assert "nothing bounds the welfare of the whole time" in four_days.kpis["certificate"]


def test_bills_are_those_of_the_tables(four_days):
    stored = gb.load_run(four_days.folder)
    bills = stored.bills.query("item == 'bids at the LMP'").set_index("account")["amount_usd"]
    own = stored.prosumers
    paid = DT_H * (own["bid_kw"] * own["lmp_usd_per_kwh"]).groupby(own["prosumer"]).sum()
    for name in ("ann", "bob"):
        assert bills[name] == pytest.approx(-paid[name], abs=0.005001)
    assert round(100 * stored.bills["amount_usd"]).sum() == 0


def test_without_stores_windows_are_the_whole_within_certificates(tmp_path):
    said = homes()
    for row in said["prosumers"].values():
        del row["devices"]
    rolled = run(tmp_path, said)
    plain = load(tmp_path, said, {"horizon": None}).market().run()
    assert rolled.result.settled
    assert plain.settled
    apart = rolled.result.welfare_usd - plain.welfare_usd
    assert -rolled.kpis["regret_usd"] - 1e-6 <= apart <= plain.certificate.total_usd + 1e-6
    assert np.abs(rolled.result.bid_kw - plain.bid_kw).max() < 0.05
    assert np.abs(rolled.result.bid_kw).max() > 5


@pytest.mark.parametrize("case", [1, 2])
def test_windows_without_algorithm_1_are_the_whole_as_well(tmp_path, case):
    """Case 1, in which nobody shares, and Case 2, in which a planner does."""
    said = homes(days=2)
    for row in said["prosumers"].values():
        del row["devices"]
    rolled = run(tmp_path, said, {"market.case": case})
    plain = load(tmp_path, said, {"horizon": None, "market.case": case}).market().run()
    assert rolled.result.settled
    assert rolled.result.welfare_usd == pytest.approx(plain.welfare_usd, rel=1e-5)
    assert (np.abs(rolled.result.trade_kw).max() > 0.1) == (case == 2)


def test_plans_are_made_with_the_day_before(by_persistence):
    table = gb.load_run(by_persistence.folder).imbalances
    data = profiles(4)
    for name, (peak, key) in {"ann": (2, "load"), "bob": (3, "load")}.items():
        actual = pd.Series(np.array(data[key]) * peak)
        own = table[table["prosumer"] == name].reset_index(drop=True)
        assert np.allclose(own["fixed_actual_kw"], actual)
        assert np.allclose(own["fixed_planned_kw"], actual.shift(DAY).fillna(actual))
    ann = table[table["prosumer"] == "ann"].reset_index(drop=True)
    sun = pd.Series(9 * np.array(data["sun"]))
    assert np.allclose(ann["renewable_planned_kw"], sun.shift(DAY).fillna(sun))


def test_imbalances_are_what_the_actual_balance_leaves_open(by_persistence):
    """Of the tables alone: what each bought, traded and stored, against what it then used and had."""
    stored = gb.load_run(by_persistence.folder)
    own, table = stored.prosumers, stored.imbalances
    for key in ("fixed", "renewable"):  # what prosumers have in their own table is what was planned
        assert np.allclose(own[f"{key}_kw"], table[f"{key}_planned_kw"])
    assert not {"fixed_kw", "renewable_kw"} & set(table)
    assert not own["curtailed_kw"].round(6).any()
    had = own["bid_kw"] + own["net_trade_kw"] + own["devices_kw"] + table["renewable_actual_kw"]
    lacking = table["fixed_actual_kw"] + own["elastic_kw"] - had
    assert (lacking - table["imbalance_kw"]).abs().max() < 1e-6
    price = np.where(table["imbalance_kw"] > 0, 0.5, 0.05)
    assert np.allclose(table["amount_usd"], DT_H * price * table["imbalance_kw"])
    assert (table["imbalance_kw"] > 0.1).any()
    assert (table["imbalance_kw"] < -0.1).any()

    paid = table.groupby("prosumer")["amount_usd"].sum()
    bills = stored.bills
    billed = bills[bills["item"] == "imbalances"].set_index("account")["amount_usd"]
    assert billed["ann"] == round(-paid["ann"], 2)
    assert billed["bob"] == round(-paid["bob"], 2)
    assert billed["DSO"].sum() == pytest.approx(-billed["ann"] - billed["bob"], abs=1e-9)
    assert round(100 * bills["amount_usd"]).sum() == 0
    assert stored.kpis["imbalance_usd_by_prosumer"] == pytest.approx(paid.to_dict(), rel=1e-12)
    assert stored.kpis["lacking_kwh"] == pytest.approx(DT_H * table["imbalance_kw"].clip(lower=0).sum(), rel=1e-12)


def test_imbalances_are_part_of_what_it_all_comes_to(by_persistence):
    result, stored = by_persistence.result, gb.load_run(by_persistence.folder)
    own = stored.prosumers
    elastic = own["elastic_kw"]
    beta = own["prosumer"].map({"ann": 0.5, "bob": 0.4})
    value = DT_H * (own["bid_kw"] * own["lmp_usd_per_kwh"] - elastic * (beta - 0.02 * elastic))
    wear = 1e-4 * DT_H * stored.devices.set_index("prosumer")[["charge_kw", "discharge_kw"]].sum(axis=1)
    cost = value.groupby(own["prosumer"]).sum() + wear.groupby(level=0).sum()
    cost += stored.imbalances.groupby("prosumer")["amount_usd"].sum()
    assert result.prosumer_cost_usd == pytest.approx(cost[["ann", "bob"]].to_numpy(), rel=1e-9)


def test_what_nobody_planned_is_left_out(by_persistence, four_days):
    assert by_persistence.kpis["self_consumption"] is None
    assert by_persistence.kpis["self_sufficiency_by_prosumer"] == {"ann": None, "bob": None}
    assert by_persistence.kpis["curtailed_by_prosumers_kwh"] is None
    assert 0 < four_days.kpis["self_consumption"] <= 1
    assert by_persistence.kpis["windows_settled"] == 4


def test_a_table_of_forecasts_is_what_windows_plan_with(tmp_path):
    """It has the sun twice as strong; of the load there is none, which is known."""
    said = homes(days=2, horizon={"forecast": "table", "imbalance_price_usd_per_kwh": PRICES})
    said["profiles"]["sun_forecast"] = [2 * value for value in said["profiles"]["sun"]]
    table = gb.load_run(run(tmp_path, said).folder).imbalances.set_index("prosumer")
    ann = table.loc["ann"]
    assert np.allclose(ann["renewable_planned_kw"], 2 * ann["renewable_actual_kw"])
    assert ann["renewable_actual_kw"].max() > 5
    assert (table["fixed_planned_kw"] == table["fixed_actual_kw"]).all()
    assert (ann["imbalance_kw"] >= 0).all()
    assert ann["imbalance_kw"].max() > 1
    assert not table.loc["bob", "imbalance_kw"].any()


def test_a_page_and_a_comparison_are_made_of_it(by_persistence, four_days):
    from gridbazaar.scenarios.reporting.comparison import compare
    from gridbazaar.scenarios.reporting.run_page import write_run_page

    runs = [gb.load_run(one.folder) for one in (four_days, by_persistence)]
    page = write_run_page(runs[1], by_persistence.folder / "page.html").read_text()
    assert "4 windows" in page
    assert "imbalances" in page
    assert "Costs are known within" not in page
    found = compare(runs).frame
    assert found[found["what"] == "welfare"]["known_within"].isna().all()
    assert (found["what"] == "DSO cost").any()
