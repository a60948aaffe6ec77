"""What a YAML file, or `--set`, says is text until the schema reads it: names stay as written, numbers are plain."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

import gridbazaar.scenarios as gb
from gridbazaar.scenarios.files.changes import changes_of

SMALL = """\
title: Small feeder
profiles: {{sun: [0.0, 0.6, 0.9, 0.2]}}
feeder:
  base_kv: 0.4
  root: s
  buses: {{s: {{}}, a: {{p_kw: 2, q_kvar: 1}}, {bus}: {{p_kw: 3, q_kvar: 1}}}}
  lines:
    one: {{from_bus: s, to_bus: a, r_ohm: 0.02, x_ohm: 0.01}}
    two: {{from_bus: a, to_bus: {bus}, r_ohm: 0.03, x_ohm: 0.01, p_max_kw: {limit}}}
  generators:
    grid: {{bus: s, a_usd_per_kw2h: 0.001, b_usd_per_kwh: 0.2, p_min_kw: 0, p_max_kw: 60,
      q_min_kvar: -30, q_max_kvar: 30}}
prosumers:
  ann: &home
    bus: a
    alpha_usd_per_kw2h: 0.02
    beta_usd_per_kwh: 0.5
    elastic_max_kw: 8
    bid_max_kw: 15
    fixed_peak_kw: {peak}
  bob:
    <<: *home
    bus: {bus}
links:
  ann-bob: {{a: ann, b: bob, cap_kw: {cap}}}
market: {{adapt_penalty: {adapt}}}
"""


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.chdir(tmp_path)

    def file(bus: str = "b", limit: str = "40", peak: str = "2", cap: str = "6", adapt: str = "true") -> str:
        text = SMALL.format(bus=bus, limit=limit, peak=peak, cap=cap, adapt=adapt)
        (tmp_path / "s.yaml").write_text(text, encoding="utf-8")
        return "s.yaml"

    return file


@pytest.mark.parametrize("bus", ["1.10", "010", "1_2", "1:00", "yes", "2024-01-01", "0x1f", "1e3", '"07"', "Küche 1"])
def test_a_name_is_kept_as_it_is_written(bus: str, write: Any) -> None:
    scenario = gb.load(write(bus=bus))
    scenario.check()
    name = bus.strip('"')
    assert list(scenario.feeder.buses) == ["s", "a", name]
    assert scenario.prosumers["bob"].bus == name


def test_two_names_that_are_the_same_number_are_two_buses(write: Any) -> None:
    file = Path(write(bus="1.10"))
    file.write_text(file.read_text().replace(" a:", " 1.1:").replace("bus: a", "bus: 1.1"))
    assert list(gb.load("s.yaml").feeder.buses) == ["s", "1.1", "1.10"]


@pytest.mark.parametrize(
    ("written", "kw"),
    [("060", 60.0), ("6", 6.0), ("+6.5", 6.5), (".5", 0.5), ("6.", 6.0), ("1e1", 10.0), ("1.0E+1", 10.0), ('"7"', 7.0)],
)
def test_a_number_is_plain_decimals(written: str, kw: float, write: Any) -> None:
    assert gb.load(write(cap=written)).links["ann-bob"].cap_kw == kw
    assert gb.load(write(), changes_of([f"links.ann-bob.cap_kw={written}"])).links["ann-bob"].cap_kw == kw


@pytest.mark.parametrize("written", ["yes", "true", "1:00", "1_2", "0x1f", "six", "6 kW", '""', "٣"])
def test_a_word_is_no_number(written: str, write: Any) -> None:
    told = "is not a number; write a plain number, in the unit that the key names"
    with pytest.raises(gb.ScenarioError) as refused:
        gb.load(write(cap=written))
    word = written.strip('"')
    assert str(refused.value) == f"s.yaml:25 links.ann-bob.cap_kw: {word!r} {told}"
    with pytest.raises(gb.ScenarioError) as refused:
        gb.load(write(), changes_of([f"links.ann-bob.cap_kw={written}"]))
    assert str(refused.value) == f"--set links.ann-bob.cap_kw={written} links.ann-bob.cap_kw: {word!r} {told}"


def test_a_decimal_comma_is_told_as_such(write: Any) -> None:
    with pytest.raises(gb.ScenarioError) as refused:
        gb.load(write(cap='"0,5"'))
    assert str(refused.value) == "s.yaml:25 links.ann-bob.cap_kw: '0,5' is not a number; write it with a decimal point"


def test_true_is_no_number_in_python_either() -> None:
    with pytest.raises(gb.ScenarioError, match=r"prosumers.p2.bid_max_kw: True is not a number"):
        gb.load("ieee33", {"prosumers.p2.bid_max_kw": True})


@pytest.mark.parametrize(
    ("written", "meant"), [("true", True), ("yes", True), ("on", True), ("false", False), ("No", False), ("off", False)]
)
def test_truth_is_still_read(written: str, meant: bool, write: Any) -> None:
    assert gb.load(write(adapt=written)).settings.adapt_penalty is meant
    assert gb.load("ieee33", changes_of([f"market.adapt_penalty={written}"])).settings.adapt_penalty is meant


@pytest.mark.parametrize("limit", ["inf", ".inf", "Infinity"])
def test_no_limit_is_infinite(limit: str, write: Any) -> None:
    assert gb.load(write(limit=limit)).feeder.lines["two"].p_max_kw == float("inf")


@pytest.mark.parametrize("nothing", ["null", "~", ""])
def test_null_takes_a_row_out(nothing: str, write: Any, tmp_path: Path) -> None:
    write()
    (tmp_path / "t.yaml").write_text(f"base: s.yaml\nlinks:\n  ann-bob: {nothing}\n")
    assert gb.load("t.yaml").links == {}
    assert gb.load("s.yaml", changes_of([f"links.ann-bob={nothing}"])).links == {}


def test_an_empty_value_is_told_as_such(write: Any) -> None:
    with pytest.raises(gb.ScenarioError) as refused:
        gb.load(write(cap=""))
    sentence = "this value is missing; add it"
    assert str(refused.value) == f"s.yaml:25 links.ann-bob.cap_kw: {sentence}"


def test_a_mapping_is_merged_and_its_values_are_placed_where_they_are_written(write: Any) -> None:
    scenario = gb.load(write(peak="060"))
    assert scenario.prosumers["bob"].fixed_peak_kw == scenario.prosumers["ann"].fixed_peak_kw == 60
    assert (scenario.prosumers["ann"].bus, scenario.prosumers["bob"].bus) == ("a", "b")
    with pytest.raises(gb.ScenarioError) as refused:
        gb.load(write(peak="yes"))
    assert str(refused.value) == (  # one value in one place, whoever merges it
        "s.yaml:20 prosumers.ann.fixed_peak_kw: 'yes' is not a number; write a plain number, in the unit that the key"
        " names"
    )


def test_the_first_of_merged_mappings_counts(write: Any) -> None:
    file = Path(write())
    text = file.read_text().replace("<<: *home", "<<: [{fixed_peak_kw: 1}, *home, {fixed_peak_kw: 7, community: x}]")
    file.write_text(text)
    bob = gb.load("s.yaml").prosumers["bob"]
    assert (bob.fixed_peak_kw, bob.bid_max_kw, bob.community) == (1, 15, "x")


@pytest.mark.parametrize(
    ("merged", "sentence"),
    [("home", "`<<` merges keys and values"), ("&x {<<: *x}", "this is nested without end")],
)
def test_what_cannot_be_merged(merged: str, sentence: str, write: Any) -> None:
    file = Path(write())
    file.write_text(file.read_text().replace("<<: *home", f"<<: {merged}"))
    with pytest.raises(gb.ScenarioError, match=re.escape(sentence)):
        gb.load("s.yaml")


def test_set_reads_lists_and_rows_like_a_file() -> None:
    texts = [
        f"profiles.pv=[{', '.join(['0.5'] * 24)}]",
        "feeder.generators.pv={bus: 02, a_usd_per_kw2h: 0, b_usd_per_kwh: 0, p_min_kw: 0, p_max_kw: 6, q_min_kvar: -3,"
        " q_max_kvar: 3}",
        "market.case=1",
        "seed=010",
        "title=2024-01-01",
    ]
    scenario = gb.load("ieee33", changes_of(texts))
    assert set(scenario.profiles["pv"].values()) == {0.5}
    assert scenario.feeder.generators["pv"].bus == "02"
    assert (scenario.settings.case, scenario.seed, scenario.title) == (1, 10, "2024-01-01")


def test_numbers_of_python_and_of_the_manifest_still_work() -> None:
    scenario = gb.load("ieee33", {"prosumers.p2.bid_max_kw": 321, "prosumers.p2.bus": 14, "market.case": 2})
    assert (scenario.prosumers["p2"].bid_max_kw, scenario.prosumers["p2"].bus) == (321, "14")
    again = gb.Scenario.model_validate(json.loads(scenario.model_dump_json(by_alias=True)))
    assert again.model_dump() == scenario.model_dump()
