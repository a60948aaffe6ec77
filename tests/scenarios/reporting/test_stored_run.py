"""Saved runs: what can be read of them, and what is said where there is nothing to read."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pandas as pd
import pytest

import gridbazaar.scenarios as gb
from gridbazaar.network.errors import InputError


def test_a_run_gives_back_what_was_saved(base: Path) -> None:
    run = gb.load_run(base)
    assert (run.outcome, run.settled, run.delivered) == ("settled", True, True)
    assert run.message == "settled: nobody gains by deviating"
    assert run.title == "Two homes <on> a short feeder"
    assert run.names == ["ann", "bob"]
    assert run.kpis == json.loads((base / "kpis.json").read_text())
    assert run.scenario.prosumers["ann"].fixed_peak_kw == 2
    pd.testing.assert_frame_equal(run.table("bills"), pd.read_parquet(base / "bills.parquet"))
    assert run.bills is run.table("bills")
    assert list(run.prosumers["prosumer"].unique()) == ["ann", "bob"]
    assert list(run.table("rounds")["number"]) == list(range(1, len(run.table("rounds")) + 1))


def test_a_run_that_was_stopped_has_its_rounds(stopped: Path) -> None:
    run = gb.load_run(str(stopped))
    assert (run.outcome, run.settled, run.delivered) == ("interrupted", False, False)
    assert run.kpis == {}
    assert run.tables == ["rounds"]
    assert len(run.table("rounds")) == 5
    with pytest.raises(InputError, match=r"\(interrupted\) has no table bills; it has rounds$"):
        run.table("bills")


def test_a_run_that_was_killed_says_so(stopped: Path, tmp_path: Path) -> None:
    folder = tmp_path / "killed"
    shutil.copytree(stopped, folder)
    manifest = json.loads((folder / "manifest.json").read_text())
    del manifest["message"]
    (folder / "manifest.json").write_text(json.dumps({**manifest, "outcome": "running"}))
    run = gb.load_run(folder)
    assert run.outcome == "running"
    assert run.message.startswith("not finished: the run still goes on, or was killed; ")


def test_what_is_no_run_is_refused(base: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="holds no run; name a results folder with its manifest"):
        gb.load_run(tmp_path)
    broken = tmp_path / "broken"
    shutil.copytree(base, broken)
    (broken / "kpis.json").write_text("{")
    with pytest.raises(InputError, match=r"kpis\.json cannot be read as JSON; restore it, or run the scenario anew$"):
        gb.load_run(broken)
    (broken / "kpis.json").unlink()
    (broken / "bills.parquet").write_bytes(b"nothing")
    with pytest.raises(InputError, match=r"bills\.parquet cannot be read \(.*\); run the scenario anew$"):
        gb.load_run(broken).table("bills")
    manifest = json.loads((broken / "manifest.json").read_text())
    manifest["scenario"]["dt_h"] = -1
    (broken / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(InputError, match=r"manifest\.json scenario\.dt_h: .*; restore it, or run anew$"):
        _ = gb.load_run(broken).scenario
