"""What an import writes: loads, costs, prosumers, links, hours; and what it refuses to write."""

from __future__ import annotations

import sys
from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandapower as pp
import pandas as pd
import pytest
from pandapower.control import ConstControl
from pandapower.timeseries import DFData
from small_networks import cable, further, island, shunt, small, storage

import gridbazaar.scenarios as gb
from gridbazaar.scenarios.files.import_row import ImportRow
from gridbazaar.scenarios.importing import proof as proofs
from gridbazaar.scenarios.importing.importing import import_network
from gridbazaar.scenarios.importing.proof import WARNED_PU, rounded_up


@pytest.fixture
def saved(tmp_path):
    """A pandapower network as a file."""

    def save(net, name="net"):
        file = tmp_path / f"{name}.json"
        pp.to_json(net, str(file))
        return str(file)

    return save


def with_costs():
    net = small()
    pp.create_poly_cost(net, 0, "ext_grid", cp0_eur=3, cp1_eur_per_mw=80, cp2_eur_per_mw2=500)
    pp.create_sgen(net, 3, 0.03, 0.002, type="PV", name="roof")
    pp.create_sgen(net, 2, 0.02, type="CHP", controllable=True, min_p_mw=0.005, max_p_mw=0.04)
    pp.create_poly_cost(net, 1, "sgen", cp1_eur_per_mw=95)
    pp.create_gen(net, 2, 0.01, vm_pu=1.0, min_p_mw=0, max_p_mw=0.05, min_q_mvar=-0.02, max_q_mvar=0.02)
    pp.create_pwl_cost(net, 0, "gen", [[0, 0.05, 110]])
    pp.create_sgen(net, 3, 0.01, type="wind", controllable=True)
    pp.create_poly_cost(net, 1, "load", cp1_eur_per_mw=-200)
    return net


def test_loads_costs_and_limits_are_those_of_the_original(saved, importing):
    net = with_costs()
    imported = importing(saved(net), prosumers=3)
    assert imported.network.remarks.left_out == ("poly_cost 2: a load (1) costs nothing in a feeder",)
    assert "costs: their unit of money is taken for a dollar" in imported.network.remarks.defaults
    scenario = imported.scenario
    prosumers, buses = scenario.prosumers.values(), scenario.feeder.buses
    for bus in ("2", "3"):
        own_kw = buses[bus].p_kw + sum(p.fixed_peak_kw for p in prosumers if p.bus == bus)
        assert own_kw == pytest.approx(1e3 * net.load.loc[net.load["bus"] == int(bus), "p_mw"].sum(), rel=1e-12)
        assert buses[bus].q_kvar == pytest.approx(1e3 * net.load.loc[net.load["bus"] == int(bus), "q_mvar"].sum())
    machines = scenario.feeder.generators
    grid, roof, chp = machines["ext_grid 0"], machines["roof"], machines["sgen 1"]
    assert (grid.a_usd_per_kw2h, grid.b_usd_per_kwh, grid.c_usd_per_h) == pytest.approx((0.0005, 0.08, 3))
    assert (roof.p_min_kw, roof.p_max_kw, roof.q_min_kvar, roof.q_max_kvar) == pytest.approx((30, 30, 2, 2))
    assert (roof.p_min_profile, roof.p_max_profile) == ("sun", "sun")
    assert (chp.p_min_kw, chp.p_max_kw, chp.b_usd_per_kwh, chp.p_max_profile) == (5, 40, 0.095, "")
    gen, wind = machines["gen 0"], machines["sgen 2"]
    assert (gen.p_min_kw, gen.p_max_kw, gen.q_min_kvar, gen.q_max_kvar) == pytest.approx((0, 50, -20, 20))
    assert gen.b_usd_per_kwh == 0.11
    assert (wind.p_min_kw, wind.p_max_kw, wind.b_usd_per_kwh) == (0, 10, 0)
    assert scenario.feeder.root_voltage_pu == 1.02


def test_what_draws_the_same_at_all_hours_follows_no_profile(saved, importing):
    net = small()
    shunt(net)
    imported = importing(saved(net))
    capacitor = imported.scenario.feeder.generators["constant at 3"]
    pp.runpp(net, numba=False)
    assert capacitor.q_min_kvar == capacitor.q_max_kvar == pytest.approx(-1e3 * net.res_shunt["q_mvar"][0])
    assert not capacitor.p_max_profile
    assert 1e-6 < imported.proof.light_pu < 1e-3  # it follows the voltage in the original, which the proof tells


def test_limits_that_are_missing_or_broken_are_told_of(saved, importing):
    net = small()
    net.bus["max_vm_pu"] = 1.08
    net.ext_grid["max_p_mw"] = 0.01
    imported = importing(saved(net))
    said = imported.network.remarks.defaults
    assert {bus.v_max_pu for bus in imported.scenario.feeder.buses.values()} == {1.08}
    assert {bus.v_min_pu for bus in imported.scenario.feeder.buses.values()} == {0.9}
    assert "bus: 4 voltage limits are not given; 0.9 and 1.1 pu" in said
    assert any(one.startswith("ext_grid 0: its max_p_mw of 0.01 is broken by its own 0.09") for one in said)
    assert any(one.startswith("ext_grid 0: it has no costs; a kWh costs 0.15 $/kWh") for one in said)
    text = (imported.folder / "README.md").read_text(encoding="utf-8")
    assert all(f"- {one}\n" in text for one in said)


def test_names_are_kept_where_each_bus_has_one_of_its_own(saved, importing):
    net = small()
    net.bus["name"] = ["Station", 'Kiosk, "north"', "Füße 2-3", " yes "]
    scenario = importing(saved(net), prosumers=2).scenario
    assert list(scenario.feeder.buses) == ["Station", 'Kiosk, "north"', "Füße 2-3", "yes"]
    assert scenario.feeder.root == "Station"


def test_only_names_that_are_not_unique_or_empty_give_way_to_numbers(saved, importing):
    net = small()
    further(net)
    cable(net, 3, 4)
    net.bus["name"] = ["4", "b", "b", "c", ""]  # the number 4 is taken by a name
    imported = importing(saved(net), prosumers=2)
    assert list(imported.scenario.feeder.buses) == ["4", "1", "2", "c", "4'"]
    assert [one for one in imported.network.remarks.approximations if one.startswith("bus ")] == [
        "bus 1 (b): 2 buses have this name, so it is called 1",
        "bus 2 (b): 2 buses have this name, so it is called 2",
        "bus 4: it has no name, so it is called 4'",
    ]


def test_buses_without_any_name_lose_none(saved, importing):
    said = importing(saved(small()), prosumers=2).network.remarks.approximations
    assert not any(one.startswith("bus ") for one in said)


def test_the_proof_says_what_stands_on_neither_side(saved, importing):
    net = small()
    storage(net)
    pp.create_storage(net, 2, 0.0, 1.0)  # which is idle, so nothing is missing
    imported = importing(saved(net), prosumers=2)
    assert " power flow of the original less what is left out: storage 0 (limit 0.0001), " in imported.proof.sentence()
    assert imported.proof.sentence()[1:] in (imported.folder / "README.md").read_text(encoding="utf-8")


def test_a_voltage_that_is_held_is_warned_of(saved, importing):
    net = small()
    pp.create_gen(net, 3, 0.01, vm_pu=0.99, name="chp")
    imported = importing(saved(net), prosumers=2)
    assert imported.proof.light_pu > WARNED_PU
    found = rounded_up(imported.proof.light_pu)
    assert imported.proof.warning() == (
        f"at 40% of the loads voltages are up to {found} pu from the original's, where these follow the voltage, and "
        "are held constant here: reactive power of gen 0 (chp)"
    )
    assert f"Warning: {imported.proof.warning()}.\n" in (imported.folder / "README.md").read_text(encoding="utf-8")
    assert replace(imported.proof, light_pu=WARNED_PU).warning() == ""
    unknown = replace(imported.proof, following=()).warning()
    assert unknown.endswith("what is taken for constant power follows the voltage there")


def test_a_controller_that_is_left_out_says_what_takes_its_place(saved, importing):
    net = small()
    profile = DFData(pd.DataFrame({"load": [0.01, 0.02]}))
    ConstControl(net, "load", "p_mw", element_index=[0], profile_name=["load"], data_source=profile)
    (said,) = importing(saved(net), prosumers=2).network.remarks.left_out
    assert said == (
        "controller 0 (ConstControl [load.p_mw]): its profile is not read; a day of our own making takes its place"
    )


def test_more_prosumers_than_buses_share_the_load(saved, importing):
    prosumers = importing(saved(small()), prosumers=5).scenario.prosumers.values()
    assert sorted(Counter(prosumer.bus for prosumer in prosumers).values()) == [2, 3]
    assert sum(prosumer.fixed_peak_kw for prosumer in prosumers) == pytest.approx(0.5 * 90)


@pytest.mark.parametrize(("links", "count"), [("ring", 6), ("complete", 15), ("neighbours", None)])
def test_links(links, count, importing):
    scenario = importing("kerber_landnetz_kabel_1", prosumers=6, links=links).scenario
    pairs = [{link.a, link.b} for link in scenario.links.values()]
    assert len(pairs) == len({frozenset(pair) for pair in pairs})
    if count:
        assert len(pairs) == count
    else:
        _check_nearest(scenario, pairs)


def _check_nearest(scenario, pairs):
    """Each prosumer has the two that are nearest by impedance: distances along the tree, from pandas."""
    feeder = scenario.build_feeder()
    z = np.hypot(feeder.r_ohm, feeder.x_ohm) / feeder.line_kv**2
    paths = {name: set(feeder.path_to_root(feeder.index(p.bus))) for name, p in scenario.prosumers.items()}
    away = pd.DataFrame({a: {b: z[list(paths[a] ^ paths[b])].sum() for b in paths if b != a} for a in paths})
    for name in paths:
        others = [next(iter(pair - {name})) for pair in pairs if name in pair]
        assert sorted(away[name].dropna())[1] >= sorted(away[name][others])[1] - 1e-12


def test_the_same_seed_gives_the_same_files_and_another_one_others(tmp_path):
    folders = []
    for k, seed in enumerate((3, 3, 4)):
        wish = ImportRow(network="kerber_landnetz_kabel_1", prosumers=4, seed=seed)
        folders.append(import_network(wish, tmp_path / str(k) / "here").folder)
    tables = [{file.name: file.read_text(encoding="utf-8") for file in folder.iterdir()} for folder in folders]
    assert tables[0] == tables[1]
    assert tables[0]["prosumers.csv"] != tables[2]["prosumers.csv"]


def test_a_day_has_as_many_periods_as_asked_for_and_24_hours(importing):
    scenario = importing("kerber_landnetz_kabel_1", periods=48, peak=0.5).scenario
    assert (scenario.periods, scenario.dt_h) == (48, 0.5)
    assert max(scenario.profiles["load"].values()) == 0.5
    assert max(scenario.profiles["sun"].values()) == pytest.approx(1, abs=0.01)


def test_the_peak_is_the_largest_share_that_keeps_the_limits():
    """Held against pandapower's power flow of each share, elastic loads (half of the fixed ones) at their most."""
    net = small()
    net.bus["min_vm_pu"], net.bus["max_vm_pu"] = 0.93, 1.1
    keeping = []
    for share in np.arange(1, 21) / 20:
        tried = small()
        tried.load["p_mw"] *= 1.5 * share
        tried.load["q_mvar"] *= share
        pp.runpp(tried, numba=False)
        keeping += [share] if tried.res_bus["vm_pu"].min() >= 0.93 else []
    assert 0.5 < max(keeping) < 0.9
    assert _found_peak(net) == pytest.approx(max(keeping))


def _found_peak(net):
    from gridbazaar.scenarios.importing.hours import hours_of
    from gridbazaar.scenarios.importing.pandapower_reading import from_pandapower
    from gridbazaar.scenarios.importing.peak import fitting_peak
    from gridbazaar.scenarios.importing.prosumers import elastic_kw

    network = from_pandapower(net, "small", 0.15).network
    return fitting_peak(network, network.feeder(), hours_of(network, 24), elastic_kw(network, ("2", "3")))


def test_a_scenario_that_does_not_flow_alike_is_refused_and_not_left_behind(monkeypatch, saved, tmp_path):
    monkeypatch.setattr(proofs, "WITHIN_PU", 0.0)
    file = saved(with_costs())
    with pytest.raises(
        gb.ScenarioError, match=r"net: bus \d: 0\.\d{6} pu in pandapower, 0\.\d{6} pu in the scenario, more"
    ):
        import_network(ImportRow(network=file), tmp_path / "here")
    assert [entry.name for entry in tmp_path.iterdir()] == ["net.json"]


def test_another_network_is_told_from_this_one(saved, importing):
    """The proof must be able to say no: the scenario of a network with thicker cables is none of this one."""
    imported = importing(saved(small()))
    from gridbazaar.scenarios.importing.pandapower_reading import from_pandapower

    thin = small()
    thin.line["r_ohm_per_km"] *= 1.05
    with pytest.raises(gb.ScenarioError, match=r"thin: bus 3: .* apart; the import is refused"):
        proofs.prove(from_pandapower(thin, "thin", 0.15), imported.scenario)


def test_a_folder_that_is_there_stays(importing, tmp_path):
    (tmp_path / "here").mkdir()
    with pytest.raises(gb.ScenarioError, match="here is there already; name another folder with -o, or remove it"):
        importing("case33bw")


def test_without_loads_there_is_nowhere_for_prosumers(saved, importing):
    net = small()
    net.load["in_service"] = False
    with pytest.raises(gb.ScenarioError, match="no bus but that of the external grid has a load"):
        importing(saved(net))


def test_what_is_left_out_stands_in_the_readme(saved, importing):
    net = small()
    island(net)
    further(net)
    imported = importing(saved(net))
    text = (imported.folder / "README.md").read_text(encoding="utf-8")
    left_out = imported.network.remarks.left_out
    assert len(left_out) == 6  # buses 4, 5 and 6, the line and the loads there
    assert all(f"- {sentence}\n" in text for sentence in left_out)


FILES = {
    "a dictionary": (b'{"a": 1}', ".json", "it is no network that pandapower can read; save it anew from there"),
    "no json": (b"hello", ".json", "it is no network that pandapower can read"),
    "empty": (b"", ".json", "it is no network that pandapower can read"),
    "cut off": (b"[1,2", ".json", "it is no network that pandapower can read"),
    "no text": (b"\xff\xfe\x00", ".json", "it is no network that pandapower can read"),
    "a pickle": (b"x", ".p", "a file that ends with .p cannot be imported; save it with pandapower.to_json"),
    "no suffix": (b"x", "", "a file that ends with nothing cannot be imported"),
}


@pytest.mark.parametrize("what", FILES)
def test_a_file_that_is_no_network_is_refused(what, tmp_path):
    content, suffix, sentence = FILES[what]
    file = tmp_path / f"net{suffix}"
    file.write_bytes(content)
    with pytest.raises(gb.ScenarioError) as refusal:
        import_network(ImportRow(network=str(file)), tmp_path / "here")
    assert str(refusal.value).startswith(f"import {file}: {sentence}")
    assert "\n" not in str(refusal.value)


def test_a_huge_file_is_refused_before_it_is_read(tmp_path):
    file = tmp_path / "huge.json"
    with file.open("wb") as hole:
        hole.truncate(300_000_000)
    with pytest.raises(gb.ScenarioError, match="a file of 300 MB is no distribution network; give one below 200 MB"):
        import_network(ImportRow(network=str(file)), tmp_path / "here")


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("missing.json", "there is no such file; correct its name"),
        ("nowhere/case", "there is no such file; correct its name"),
        ("create_load", "there is no file and no network of this name"),
        ("case33bx", "there is no file and no network of this name; did you mean case33bw?"),
        ("cigre_lw", "there is no file and no network of this name; did you mean cigre_lv?"),
        ("zzz", "there is no file and no network of this name; give a file, or a name of pandapower.networks"),
    ],
)
def test_a_name_that_is_none_is_refused(name, sentence, tmp_path):
    with pytest.raises(gb.ScenarioError) as refusal:
        import_network(ImportRow(network=name), tmp_path / "here")
    assert sentence in str(refusal.value)
    assert not Path("here").exists()


def test_without_pandapower_it_says_what_to_install(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "pandapower", None)
    with pytest.raises(gb.ScenarioError) as refusal:
        import_network(ImportRow(network="case33bw"), tmp_path / "here")
    cure = "networks of other tools are read with pandapower, which is missing: pip install 'gridbazaar[grid]'"
    assert str(refusal.value) == f"import case33bw: {cure}"
