"""Bad input gets one sentence per problem: file and line, key, what is wrong, and the cure."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

import gridbazaar.scenarios as gb
from gridbazaar.network.errors import GridbazaarError

IEEE33 = gb.shipped_scenarios()["ieee33"]
FILES = ("ieee33.yaml", "buses.csv", "lines.csv", "generators.csv", "prosumers.csv", "links.csv", "profiles.csv")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of ieee33 that a test may spoil."""
    for name in FILES:
        (tmp_path / name).write_text((IEEE33.parent / name).read_text())
    monkeypatch.chdir(tmp_path)
    return tmp_path


def spoil(name: str, old: str, new: str) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        text = (folder / name).read_text()
        assert text.count(old) == 1, (old, text.count(old))
        (folder / name).write_text(text.replace(old, new))

    return change


SPOILED = {
    "unknown key": (
        spoil("ieee33.yaml", "  order: proximal_jacobi", "  oder: proximal_jacobi"),
        "ieee33.yaml:26 market.oder: unknown key; did you mean order?",
    ),
    "unknown key at the top": (
        spoil("ieee33.yaml", "dt_h: 1.0", "dth: 1.0"),
        "ieee33.yaml:3 dth: unknown key; did you mean dt_h?",
    ),
    "unknown column": (
        spoil("prosumers.csv", "bid_max_kw", "bid_max"),
        "prosumers.csv:2 prosumers.p1.bid_max: unknown key; did you mean bid_max_kw?",
    ),
    "wrong unit": (
        spoil("prosumers.csv", "p2,13,0.00013,0.29,", "p2,13,0.00013,290,"),
        "prosumers.csv:3 prosumers.p2.beta_usd_per_kwh: 290 is above 10; is it in the unit that the key names?",
    ),
    "no number": (
        spoil("generators.csv", "dg1,10,0.00012", "dg1,10,cheap"),
        "generators.csv:3 feeder.generators.dg1.a_usd_per_kw2h: 'cheap' is not a number; write a plain number",
    ),
    "limits out of order": (
        spoil("prosumers.csv", "p2,13,0.00013,0.29,0,400", "p2,13,0.00013,0.29,500,400"),
        "prosumers.csv:3 prosumers.p2.elastic_max_kw: elastic_max_kw 400 is below elastic_min_kw 500; swap or widen",
    ),
    "voltage in kV": (
        spoil("ieee33.yaml", "v_max_pu: 1.05", "v_max_pu: 13.3"),
        "v_max_pu: 13.3 pu is outside 0.5 to 1.5 pu; is it in kV? divide by the base voltage",
    ),
    "period in minutes": (
        spoil("ieee33.yaml", "dt_h: 1.0", "dt_h: 60"),
        "ieee33.yaml:3 dt_h: 60 is above 24; is it in the unit that the key names?",
    ),
    "loop": (
        spoil("lines.csv", "32,33,0.3410", "32,33,0.3410,0.5302,5000\n21,8,2"),
        "lines.csv:34 feeder.lines.21-8: line 21-8 closes the loop",
    ),
    "loose bus": (
        spoil("lines.csv", "32,33,0.3410,0.5302,5000\n", ""),
        "buses.csv:34 feeder.buses.33: bus 33 hangs loose: no lines lead there from the root 1; add the line",
    ),
    "negative impedance": (
        spoil("lines.csv", "6,26,0.2030", "6,26,-0.2030"),
        "lines.csv:26 feeder.lines.6-26.r_ohm: -0.203 ohm is negative; a line has r_ohm and x_ohm of 0 or more",
    ),
    "missing hour": (
        spoil("profiles.csv", "12,0.8550,0.9000,0.9913,0.3200\n", ""),
        "profiles.csv hour: there is no row for hour 12 of 24; add it",
    ),
    "empty hour": (
        spoil("profiles.csv", "12,0.8550,0.9000,0.9913,0.3200", "12,0.8550,0.9000,,0.3200"),
        "profiles.csv:13 column pv, hour 12: this cell is empty; give a value",
    ),
    "hour twice": (
        spoil("profiles.csv", "12,0.8550,0.9000", "11,0.8550,0.9000"),
        "profiles.csv:13 hour: hour 11 is given twice; keep one row",
    ),
    "unknown profile": (
        spoil("prosumers.csv", "265,pv,460", "265,sun,460"),
        "prosumers.csv:2 prosumers.p1.renewable: there is no profile sun; known are feeder_load, household_load, pv",
    ),
    "unknown prosumer in a link": (
        spoil("links.csv", "p1,p2,150", "p1,p4,150"),
        "links.csv:2 links.p1-p4.b: there is no prosumer p4; the prosumers are p1, p2, p3",
    ),
    "link twice": (
        spoil("links.csv", "p2,p3,200", "p2,p1,200"),
        "links.csv:2 links.p1-p2.b: p1 and p2 are linked twice; add up the caps in one link",
    ),
    "unknown bus of a prosumer": (
        spoil("prosumers.csv", "p3,26,", "p3,62,"),
        "prosumers.csv:4 prosumers.p3.bus: there is no bus 62; did you mean",
    ),
    "row twice": (
        spoil("prosumers.csv", "p3,26,", "p2,26,"),
        "prosumers.csv:4 prosumers.p2: this row is already given at prosumers.csv:3; keep one",
    ),
    "short row": (
        spoil("links.csv", "p1,p2,150", "p1,p2"),
        "links.csv:2: this row has 2 cells and the header has 3; correct it",
    ),
    "missing table": (
        spoil("ieee33.yaml", "lines: lines.csv", "lines: wires.csv"),
        "ieee33.yaml:16 feeder.lines: there is no file wires.csv; name a CSV file beside the scenario",
    ),
    "missing value": (
        spoil("ieee33.yaml", "  base_kv: 12.66\n", ""),
        "feeder.base_kv: this value is missing; add it",
    ),
    "no YAML": (
        spoil("ieee33.yaml", "title: The", "title: [The"),
        "ieee33.yaml:",
    ),
    "no text in a table": (
        lambda folder: (folder / "links.csv").write_bytes("a,b,cap_kw\nM\xfcller,p2,3\n".encode("latin-1")),
        "links.csv: the file cannot be read ('utf-8' codec can't decode byte 0xfc",
    ),
    "semicolons": (
        lambda folder: (folder / "links.csv").write_text("a;b;cap_kw\np1;p2;3\n"),
        "links.csv:1: the cells are not separated by commas; save the table as CSV with commas",
    ),
    "empty table": (
        lambda folder: (folder / "buses.csv").write_text(""),
        "buses.csv:1: the file is empty; write a header",
    ),
    "column twice": (
        lambda folder: (folder / "links.csv").write_text("a,b,b\np1,p2,3\n"),
        "links.csv:1 b: this column is given twice; keep one",
    ),
    "hour 0": (
        spoil("profiles.csv", "\n1,0.5890", "\n0,0.5890"),
        "profiles.csv:2 hour: '0' is not the number of an hour (period); they count from 1",
    ),
    "limit stated once": (
        spoil("ieee33.yaml", "v_min_pu: 0.95", "v_min_pu: 1.2"),
        "ieee33.yaml:10 feeder.v_min_pu: v_min_pu 1.2 is not below v_max_pu 1.05; swap or widen them",
    ),
    "empty file": (
        lambda folder: (folder / "ieee33.yaml").write_text(""),
        "ieee33.yaml: a scenario is keys and values; it needs a base, or a feeder and prosumers",
    ),
    "tag": (spoil("ieee33.yaml", "dt_h: 1.0", "dt_h: !foo 1"), "ieee33.yaml:3 dt_h: '1' cannot be read"),
    "without end": (spoil("ieee33.yaml", "market:\n", "market: &m\n  x: *m\n"), "this is nested without end"),
    "unknown base": (spoil("ieee33.yaml", "dt_h: 1.0", "base: nope"), "ieee33.yaml:3 base: there is no scenario nope"),
    "infinite": (
        spoil("ieee33.yaml", "value_of_lost_load_usd_per_kwh: 10.0", "value_of_lost_load_usd_per_kwh: .inf"),
        "ieee33.yaml:14 feeder.value_of_lost_load_usd_per_kwh: inf is not a finite number; write one",
    ),
    "key twice": (
        spoil("ieee33.yaml", "dt_h: 1.0", "dt_h: 1.0\ndt_h: 2.0"),
        "ieee33.yaml:4 dt_h: this key is given twice; keep one",
    ),
    "value for a table": (
        spoil("ieee33.yaml", "prosumers: prosumers.csv", "prosumers: 3"),
        "ieee33.yaml:21 prosumers: there is no file 3; name a CSV file beside the scenario, or write the table here",
    ),
    "inherits from itself": (
        spoil("ieee33.yaml", "dt_h: 1.0", "base: ieee33.yaml"),
        "ieee33.yaml base: the scenario inherits from itself",
    ),
}


@pytest.mark.parametrize("what", SPOILED)
def test_a_spoiled_file_is_refused_with_its_place_and_cure(what: str, folder: Path) -> None:
    change, sentence = SPOILED[what]
    change(folder)
    with pytest.raises(GridbazaarError) as refused:
        gb.load("./ieee33.yaml").check()
    assert sentence in str(refused.value)
    assert refused.value.exit_code == 2
    assert len(str(refused.value).splitlines()) == 1


CHANGED = {
    "unknown row": (
        {"prosumers.p9.bus": 3},
        "changes prosumers.p9.bus=3 prosumers.p9.bus: there is no p9 in prosumers; known are p1, p2, p3",
    ),
    "unknown order": (
        {"market.order": "foo"},
        "market.order: 'foo' is not known; write one of 'proximal_jacobi', 'gauss_seidel' or 'jacobi'",
    ),
    "case": ({"market.case": 4}, "market.case: 4 is not known; write one of 1, 2 or 3"),
    "negative tolerance": (
        {"market.regret_tolerance": -1},
        "changes market.regret_tolerance=-1 market.regret_tolerance: -1.0 must be a finite number above 0",
    ),
    "below a value": ({"dt_h.x": 3}, "dt_h is a value and has nothing below it"),
    "nobody": ({"prosumers": {}}, "a market needs at least one prosumer"),
    "whole number": ({"seed": 1.5}, "seed: 1.5 is not a whole number; write one"),
    "hour": ({"profiles.pv.noon": 1}, "'noon' is not the number of an hour (period)"),
    "bus load": ({"feeder.prosumer_bus_load": "both"}, "feeder.prosumer_bus_load: 'both' is not known"),
    "alpha": ({"alpha_scale": 0}, "alpha_scale: 0 is not above 0; give a value above it"),
    "seed": ({"seed": -1}, "seed: -1 is below 0; give at least that"),
    "prosumer taken out": (
        {"prosumers.p2": None},
        "there is no prosumer p2; the prosumers are p1, p3, or take the link out (links: {p1-p2: null})",
    ),
    "missing row values": ({"links.p9-p1": {"a": "p1"}}, "links.p9-p1.b: this value is missing; add it"),
}


@pytest.mark.parametrize("what", CHANGED)
def test_a_wrong_change_is_refused_with_what_asked_for_it(what: str) -> None:
    changes, sentence = CHANGED[what]
    with pytest.raises(gb.ScenarioError) as refused:
        gb.load("ieee33", changes).check()
    assert sentence in str(refused.value)


def test_a_household_that_cannot_balance_an_hour_is_infeasible() -> None:
    scenario = gb.load("ieee33", {"market.case": 1, "prosumers.p2.bid_max_kw": 10, "prosumers.p2.elastic_min_kw": 390})
    with pytest.raises(gb.InfeasibleScenarioError) as refused:
        scenario.check()
    assert refused.value.exit_code == 4
    # fixed 165 x 0.88 + elastic 390, against wind 480 x 0.30 and a bid of 10, at 13:00
    assert "prosumers.csv:3 prosumers.p2: prosumer p2: period 13 (12:00-13:00) needs 535.2 kW" in str(refused.value)
    assert "381.2 kW too little; raise bid_max_kw" in str(refused.value)


def test_there_is_no_such_scenario() -> None:
    with pytest.raises(gb.ScenarioError, match="there is no scenario ieee34; give a YAML file, or one that comes with"):
        gb.load("ieee34")
