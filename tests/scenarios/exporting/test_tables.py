"""CSV files and workbooks hold the tables of the run: read back by pandas, they are the Parquet files."""

from __future__ import annotations

import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from pandas.testing import assert_frame_equal

from gridbazaar.market.tables import TABLES
from gridbazaar.network.errors import InputError
from gridbazaar.scenarios.errors import ScenarioError
from gridbazaar.scenarios.exporting import tables
from gridbazaar.scenarios.exporting.tables import missing_tables, write_csv, write_workbook

from .conftest import Save

NAMES = ("prosumer", "link", "a", "b", "bus", "from_bus", "to_bus", "line", "generator")
AS_TEXT = dict.fromkeys(NAMES, str)


def stored_table(folder: Path, name: str) -> pd.DataFrame:
    return pd.read_parquet(folder / f"{name}.parquet")


def test_csv_files_are_the_tables_to_the_last_bit(save: Save, tmp_path: Path) -> None:
    run = save("levels").stored
    written = write_csv(run, tmp_path / "new" / "folder")
    assert written == [f"{name}.csv" for name in (*TABLES, "rounds")]
    for name in TABLES:
        read = pd.read_csv(tmp_path / "new" / "folder" / f"{name}.csv", dtype=AS_TEXT, float_precision="round_trip")
        assert_frame_equal(read, stored_table(run.folder, name), check_exact=True, check_dtype=False)
    rounds = pd.read_csv(tmp_path / "new" / "folder" / "rounds.csv")
    assert rounds["number"].tolist() == list(range(1, len(rounds) + 1))
    assert rounds["regret_usd"].iloc[-1] == run.rounds["regret_usd"].iloc[-1]


def test_a_workbook_has_a_sheet_for_each_table(save: Save, tmp_path: Path) -> None:
    run = save("levels").stored
    sheets = write_workbook(run, tmp_path / "t.xlsx")
    read = pd.read_excel(tmp_path / "t.xlsx", sheet_name=None, dtype=AS_TEXT, keep_default_na=False, na_values=[""])
    assert list(read) == sheets == [*TABLES, "rounds"]
    for name in TABLES:
        table = stored_table(run.folder, name)
        assert_frame_equal(read[name], table, check_dtype=False, rtol=1e-14, atol=0)


def test_one_period_alone(save: Save, tmp_path: Path) -> None:
    run = save("levels").stored
    assert write_csv(run, tmp_path, period=1) == [f"{name}.csv" for name in TABLES if name != "bills"]
    lines = pd.read_csv(tmp_path / "lines.csv", float_precision="round_trip")
    whole = stored_table(run.folder, "lines").query("period == 2")
    assert lines["p_flow_kw"].tolist() == whole["p_flow_kw"].tolist()


def test_names_stay_text_whatever_they_look_like(save: Save, tmp_path: Path) -> None:
    ann = {"bus": "a", "alpha_usd_per_kw2h": 0.02, "beta_usd_per_kwh": 0.5, "elastic_max_kw": 8, "bid_max_kw": 15}
    odd = {"=1+1": ann, "007": ann, "http://x": ann}
    run = save("homes", **{f"prosumers__{name}": row for name, row in odd.items()}).stored
    write_workbook(run, tmp_path / "t.xlsx")
    cells = pd.read_excel(tmp_path / "t.xlsx", sheet_name="prosumers")["prosumer"]
    assert list(dict.fromkeys(cells)) == ["ann", "bob", *odd]


def test_a_run_that_left_no_schedule_gives_its_rounds(stopped: Any, tmp_path: Path) -> None:
    assert write_csv(stopped, tmp_path / "t") == ["rounds.csv"]
    assert missing_tables(stopped) == list(TABLES)
    assert len(pd.read_csv(tmp_path / "t" / "rounds.csv")) == len(stopped.rounds)


def test_a_run_that_left_nothing_is_refused(stopped: Any, tmp_path: Path) -> None:
    for file in stopped.folder.glob("rounds.*"):
        file.unlink()
    with pytest.raises(InputError, match=r"the run in .*stopped \(.*\) has left no table; go on with it, or run it"):
        write_csv(stopped, tmp_path / "t")
    assert not (tmp_path / "t").exists()


def test_what_no_sheet_holds_is_refused(save: Save, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = save("levels").stored
    monkeypatch.setattr(tables, "_SHEET_ROWS", 18)
    with pytest.raises(
        ScenarioError, match=r"--to xlsx: the table prices has 21 rows and a sheet holds 17; export one"
    ):
        write_workbook(run, tmp_path / "t.xlsx")
    assert not (tmp_path / "t.xlsx").exists()
    assert "prices" in write_workbook(run, tmp_path / "t.xlsx", period=0)


def test_without_xlsxwriter_it_says_how_to_install_it(
    save: Save, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = save("levels").stored
    monkeypatch.setitem(sys.modules, "xlsxwriter", None)
    monkeypatch.setattr(tables, "find_spec", lambda name: None if name == "xlsxwriter" else find_spec(name))
    with pytest.raises(
        ScenarioError, match=r"XlsxWriter is missing; install it with: pip install 'gridbazaar\[excel\]'"
    ):
        write_workbook(run, tmp_path / "t.xlsx")


BATTERY = {"capacity_kwh": 8, "p_charge_max_kw": 3, "p_discharge_max_kw": 3}


@pytest.fixture
def autumn(save: Save) -> Any:
    """A run of the 25 hours of a day on which the clock is put back; ann has a battery."""
    return save("autumn", prosumers__ann__devices={"pack": {"kind": "battery", **BATTERY}}).stored


def instants(local: pd.Series[Any], offset: pd.Series[Any] | str = "") -> list[pd.Timestamp]:
    return list(pd.to_datetime(local.astype(str) + offset, utc=True))


def test_times_of_a_day_with_25_hours_read_back(autumn: Any, tmp_path: Path) -> None:
    write_csv(autumn, tmp_path / "t")
    write_workbook(autumn, tmp_path / "t.xlsx")
    hours = list(pd.date_range("2026-10-24T22:00Z", periods=25, freq="h"))
    assert instants(pd.read_csv(tmp_path / "t" / "prices.csv").query("bus == 'a'")["time"]) == hours
    sheet = pd.read_excel(tmp_path / "t.xlsx", sheet_name="prices").query("bus == 'a'")
    assert instants(sheet["time"], sheet["time_utc_offset"]) == hours
    assert sheet["time"].tolist()[2:4] == [pd.Timestamp("2026-10-25T02:00")] * 2  # dates of Excel, one of them twice
    assert sheet["time_utc_offset"].tolist()[2:4] == ["+02:00", "+01:00"]


def test_devices_are_among_the_tables(autumn: Any, tmp_path: Path) -> None:
    assert "devices.csv" in write_csv(autumn, tmp_path / "t")
    read = pd.read_csv(tmp_path / "t" / "devices.csv", float_precision="round_trip")
    stored = stored_table(autumn.folder, "devices")
    assert read["energy_kwh"].tolist() == stored["energy_kwh"].tolist()
    assert "devices" in write_workbook(autumn, tmp_path / "t.xlsx")
    write_csv(autumn, tmp_path / "t", period=3)
    assert len(pd.read_csv(tmp_path / "t" / "devices.csv")) == 1
