"""`gridbazaar export`: what it says, where it writes, and what it refuses."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pandapower as pp
import pandas as pd
import pytest

from gridbazaar.network.errors import InputError
from gridbazaar.scenarios.commands.export import export
from gridbazaar.scenarios.errors import ScenarioError, UnwrittenError

from .conftest import Save, Saved


@pytest.fixture
def folder(save: Save, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A run of its own, in the current folder."""
    monkeypatch.chdir(tmp_path)
    shutil.copytree(save("levels").stored.folder, tmp_path / "run")
    return Path("run")


def test_a_net_is_written_into_the_results_folder(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    export(folder, "pandapower")
    said, told = capsys.readouterr()
    first, second, third = said.splitlines()
    assert first.endswith("7 buses, 2 lines, 3 transformers, 1 coupler, 8 loads, 2 static generators")
    assert second.startswith("power flow (pandapower): voltages within ")
    assert float(second.split()[5]) < 1e-8
    assert third == "written: run/pandapower.json"
    assert told.splitlines() == [
        "note: costs are in $, in the columns that pandapower calls eur",
        "note: pandapower bounds no line by active or reactive power: the limits of 1 line stand in columns of their "
        "own, p_max_mw and q_max_mvar, which its optimal power flow does not read",
        "note: 2 transformers without a rating: sn_mva 1 and a loading of 1e12 % stand there",
    ]
    buses = pd.read_parquet(folder / "buses.parquet")
    drawn = (buses["load_kw"] + buses["bid_kw"]).groupby(buses["period"]).sum()
    assert first.startswith(f"period {drawn.idxmax()} (")
    net = pp.from_json(str(folder / "pandapower.json"))
    assert 1e3 * net.load["p_mw"].sum() == pytest.approx(drawn.max(), rel=1e-12)


def test_all_periods_come_as_profiles(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    export(folder, "pandapower", Path("new/all.json"), "all")
    assert "and profiles of all 3 periods" in capsys.readouterr().out
    assert len(pp.from_json("new/all.json").controller) >= 2


def test_what_is_there_is_not_written_over(folder: Path) -> None:
    export(folder, "csv")
    before = (folder / "csv" / "buses.csv").read_bytes()
    with pytest.raises(
        ScenarioError, match=r"^run/csv is there already; write over it with --force, or elsewhere with"
    ):
        export(folder, "csv")
    export(folder, "csv", None, "2", force=True)
    assert (folder / "csv" / "buses.csv").read_bytes() != before
    assert not (folder / "csv" / "bills.csv").exists()  # which were of all periods
    Path("t.xlsx").write_text("mine")
    with pytest.raises(ScenarioError, match=r"t\.xlsx is there already"):
        export(folder, "xlsx", Path("t.xlsx"))
    assert Path("t.xlsx").read_text() == "mine"
    Path("empty").mkdir()
    export(folder, "csv", Path("empty"))


REFUSED: dict[str, tuple[tuple[Any, ...], str]] = {
    "no run": (("nowhere", "csv"), "nowhere holds no run; name a results folder with its manifest.json"),
    "no format": (("run", "excel"), "--to excel: 'excel' is not known; write one of 'pandapower', 'csv' or 'xlsx'"),
    "no period": (("run", "csv", None, "4"), "--period 4: the run has no such period; write 1 to 3, or all"),
    "period 0": (("run", "pandapower", None, "0"), "--period 0: the run has no such period; write 1 to 3, or all"),
    "no number": (("run", "csv", None, "noon"), "--period noon: the run has no such period; write 1 to 3, or all"),
    "a folder": (("run", "xlsx", Path("run")), "-o run: this is a folder; name a file"),
    "no workbook": (("run", "xlsx", Path("t.ods")), "-o t.ods: the name of a workbook ends with .xlsx; write t.xlsx"),
    "a file": (("run", "csv", Path("run/kpis.json")), "-o run/kpis.json: this is a file, and CSV files need a folder"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_it_refuses_in_a_sentence(name: str, folder: Path) -> None:
    before = sorted(folder.rglob("*"))
    (run, *others), sentence = REFUSED[name]
    with pytest.raises(ScenarioError) as refused:
        export(Path(run), *others)
    assert str(refused.value) == sentence
    assert refused.value.exit_code == 2
    assert sorted(folder.rglob("*")) == before


def test_without_pandapower_it_says_how_to_install_it(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pandapower", None)
    with pytest.raises(
        InputError, match=r"^--to pandapower needs pandapower, which is missing: pip install 'gridbazaar\[g"
    ):
        export(folder, "pandapower")


def test_what_cannot_be_written_is_named(folder: Path) -> None:
    for to in ("pandapower", "xlsx", "csv"):
        with pytest.raises(UnwrittenError, match=r"run/kpis\.json"):
            export(folder, to, Path("run/kpis.json/x.xlsx"))


def test_what_is_not_settled_is_exported_as_far_as_it_is(
    stopped: Any, short: Saved, capsys: pytest.CaptureFixture[str]
) -> None:
    export(stopped.folder, "csv")
    said, told = capsys.readouterr()
    assert said.splitlines()[0] == "rounds.csv"
    assert told.startswith(
        "note: the run is not settled (interrupted in the middle of a round); what it has left is exp"
    )
    assert "note: the run has left no tables prosumers, trades, prices, generators, buses, lines, bills" in told
    export(stopped.folder, "pandapower")
    said, told = capsys.readouterr()
    assert "there is no dispatch to hold it against" in said
    assert "note: the run has left no schedule" in told
    export(short.stored.folder, "pandapower")
    assert "note: what could not be served stands at " in capsys.readouterr().err


def test_a_program_gets_exit_codes_and_one_sentence(folder: Path) -> None:
    command = [sys.executable, "-m", "gridbazaar.scenarios", "export"]
    done = subprocess.run(
        [*command, folder, "--to", "csv", "--period", "1"], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines()[-1] == "written: run/csv"
    failed = subprocess.run([*command, folder, "--to", "csv"], capture_output=True, text=True, check=False)
    assert failed.returncode == 2
    assert failed.stderr == "run/csv is there already; write over it with --force, or elsewhere with -o\n"
