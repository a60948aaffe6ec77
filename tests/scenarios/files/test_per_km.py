"""Lines by length and values per km, several side by side, out of service; held against values worked out by hand."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from two_homes import two_homes

import gridbazaar.scenarios as gb
from gridbazaar.scenarios.commands.look import validate
from gridbazaar.scenarios.errors import ScenarioError
from gridbazaar.scenarios.files.scenario import Scenario

HOMES = two_homes()
OLD = "r_ohm: 0.03, x_ohm: 0.01, p_max_kw: 40"


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the scenario stands."""
    monkeypatch.chdir(tmp_path)
    return tmp_path / "s.yaml"


def homes(line: str, **others: str) -> str:
    """The scenario with another line a-b."""
    assert HOMES.count(OLD) == 1
    text = HOMES.replace(OLD, line)
    for old, new in others.items():
        text = text.replace(old, new)
    return text


def test_a_length_and_parallel_lines_become_one_line(file: Path) -> None:
    per_km = "r_ohm_per_km: 0.4, x_ohm_per_km: 0.08, c_nf_per_km: 210, length_km: 0.3, i_max_a: 250, p_max_kw: 90"
    file.write_text(homes(f"{per_km}, parallel: 2"))
    line = gb.load("s.yaml").build_feeder().lines[1]
    assert (line.r_ohm, line.x_ohm) == pytest.approx((0.4 * 0.3 / 2, 0.08 * 0.3 / 2), rel=1e-15)
    assert line.b_us == pytest.approx(2 * 0.3 * 210e-9 * 314.159265358979 * 1e6, rel=1e-12)
    assert (line.i_max_a, line.p_max_kw) == (500, 180)


def test_the_frequency_counts_in_what_a_capacitance_charges(file: Path) -> None:
    file.write_text(homes("r_ohm: 0.03, x_ohm: 0.01, c_nf_per_km: 100, length_km: 2"))
    at_50, at_60 = (gb.load("s.yaml", {"feeder.frequency_hz": hz}).build_feeder().lines[1] for hz in (50, 60))
    assert at_60.b_us / at_50.b_us == pytest.approx(1.2)
    assert at_60.r_ohm == 0.03


def test_parallel_and_in_service_can_be_changed_from_outside(file: Path) -> None:
    file.write_text(HOMES)
    doubled = gb.load("s.yaml", {"feeder.lines.a-b.parallel": 2})
    assert doubled.build_feeder().lines[1].r_ohm == 0.015
    assert gb.load("s.yaml", {"feeder.lines.a-b.parallel": 3}).feeder.lines["a-b"].r_ohm == 0.03  # as it is written
    with pytest.raises(ScenarioError, match="bus b hangs loose"):
        gb.load("s.yaml", {"feeder.lines.a-b.in_service": False}).check()


def test_a_tie_that_is_out_of_service_closes_no_loop_and_is_listed(file: Path) -> None:
    tie = "\n    s-b: {from_bus: s, to_bus: b, r_ohm: 1, x_ohm: 1, in_service: no}"
    spare = "\n    spare: {bus: b, a_usd_per_kw2h: 0, b_usd_per_kwh: 0, p_min_kw: 0, p_max_kw: 9, q_min_kvar: 0, "
    spare += "q_max_kvar: 0, in_service: 0}"
    text = homes(f"{OLD}}}{tie[:-1]}").replace("  generators:", f"  generators:{spare}")
    file.write_text(text)
    scenario = gb.load("s.yaml")
    scenario.check()
    assert [line.name for line in scenario.build_feeder().lines] == ["s-a", "a-b"]
    assert [machine.name for machine in scenario.build_feeder().generators] == ["grid"]
    assert [str(note) for note in scenario.doubts()] == [
        "s.yaml:9 feeder.lines.s-b: out of service and left out: s-b",
        "s.yaml:11 feeder.generators.spare: out of service and left out: spare",
    ]
    closed = gb.load("s.yaml", {"feeder.lines.s-b.in_service": True})
    with pytest.raises(ScenarioError, match="closes the loop"):
        closed.check()


def test_what_is_counted_is_in_service(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file.write_text(homes(f"{OLD}}}\n    s-b: {{from_bus: s, to_bus: b, r_ohm: 1, x_ohm: 1, in_service: no"))
    validate("s.yaml")
    said, told = capsys.readouterr()
    assert said.startswith("s.yaml is valid: 3 buses, 2 lines, 1 generator, 2 prosumers, 1 link")
    assert told == "note: s.yaml:9 feeder.lines.s-b: out of service and left out: s-b\n"


def test_a_market_settles_as_without_what_is_left_out(file: Path) -> None:
    file.write_text(homes(f"{OLD}}}\n    s-b: {{from_bus: s, to_bus: b, r_ohm: 1, x_ohm: 1, in_service: no"))
    with_tie = gb.load("s.yaml").market().run()
    file.write_text(HOMES)
    assert with_tie.welfare_usd == gb.load("s.yaml").market().run().welfare_usd


def test_what_was_run_is_recorded_without_keys_that_few_use(file: Path) -> None:
    """So runs of before compare with those of now, and a manifest does not grow by what nobody has said."""
    file.write_text(homes("r_ohm: 0.03, x_ohm_per_km: 0.05, length_km: 0.2, parallel: 2"))
    scenario = gb.load("s.yaml")
    for recorded in (scenario.model_dump(mode="json"), json.loads(scenario.model_dump_json(by_alias=True))):
        feeder = recorded["feeder"]
        assert {"parallel", "length_km", "x_ohm_per_km"} < set(feeder["lines"]["a-b"])
        assert "parallel" not in feeder["lines"]["s-a"]
        every = [feeder, *feeder["buses"].values(), *feeder["lines"].values(), *feeder["generators"].values()]
        assert not [row for row in every if {"in_service", "frequency_hz", "r_ohm_per_km", "c_nf_per_km"} & set(row)]
    again = Scenario.model_validate(recorded)
    assert again.build_feeder() == scenario.build_feeder()
    assert again.model_dump() == scenario.model_dump()


REFUSED = {
    "a length alone": (
        "r_ohm: 0.03, x_ohm: 0.01, length_km: 2",
        "s.yaml:8 feeder.lines.a-b.length_km: no value per km stands beside it; add r_ohm_per_km and x_ohm_per_km, or",
    ),
    "no length": (
        "r_ohm_per_km: 0.03, x_ohm: 0.01",
        "s.yaml:8 feeder.lines.a-b.r_ohm_per_km: a value per km needs the length; add length_km",
    ),
    "whole and per km": (
        "r_ohm: 0.03, x_ohm: 0.01, x_ohm_per_km: 1, length_km: 2",
        "s.yaml:8 feeder.lines.a-b.x_ohm_per_km: x_ohm is given, too; keep one",
    ),
    "charging twice": (
        "r_ohm: 0.03, x_ohm: 0.01, c_nf_per_km: 1, b_us_per_km: 3, length_km: 2",
        "s.yaml:8 feeder.lines.a-b.c_nf_per_km: b_us_per_km is given, too; keep one",
    ),
    "half an impedance": (
        "r_ohm_per_km: 0.03, length_km: 2",
        "s.yaml:8 feeder.lines.a-b.x_ohm: this value is missing; add it",
    ),
    "no line at all": (
        "r_ohm: 0.03, x_ohm: 0.01, parallel: 0",
        "s.yaml:8 feeder.lines.a-b.parallel: 0 is below 1; give at least that",
    ),
    "one and a half lines": ("r_ohm: 0.03, x_ohm: 0.01, parallel: 1.5", "parallel: 1.5 is not a whole number"),
    "a length of nothing": ("r_ohm_per_km: 1, x_ohm_per_km: 1, length_km: 0", "length_km: 0 is not above 0"),
    "perhaps in service": (
        "r_ohm: 0.03, x_ohm: 0.01, in_service: maybe",
        "s.yaml:8 feeder.lines.a-b.in_service: 'maybe' is neither true nor false; write one of them",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_contradictions_are_refused_in_a_sentence(name: str, file: Path) -> None:
    line, sentence = REFUSED[name]
    file.write_text(homes(line))
    with pytest.raises(ScenarioError) as refused:
        gb.load("s.yaml")
    assert sentence in str(refused.value)
    assert "\n" not in str(refused.value)


def test_a_prosumer_at_a_bus_out_of_service_is_refused(file: Path) -> None:
    file.write_text(HOMES.replace("b: {p_kw: 3, q_kvar: 1}", "b: {p_kw: 3, q_kvar: 1, in_service: false}"))
    with pytest.raises(ScenarioError, match=r"prosumers\.bob\.bus: bus b is out of service; put the prosumer else"):
        gb.load("s.yaml").check()


def test_a_missing_column_of_impedance_is_told_once(file: Path) -> None:
    start, end = HOMES.index("  lines:"), HOMES.index("  generators:")
    file.write_text(f"{HOMES[:start]}  lines: lines.csv\n{HOMES[end:]}")
    Path("lines.csv").write_text("from_bus,to_bus,x_ohm\ns,a,0.01\na,b,0.01\n")
    with pytest.raises(ScenarioError) as refused:
        gb.load("s.yaml")
    assert str(refused.value) == "lines.csv:2 feeder.lines.s-a.r_ohm: this value is missing; add it"
