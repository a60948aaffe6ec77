"""Tables of other tools: pandapower's own CSV files flow as pandapower does; what is ambiguous is refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandapower as pp
import pandapower.networks
import pytest
from two_homes import two_homes

import gridbazaar.scenarios as gb
from gridbazaar.network.ac_flow import RadialFlow
from gridbazaar.scenarios.errors import ScenarioError
from gridbazaar.scenarios.files.file_schema import file_schema
from gridbazaar.scenarios.files.headings import other_headings, read_row
from gridbazaar.scenarios.files.tree import TABLES

HOMES = two_homes()
SCENARIO = """
feeder:
  base_kv: {kv}
  root: "0"
  root_voltage_pu: {v}
  v_min_pu: 0.8
  v_max_pu: 1.2
  buses: buses.csv
  lines: lines.csv
  generators: {{grid: {{bus: 0, a_usd_per_kw2h: 0, b_usd_per_mwh: 200, p_min_kw: 0, max_p_mw: 90, q_min_kvar: -9e4,
    max_q_mvar: 90}}}}
prosumers: {{ann: {{bus: 1, alpha_usd_per_kw2h: 0.02, beta_usd_per_kwh: 0.5, elastic_max_w: 8000, bid_max_kw: 15}}}}
"""


def small_net() -> Any:
    """Two cables side by side, a long one that charges, a branch that is out of service, and a dead bus."""
    net = pp.create_empty_network()
    for n in range(5):
        pp.create_bus(net, vn_kv=20.0, name=f"Bus, {n}", min_vm_pu=0.9, max_vm_pu=1.1, in_service=n < 4)
    pp.create_ext_grid(net, 0, vm_pu=1.02)
    for a, b, km, parallel in ((0, 1, 2.5, 2), (1, 2, 30.0, 1), (1, 3, 0.7, 3), (3, 4, 1.0, 1), (2, 3, 1.0, 1)):
        pp.create_line_from_parameters(net, a, b, km, 0.31, 0.12, 210.0, 0.25, parallel=parallel, type="cs")
    net.line.loc[4, "in_service"] = False
    net.line.loc[3, "c_nf_per_km"] = 0.0  # pandapower would have it charge from its live end
    pp.create_loads(net, [1, 2, 3], p_mw=[1.2, 2.0, 0.4], q_mvar=[0.3, 0.7, -0.1])
    return net


def written(net: Any, folder: Path, label: str | None = "bus") -> str:
    """A scenario of pandapower's own tables, as `to_csv` writes them, its loads beside the buses."""
    loads = net.load.groupby("bus")[["p_mw", "q_mvar"]].sum()
    net.bus.join(loads).to_csv(folder / "buses.csv", index_label=label)
    net.line.to_csv(folder / "lines.csv")
    text = SCENARIO.format(kv=float(net.bus.vn_kv[0]), v=float(net.ext_grid.vm_pu[0]))
    (folder / "s.yaml").write_text(text)
    return str(folder / "s.yaml")


@pytest.mark.parametrize("make", [small_net, pandapower.networks.case33bw])
def test_tables_of_pandapower_flow_as_pandapower_does(make: Any, tmp_path: Path) -> None:
    net = make()
    feeder = gb.load(written(net, tmp_path)).build_feeder()
    found = RadialFlow(feeder).solve(feeder.p_kw[:, None] / feeder.base_kw, feeder.q_kvar[:, None] / feeder.base_kw)
    pp.runpp(net, numba=False, tolerance_mva=1e-10)
    voltages = net.res_bus.vm_pu[[int(name) for name in feeder.names]].to_numpy()
    assert np.abs(np.sqrt(found.voltage[:, 0]) - voltages).max() < 1e-10
    rows = net.line[net.line.in_service & net.line.to_bus.isin(net.bus.index[net.bus.in_service])]
    rated = {f"{a}-{b}": 1000 * i * n for a, b, i, n in rows[["from_bus", "to_bus", "max_i_ka", "parallel"]].to_numpy()}
    assert {line.name: line.i_max_a for line in feeder.lines} == pytest.approx(
        {"-".join(str(int(float(end))) for end in name.split("-")): i for name, i in rated.items()}
    )


def test_what_was_read_otherwise_and_left_out_is_said_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    said = [str(note) for note in gb.load(written(small_net(), tmp_path)).doubts()]
    assert [note for note in said if note.startswith(("buses.csv", "lines.csv"))] == [
        "buses.csv feeder.buses: vn_kv is read as base_kv",
        "buses.csv feeder.buses: min_vm_pu is read as v_min_pu",
        "buses.csv feeder.buses: max_vm_pu is read as v_max_pu",
        "buses.csv feeder.buses: left out, as it says nothing of the feeder: name, type",
        "buses.csv feeder.buses: p_mw is read as p_kw, times 1,000",
        "buses.csv feeder.buses: q_mvar is read as q_kvar, times 1,000",
        "lines.csv feeder.lines: max_i_ka is read as i_max_a, times 1,000",
        "lines.csv feeder.lines: left out, as it says nothing of the feeder: index, g_us_per_km, df, type",
        "buses.csv:6 feeder.buses.4: out of service and left out: 4",
        "lines.csv:5 feeder.lines.3-4: out of service and left out: 3-4, 2-3",
    ]
    assert "s.yaml feeder.generators: b_usd_per_mwh is read as b_usd_per_kwh, times 0.001" in said
    assert "s.yaml prosumers: elastic_max_w is read as elastic_max_kw, times 0.001" in said


def test_a_bus_table_without_that_heading_has_its_names_in_the_first_column(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`net.bus.to_csv("buses.csv")` as it is: pandapower's lines name buses by that number."""
    monkeypatch.chdir(tmp_path)
    named = gb.load(written(small_net(), tmp_path)).build_feeder()
    scenario = gb.load(written(small_net(), tmp_path, None))
    assert scenario.build_feeder().names == named.names
    assert [str(note) for note in scenario.notes() if "no heading" in str(note)] == [
        "buses.csv feeder.buses: the first column, which has no heading, is taken for the names of the buses; write "
        "bus above it"
    ]
    table = (tmp_path / "buses.csv").read_text()
    (tmp_path / "buses.csv").write_text(table.replace(",name,", "number,name,", 1))
    with pytest.raises(
        gb.ScenarioError, match=r"buses.csv:1 bus: this column is missing; add it; the columns are number"
    ):
        gb.load("s.yaml")


def test_digits_are_those_of_the_file(tmp_path: Path) -> None:
    """0.3 MW in binary, times 1,000, would be 300.00000000000006 in some ways of counting."""
    file = tmp_path / "s.yaml"
    file.write_text(HOMES.replace("p_kw: 2,", "p_mw: 0.0011,").replace("p_max_kw: 40", "i_max_ka: inf"))
    scenario = gb.load(str(file))
    assert scenario.feeder.buses["a"].p_kw == 1.1
    assert scenario.feeder.lines["a-b"].i_max_a == np.inf


def test_a_value_per_metre_is_1000_times_one_per_km(tmp_path: Path) -> None:
    file = tmp_path / "s.yaml"
    per_m = "r_ohm_per_m: 0.0004, x_ohm_per_m: 0.00008, length_m: 250"
    file.write_text(HOMES.replace("r_ohm: 0.03, x_ohm: 0.01", per_m))
    line = gb.load(str(file)).build_feeder().lines[1]
    assert (line.r_ohm, line.x_ohm) == pytest.approx((0.1, 0.02), rel=1e-14)


UNITS = {
    "p_w": ("p_kw", 1e-3),
    "p_mw": ("p_kw", 1e3),
    "q_var": ("q_kvar", 1e-3),
    "q_mvar": ("q_kvar", 1e3),
    "base_v": ("base_kv", 1e-3),
    "vn_kv": ("base_kv", 1),
    "vn_v": ("base_kv", 1e-3),
    "min_vm_pu": ("v_min_pu", 1),
    "max_vm_pu": ("v_max_pu", 1),
    "p_max_w": ("p_max_kw", 1e-3),
    "p_max_mw": ("p_max_kw", 1e3),
    "q_max_var": ("q_max_kvar", 1e-3),
    "q_max_mvar": ("q_max_kvar", 1e3),
    "i_max_ka": ("i_max_a", 1e3),
    "max_i_a": ("i_max_a", 1),
    "max_i_ka": ("i_max_a", 1e3),
    "length_m": ("length_km", 1e-3),
    **{f"{key}_per_m": (f"{key}_per_km", 1e3) for key in ("r_ohm", "x_ohm", "b_us", "c_nf")},
}


def test_every_heading_of_buses_and_lines_means_what_its_unit_says() -> None:
    """The whole list, written out by hand: no heading is understood that is not here."""
    for table in (("feeder", "buses"), ("feeder", "lines")):
        understood = {heading: meaning for heading, meaning in other_headings(table).items() if meaning != "left out"}
        assert set(understood) <= set(UNITS)
        for heading in understood:
            reading = read_row({heading: "7"}, table)
            assert reading is not None
            key, factor = UNITS[heading]
            assert {one: float(cell) for one, cell in reading.cells.items()} == pytest.approx({key: 7 * factor})
    assert len(UNITS) == sum(
        other_headings(("feeder", name)).get(heading, "left out") != "left out"
        for name in ("buses", "lines")
        for heading in UNITS
    )


def test_defaults_of_prosumers_may_be_in_another_unit(tmp_path: Path) -> None:
    file = tmp_path / "s.yaml"
    file.write_text(HOMES.replace("elastic_max_kw: 8", "elastic_max_w: 8000"))
    scenario = gb.load(str(file))
    assert {row.elastic_max_kw for row in scenario.prosumers.values()} == {8}
    assert str(scenario.doubts()[0]).endswith(
        "s.yaml prosumer_defaults: elastic_max_w is read as elastic_max_kw, times 0.001"
    )


def test_a_base_and_what_changes_it_may_be_in_different_units(tmp_path: Path) -> None:
    (tmp_path / "base.yaml").write_text(HOMES)
    (tmp_path / "s.yaml").write_text(
        "base: base.yaml\nfeeder: {buses: {a: {p_mw: 0.004}}, lines: {a-b: {p_max_mw: 0.03}}}\n"
    )
    scenario = gb.load(str(tmp_path / "s.yaml"))
    assert (scenario.feeder.buses["a"].p_kw, scenario.feeder.lines["a-b"].p_max_kw) == (4, 30)


def test_a_change_may_be_in_another_unit_and_a_variation_too(tmp_path: Path) -> None:
    file = tmp_path / "s.yaml"
    file.write_text(HOMES)
    scenario = gb.load(str(file), {"feeder.lines.s-a.i_max_ka": 0.063})
    assert scenario.feeder.lines["s-a"].i_max_a == 63
    assert "i_max_ka is read as i_max_a, times 1,000" in str(scenario.doubts()[0])


REFUSED = {
    "both units": (
        "p_kw: 2,",
        "p_kw: 2, p_mw: 2,",
        "s.yaml:5 feeder.buses.a.p_mw: p_kw is given, too, and means the same; keep one",
    ),
    "two other units": (
        "p_kw: 2,",
        "p_w: 2000, p_mw: 0.002,",
        "s.yaml:5 feeder.buses.a.p_mw: p_w is given, too, and means the same; keep one",
    ),
    "two names": (
        "p_kw: 2,",
        "p_kw: 2, v_min_pu: 0.9, min_vm_pu: 0.9,",
        "feeder.buses.a.min_vm_pu: v_min_pu is given, too, and means the same; keep one",
    ),
    "no number": (
        "p_max_kw: 40",
        "i_max_ka: much",
        "s.yaml:8 feeder.lines.a-b.i_max_ka: 'much' is not a number; write a plain number, in the unit that the",
    ),
    "decimal comma": ("p_max_kw: 40", "p_max_mw: '0,04'", "feeder.lines.a-b.p_max_mw: '0,04' is not a number"),
    "a unit that is none": ("p_kw: 2,", "p_gw: 2,", "s.yaml:5 feeder.buses.a.p_gw: unknown key; did you mean p_kw?"),
    "derated": (
        "p_max_kw: 40",
        "i_max_a: 100, df: 0.8",
        "s.yaml:8 feeder.lines.a-b.df: 0.8 is not understood here, only 1; work it into the other values, and take it",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_not_clear_is_refused_in_a_sentence(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    old, new, sentence = REFUSED[name]
    assert HOMES.count(old) == 1
    (tmp_path / "s.yaml").write_text(HOMES.replace(old, new))
    with pytest.raises(ScenarioError) as refused:
        gb.load("s.yaml")
    assert sentence in str(refused.value)
    assert "\n" not in str(refused.value)


def test_a_column_without_a_name_that_is_not_the_first_is_refused(tmp_path: Path) -> None:
    file = written(small_net(), tmp_path)
    rows = (tmp_path / "lines.csv").read_text().splitlines()
    (tmp_path / "lines.csv").write_text("\n".join([f"{rows[0]},", *(f"{row},7" for row in rows[1:])]))
    with pytest.raises(ScenarioError, match=r"lines\.csv:2: a cell stands in a column without a name; name the column"):
        gb.load(file)


def test_the_schema_knows_what_is_understood() -> None:
    schema = file_schema()
    rows = {name: set(row.get("properties", ())) for name, row in schema["$defs"].items()}
    assert {"vn_kv", "p_mw", "p_w", "q_mvar", "min_vm_pu", "name", "type"} < rows["BusRow"]
    assert {"max_i_ka", "i_max_ka", "p_max_mw", "length_m", "std_type"} < rows["LineRow"]
    assert {"max_p_mw", "p_max_mw", "b_usd_per_mwh", "a_usd_per_mw2h"} < rows["GeneratorRow"]
    assert {"elastic_max_mw", "beta_usd_per_mwh"} < rows["ProsumerRow"]
    assert schema["$defs"]["LineRow"]["properties"]["max_i_ka"] == {"description": "i_max_a, times 1,000"}
    for table in TABLES:
        for heading, meaning in other_headings(table).items():
            reading = read_row({heading: "2"}, table)
            assert reading is not None
            key, _, factor = meaning.partition(", times ")
            if meaning == "left out":
                assert reading.left_out == [heading]
            else:
                assert float(reading.cells[key]) == 2 * float(factor.replace(",", "") or 1)
