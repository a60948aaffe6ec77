"""What is exported flows in pandapower as the run does: the AC replay of its dispatch is what it is held against."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandapower as pp
import pytest
from pandapower.timeseries import OutputWriter, run_timeseries

from gridbazaar.network import replay_ac
from gridbazaar.scenarios.exporting.pandapower_export import PandapowerExport
from gridbazaar.scenarios.exporting.pandapower_notes import contents, notes
from gridbazaar.scenarios.exporting.periods import highest_load
from gridbazaar.scenarios.exporting.power_flow_check import Flowed, flow

from .conftest import LEVELS, Save, Saved

WITHIN_PU = 1e-8


def read_back(net: Any, folder: Path) -> Any:
    """The network as a file has it."""
    pp.to_json(net, str(folder / "net.json"))
    return pp.from_json(str(folder / "net.json"))


@pytest.mark.parametrize("name", ["ieee33", "levels", "cigre", "radial1", "radial2"])
def test_a_file_flows_to_the_voltages_of_the_replay(name: str, save: Save, tmp_path: Path) -> None:
    saved = save(name)
    replay = replay_ac(saved.result.feeder, saved.result.dispatch)
    exported = PandapowerExport(saved.stored)
    for t in {0, highest_load(exported.powers.drawn_kw)}:
        net = read_back(exported.net(t), tmp_path)
        pp.runpp(net, numba=False)
        assert np.abs(net.res_bus["vm_pu"].to_numpy() - replay.v_pu[:, t]).max() < WITHIN_PU
        root_kw = saved.result.dispatch.p_gen_kw[saved.result.feeder.generator_bus == 0, t].sum()
        others = net.sgen["bus"] == 0
        fed_mw = net.res_ext_grid["p_mw"].sum() + net.sgen.loc[others, "p_mw"].sum()
        assert 1e3 * fed_mw == pytest.approx(root_kw, abs=1e-2)


@pytest.mark.parametrize("name", ["levels", "radial1"])
def test_profiles_of_all_periods_run_as_a_time_series(name: str, save: Save, tmp_path: Path) -> None:
    saved = save(name)
    net = read_back(PandapowerExport(saved.stored).net(0, profiles=True), tmp_path)
    steps = range(saved.stored.scenario.periods)
    writer = OutputWriter(net, time_steps=steps)
    writer.log_variable("res_bus", "vm_pu")
    run_timeseries(net, time_steps=steps, verbose=False, numba=False, recycle=False)  # else numba compiles for long
    replay = replay_ac(saved.result.feeder, saved.result.dispatch)
    assert np.abs(writer.output["res_bus.vm_pu"].to_numpy().T - replay.v_pu).max() < WITHIN_PU


def test_names_limits_and_kinds_are_kept(save: Save) -> None:
    net = PandapowerExport(save("levels").stored).net(1)
    assert set(net.bus["name"]) == set(LEVELS["feeder"]["buses"])
    assert dict(zip(net.bus["name"], net.bus["vn_kv"], strict=True))["mine"] == 6.0
    assert set(net.bus["min_vm_pu"]), set(net.bus["max_vm_pu"]) == ({0.85}, {1.15})
    assert list(net.line["name"]) == ["hv-mv", "lv-end"]  # told from the root, as in the tables of the run
    assert list(net.trafo["name"]) == ["mv-lv", "lv-mine", "mv-behind"]
    assert list(net.switch["name"]) == ["end-panel"]
    assert {"ann", "bob", "load mv", "load mine"} < set(net.load["name"])
    assert list(net.sgen["name"]) == ["second grid", "chp"]
    assert list(net.ext_grid["name"]) == ["grid"]
    assert (net.name, net.f_hz) == ("Three voltage levels with taps", 60)
    assert list(net.line["max_i_ka"]) == [0.2, 0.15]
    assert list(net.line["p_max_mw"].round(9)) == pytest.approx([np.nan, 0.09], nan_ok=True)
    assert net.switch["in_ka"][0] == 0.1
    assert net.sgen["min_p_mw"].tolist() == [0, 0.005]
    assert net.ext_grid["max_p_mw"][0] == 0.9
    assert np.isnan(net.ext_grid["min_q_mvar"][0])
    costs = net.poly_cost.set_index("et")
    assert costs.loc["ext_grid", ["cp0_eur", "cp1_eur_per_mw", "cp2_eur_per_mw2"]].tolist() == pytest.approx(
        [3, 200, 100]
    )


def test_lines_and_transformers_are_loaded_as_in_the_tables(save: Save) -> None:
    saved = save("levels", feeder__lines__street__p_max_kw=np.inf)
    net = PandapowerExport(saved.stored).net(0)
    pp.runpp(net, numba=False)
    lines = saved.stored.lines.query("period == 1").set_index("line")
    for table, name in (("line", "lv-end"), ("trafo", "mv-lv")):
        loading = net[f"res_{table}"].loc[net[table]["name"] == name, "loading_percent"].item()
        assert loading == pytest.approx(lines.loc[name, "loading_percent"], rel=1e-6)
    losses_mw = net.res_line["pl_mw"].sum() + net.res_trafo["pl_mw"].sum()
    assert 1e3 * losses_mw == pytest.approx(lines["loss_kw"].sum(), rel=1e-6)


@pytest.mark.parametrize(("name", "t"), [("ieee33", 18), ("levels", 0)])
def test_the_optimal_power_flow_of_pandapower_finds_the_dispatch_and_its_cost(name: str, t: int, save: Save) -> None:
    saved = save(name)
    net = PandapowerExport(saved.stored).net(t)
    tolerances = {"FEASTOL": 1e-9, "GRADTOL": 1e-7, "COMPTOL": 1e-8, "COSTTOL": 1e-9}
    pp.runopp(net, delta=1e-12, numba=False, **{f"PDIPM_{key}": value for key, value in tolerances.items()})
    feeder, dispatch = saved.result.feeder, saved.result.dispatch
    p_kw = dispatch.p_gen_kw[:, t]
    cost = sum(
        one.a_usd_per_kw2h * kw**2 + one.b_usd_per_kwh * kw + one.c_usd_per_h
        for one, kw in zip(feeder.generators, p_kw, strict=True)
    )
    assert net.res_cost == pytest.approx(cost, rel=1e-6)
    found_kw = 1e3 * np.array([*net.res_ext_grid["p_mw"], *net.res_sgen["p_mw"]])
    assert found_kw == pytest.approx(p_kw, abs=0.05)
    assert net.res_bus["lam_p"].to_numpy() / 1e3 == pytest.approx(dispatch.lmp_usd_per_kwh[:, t], abs=1e-3)


def test_prosumers_draw_what_the_network_carries_for_them(save: Save) -> None:
    bids = save("homes")
    trades = save("homes", market__network_use="withdrawals")
    for saved, column in ((bids, "bid_kw"), (trades, "withdrawal_kw")):
        exported = PandapowerExport(saved.stored)
        net = exported.net(1)
        table = saved.stored.prosumers.query("period == 2").set_index("prosumer")[column]
        for name in ("ann", "bob"):
            assert 1e3 * net.load.loc[net.load["name"] == name, "p_mw"].item() == pytest.approx(table[name], abs=1e-12)
        says_so = any(note.startswith("trades load no wire in this run") for note in notes(exported))
        assert says_so == (column == "bid_kw")


def test_what_could_not_be_served_flows_too_and_is_said(short: Saved) -> None:
    dispatch = short.result.dispatch
    assert dispatch.unserved_kw.max() > 0.5
    assert np.abs(dispatch.q_slack_kvar).max() > 0.3
    exported = PandapowerExport(short.stored)
    net = exported.net(2)
    assert flow(exported, net, range(4)).voltage_error_pu < WITHIN_PU
    assert any(note.startswith("what could not be served stands at ") for note in notes(exported))
    assert [name for name in net.sgen["name"] if name.startswith("unserved ")]
    assert not net.sgen["controllable"].any()


def test_a_run_of_before_without_a_column_of_reactive_shortage_is_exported(save: Save) -> None:
    stored = save("levels").stored
    exported = PandapowerExport(stored)
    told = exported.net(0).load["q_mvar"].tolist()
    stored._tables["buses"] = stored.buses.drop(columns="unserved_kvar")
    try:
        assert PandapowerExport(stored).net(0).load["q_mvar"].tolist() == told
    finally:
        del stored._tables["buses"]


def test_where_nothing_stands_at_the_root_the_grid_feeds_nothing(save: Save) -> None:
    saved = save("levels", feeder__generators={"grid": {"bus": "mv"}, "second grid": {"bus": "mv"}})
    exported = PandapowerExport(saved.stored)
    net = exported.net(0)
    assert list(net.ext_grid["name"]) == ["root hv"]
    assert list(net.sgen["name"]) == ["grid", "second grid", "chp"]
    assert flow(exported, net, [0]).voltage_error_pu < WITHIN_PU
    assert net.res_ext_grid["p_mw"][0] == pytest.approx(0, abs=1e-7)


def test_the_check_can_say_no(save: Save) -> None:
    """A network that is not the run's is told of: its cable is longer."""
    exported = PandapowerExport(save("levels").stored)
    net = exported.net(0)
    net.line.loc[0, "length_km"] = 40.0
    assert flow(exported, net, [0]).voltage_error_pu > 1e-5
    net.line.loc[0, "length_km"] = 4000.0
    failed = flow(exported, net, [1, 0])
    assert failed.failed == 1
    assert failed.sentence(1.0) == ("does not converge in period 2 (01:00-02:00): the dispatch is no solution of it")


def test_a_relaxation_that_burns_power_is_exported_and_told_of(save: Save) -> None:
    """The cone alone heats the wires: its voltages are none of the AC power flow, and the export says by how much."""
    sun = {"bus": "b", "a_usd_per_kw2h": 0, "b_usd_per_kwh": -0.1, "p_min_kw": 0, "p_max_kw": 900}
    saved = save("homes", feeder__generators__sun={**sun, "q_min_kvar": 0, "q_max_kvar": 0}, market__physics="cone")
    exported = PandapowerExport(saved.stored)
    flowed = flow(exported, exported.net(0), [0])
    assert flowed.failed == 0 or flowed.voltage_error_pu > 1e-4


def test_a_run_that_left_no_schedule_has_its_ordinary_loads(stopped: Any) -> None:
    exported = PandapowerExport(stopped)
    net = exported.net(0)
    assert net.load.set_index("name")["p_mw"].to_dict() == pytest.approx(
        {"load a": 0.002, "load b": 0.003, "ann": 0.0, "bob": 0.0}
    )
    assert "there is no dispatch to hold it against" in flow(exported, net, [0]).sentence(1.0)
    assert next(notes(exported)).startswith("the run has left no schedule: the network has the ordinary loads")


def test_periods_are_named_by_the_calendar_and_devices_are_told_of(save: Save) -> None:
    battery = {"kind": "battery", "capacity_kwh": 8, "p_charge_max_kw": 3, "p_discharge_max_kw": 3}
    exported = PandapowerExport(save("autumn", prosumers__ann__devices={"pack": battery}).stored)
    net = exported.net(18)
    said = contents(exported, net, 18, profiles=False)
    assert said.startswith("period 19 (25 October 17:00-18:00): ")  # the 19th hour of a day of 25
    failed = Flowed(None, 1e-8, failed=18).sentence(exported.run.when)
    assert failed == "does not converge in period 19 (25 October 17:00-18:00): the dispatch is no solution of it"
    told = "what devices (batteries, vehicles, ...) take and give is part of their prosumers' loads"
    assert told in list(notes(exported))
    assert told not in list(notes(PandapowerExport(save("levels").stored)))
