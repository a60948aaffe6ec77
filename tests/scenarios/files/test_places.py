"""A wrong cell is named by its file, its column and its row; of many of a kind the first five are told."""

from __future__ import annotations

import unicodedata
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import gridbazaar.scenarios as gb
from gridbazaar.scenarios.files.changes import changes_of

TABLES = {
    "buses.csv": "bus,p_kw,q_kvar\ns,0,0\nKüche,2,1\nb,3,1\n",
    "lines.csv": "from_bus,to_bus,r_ohm,x_ohm,p_max_kw\ns,Küche,0.02,0.01,\nKüche,b,0.03,0.01,40\n",
    "generators.csv": "name,bus,a_usd_per_kw2h,b_usd_per_kwh,p_min_kw,p_max_kw,q_min_kvar,q_max_kvar\n"
    "grid,s,0.001,0.2,0,60,-30,30\n",
    "profiles.csv": "hour,load,sun\n1,0.6,0\n2,0.8,0.6\n3,1,0.9\n4,0.9,0.2\n",
    "prosumers.csv": "name,bus,alpha_usd_per_kw2h,beta_usd_per_kwh,elastic_max_kw,bid_max_kw,fixed_peak_kw,renewable,"
    "renewable_peak_kw\nann,Küche,0.02,0.5,8,15,2,sun,9\nbob,b,0.02,0.4,8,15,3,,0\n",
    "links.csv": "a,b,cap_kw\nann,bob,6\n",
    "s.yaml": "profiles: profiles.csv\nfeeder:\n  base_kv: 0.4\n  root: s\n  load_profile: load\n  buses: buses.csv\n"
    "  lines: lines.csv\n  generators: generators.csv\nprosumers: prosumers.csv\nlinks: links.csv\n",
}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name, text in TABLES.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def refusal(file: str = "s.yaml", changes: object = ()) -> str:
    with pytest.raises(gb.ScenarioError) as refused:
        gb.load(file, changes).check()  # type: ignore[arg-type]
    return str(refused.value)


def replace(name: str, old: str, new: str) -> None:
    text = Path(name).read_text(encoding="utf-8")
    assert text.count(old) == 1
    Path(name).write_text(text.replace(old, new), encoding="utf-8")


@pytest.mark.usefixtures("folder")
class TestCells:
    def test_an_empty_hour_is_named_by_its_own_row(self) -> None:
        replace("profiles.csv", "2,0.8,0.6", "2,,0.6")
        assert refusal() == "profiles.csv:3 column load, hour 2: this cell is empty; give a value"

    def test_a_negative_sun_is_named_where_it_is_written(self) -> None:
        replace("profiles.csv", "3,1,0.9", "3,1,-0.001")
        told = "-0.001 is below 0, and renewable of prosumer ann cannot be; 0 instead?"
        assert refusal() == f"profiles.csv:4 column sun, hour 3: {told}"

    def test_a_negative_fixed_load_likewise_and_in_a_list(self) -> None:
        Path("t.yaml").write_text(
            "base: s.yaml\nprofiles: {fix: [1, -2, 1, 1]}\nprosumers: {bob: {fixed_profile: fix}}\n"
        )
        told = "-2 is below 0, and fixed_profile of prosumer bob cannot be; 0 instead?"
        assert refusal("t.yaml") == f"t.yaml:2 profiles.fix.2: {told}"

    def test_a_negative_profile_of_ordinary_loads_is_fine(self) -> None:
        replace("profiles.csv", "3,1,0.9", "3,-1,0.9")
        gb.load("s.yaml").check()

    def test_of_a_year_without_numbers_five_are_told(self) -> None:
        rows = (f"{t},0.5,NaN\n" for t in range(1, 35_041))
        Path("profiles.csv").write_text("hour,load,sun\n" + "".join(rows))
        sentence = "nan is not a finite number; write one"
        told = [f"profiles.csv:{t + 1} column sun, hour {t}: {sentence}" for t in range(1, 6)]
        assert refusal().splitlines() == [*told, "profiles.csv column sun: and 35,035 more"]

    def test_an_empty_end_of_a_column_is_named_cell_by_cell(self) -> None:
        rows = (f"{t},0.5,{0.5 if t < 90 else ''}\n" for t in range(1, 97))
        Path("profiles.csv").write_text("hour,load,sun\n" + "".join(rows))
        sentence = "this cell is empty; give a value"
        told = [f"profiles.csv:{t + 1} column sun, hour {t}: {sentence}" for t in range(90, 95)]
        assert refusal().splitlines() == [*told, "profiles.csv column sun: and 2 more"]

    @pytest.mark.parametrize(
        ("count", "sentence"),
        [
            (2, "there is no value for hour (period) 3 of 4; add it, and 1 more"),
            (3, "there is no value for hour (period) 4 of 4; add it"),
            (5, "there are 5 values where other profiles have 4; take out what is over"),
        ],
    )
    def test_a_list_that_is_not_as_long_as_the_others_is_the_one_named(self, count: int, sentence: str) -> None:
        Path("t.yaml").write_text(f"base: s.yaml\nprofiles:\n  short: {[1] * count}\n")
        assert refusal("t.yaml") == f"t.yaml:3 profiles.short: {sentence}"

    def test_many_rows_with_one_wrong_column_are_told_five_times(self) -> None:
        head, row = TABLES["prosumers.csv"].splitlines()[:2]
        rows = (row.replace("ann", f"h{k}").replace("0.5", f"{20 + k}") for k in range(9))
        Path("prosumers.csv").write_text("\n".join([head, *rows]) + "\n", encoding="utf-8")
        lines = refusal().splitlines()
        told = "20 is above 10; is it in the unit that the key names?"
        assert lines[0] == f"prosumers.csv:2 prosumers.h0.beta_usd_per_kwh: {told}"
        assert len(lines) == 6
        assert lines[5] == "prosumers.csv beta_usd_per_kwh: and 4 more"


@pytest.mark.usefixtures("folder")
class TestTables:
    @pytest.mark.parametrize("size", [3, 20_000])
    def test_a_quote_that_is_never_closed(self, size: int) -> None:
        rows = "".join(f"h{k},1,1\n" for k in range(size))
        Path("buses.csv").write_text('bus,p_kw,q_kvar\ns,0,0\n"Küche,2,1\n' + rows, encoding="utf-8")
        assert refusal() == "buses.csv:3: this quote is never closed; close it, or take it out"

    def test_a_quote_that_another_one_closes_further_down(self) -> None:
        replace("buses.csv", "Küche,2,1\nb,", '"Küche,2,1\n"b",')
        assert refusal() == "buses.csv:3: this quote is never closed; close it, or take it out"

    def test_text_behind_a_quote(self) -> None:
        replace("buses.csv", "Küche,", '"Küche" 1,')
        told = "the quotes in this row are no CSV (',' expected after '\"'); put whole cells in quotes, or none"
        assert refusal() == f"buses.csv:3: {told}"

    def test_empty_rows_and_columns_of_a_spreadsheet_are_passed_over(self) -> None:
        replace("links.csv", "a,b,cap_kw\nann,bob,6\n", "a,b,cap_kw,,\n,,,,\nann,bob,6,,\n , ,,,\n\n,,,,\n,,,,,,,\n")
        assert [link.name for link in gb.load("s.yaml").build_links()] == ["ann-bob"]

    def test_a_cell_in_a_column_without_a_name(self) -> None:
        replace("links.csv", "a,b,cap_kw\nann,bob,6\n", "a,b,cap_kw,\nann,bob,6,x\n")
        assert refusal() == "links.csv:2: a cell stands in a column without a name; name the column in the header"

    def test_decimals_with_a_comma(self) -> None:
        replace("links.csv", "ann,bob,6", "ann,bob,6,5")
        told = "this row has 4 cells and the header has 3; correct it; decimals need a point, not a comma"
        assert refusal() == f"links.csv:2: {told}"

    def test_names_that_only_their_composition_tells_apart_are_the_same(self) -> None:
        bus = unicodedata.normalize("NFD", "Küche")
        Path("lines.csv").write_text(unicodedata.normalize("NFD", TABLES["lines.csv"]), encoding="utf-8")
        Path("t.yaml").write_text(f"base: s.yaml\nprosumers: {{bob: {{bus: {bus}}}}}\n", encoding="utf-8")
        scenario = gb.load("t.yaml", changes_of([f"feeder.buses.{bus}.p_kw=7", f"prosumers.ann.bus={bus}"]))
        scenario.check()
        assert scenario.feeder.buses["Küche"].p_kw == 7
        assert [row.bus for row in scenario.prosumers.values()] == ["Küche", "Küche"]
        assert gb.load("s.yaml", {f"feeder.buses.{bus}": {"p_kw": 8}}).feeder.buses["Küche"].p_kw == 8

    @pytest.mark.parametrize("form", ["NFC", "NFD"])
    def test_a_table_is_found_however_its_name_is_composed(self, form: str) -> None:
        Path("links.csv").rename(unicodedata.normalize(form, "für.csv"))
        replace("s.yaml", "links: links.csv\n", "")
        for written in ("NFC", "NFD"):
            text = unicodedata.normalize(written, "base: s.yaml\nlinks: für.csv\n")
            Path("t.yaml").write_text(text, encoding="utf-8")
            assert list(gb.load("t.yaml").links) == ["ann-bob"]


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize("kind", [np.array, pd.Series, list, tuple])
class TestArrays:
    def test_a_profile_is_an_array(self, kind: type) -> None:
        values = kind([0.1, 0.2, 0.3, 0.4])
        assert list(gb.load("s.yaml", {"profiles.sun": values}).profiles["sun"].values()) == [0.1, 0.2, 0.3, 0.4]
        scenario = gb.load("s.yaml", {"profiles": {"sun": values}})
        assert list(scenario.build_households()[0].renewable_kw) == [9 * 0.1, 9 * 0.2, 9 * 0.3, 9 * 0.4]

    def test_a_wrong_one_is_named(self, kind: type) -> None:
        values = kind([0.1, float("nan"), 0.3, 0.4])
        place = "changes profiles.sun=[0.1, nan, 0.3, 0.4]"
        told = "nan is not a finite number; write one"
        assert refusal(changes={"profiles.sun": values}) == f"{place} profiles.sun.2: {told}"
        long = kind([0.5] * 8)
        place = "changes profiles.sun=[0.5, 0.5, 0.5, 0.5, 0.5, 0.5, ...]"
        told = "there are 8 values where other profiles have 4; take out what is over"
        Path("t.yaml").write_text("base: s.yaml\nprofiles: {flat: [1, 1, 1, 1]}\n")
        assert refusal("t.yaml", {"profiles.sun": long}) == f"{place} profiles.sun: {told}"
