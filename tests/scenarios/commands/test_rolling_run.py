"""`gridbazaar run` with a rolling horizon: what is told, what is refused, and how it goes on."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pandas as pd
from rolling_homes import homes, load

import gridbazaar.scenarios as gb
from gridbazaar.scenarios.runs.running import run_scenario


def gridbazaar(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    words = (sys.executable, "-m", "gridbazaar.scenarios", *words)
    return subprocess.run(words, cwd=folder, capture_output=True, text=True, check=False)


def without_stores(folder: Path) -> None:
    said = homes(days=2, horizon={"length_h": 24})
    for row in said["prosumers"].values():
        del row["devices"]
    load(folder, said)


def test_each_window_has_a_line_and_the_summary_says_them_together(tmp_path):
    without_stores(tmp_path)
    done = gridbazaar(tmp_path, "run", "homes.yaml", "-o", "results")
    assert done.returncode == 0, done.stderr
    first, second, last = done.stderr.splitlines()
    assert first == "window 1 of 2 (00:00-24:00); 2 windows left"
    assert second.startswith("window 2 of 2 (day 2, 00:00-24:00); 1 window left, about ")
    assert last == "putting the windows together and saving the results"
    lines = done.stdout.splitlines()
    assert "2 windows of 24 h, of which 24 h are kept; forecasts are perfect" in lines
    assert "settled: nobody gains by deviating in any of 2 windows" in lines
    again = gridbazaar(tmp_path, "run", "--resume", "results")
    assert again.returncode == 2
    assert again.stderr == "the run in results has ended (settled); there is nothing to resume, run it anew\n"
    page = gridbazaar(tmp_path, "report", "results")
    assert page.returncode == 0, page.stderr


def test_json_is_one_object_and_stderr_is_silent(tmp_path):
    without_stores(tmp_path)
    done = gridbazaar(tmp_path, "run", "homes.yaml", "--json", "--set", "horizon.length_h=48")
    assert (done.returncode, done.stderr) == (0, "")
    found = json.loads(done.stdout)
    assert (found["windows"], found["windows_settled"], found["settled"]) == (2, 2, True)


def test_what_windows_do_not_do_is_refused(tmp_path):
    without_stores(tmp_path)
    done = gridbazaar(tmp_path, "run", "homes.yaml", "--record", "all")
    assert done.returncode == 2
    assert done.stderr == (
        "--record: with a rolling horizon no rounds and messages are kept, and no AC power flow is replayed; leave it "
        "out; with --set horizon.keep_windows=true each window has a results folder of its own\n"
    )


def test_one_window_is_stepped_through(tmp_path):
    without_stores(tmp_path)
    (tmp_path / "commands").write_text("run settled\n")
    stepped = gridbazaar(tmp_path, "step", "homes.yaml", "--commands", "commands")
    assert (stepped.returncode, stepped.stderr) == (0, "window 1 of 2 (00:00-24:00); --window N opens another\n")
    assert "settled" in stepped.stdout
    second = gridbazaar(tmp_path, "step", "homes.yaml", "--window", "2", "--commands", "commands")
    assert (second.returncode, second.stderr) == (0, "window 2 of 2 (day 2, 00:00-24:00)\n")
    refused = gridbazaar(tmp_path, "view", "homes.yaml", "--window", "3", "--no-browser")
    assert refused.returncode == 2
    assert refused.stderr == "--window 3: there is no such window of 2 windows; give 1 to 2\n"
    nothing = gridbazaar(tmp_path, "view", "--window", "3", "--no-browser")
    assert nothing.stderr == "--window 3: there are no windows of nothing; name a scenario before it\n"


def test_a_window_of_a_run_is_stepped_through_with_what_stores_held(tmp_path):
    load(tmp_path, homes(days=2))
    (tmp_path / "commands").write_text("step\n")
    refused = gridbazaar(tmp_path, "step", "homes.yaml", "--window", "2", "--commands", "commands")
    assert refused.returncode == 2
    assert "known to a run that has settled those before it; name its results folder" in refused.stderr
    assert gridbazaar(tmp_path, "run", "homes.yaml", "-o", "results").returncode == 0
    stepped = gridbazaar(tmp_path, "step", "results", "--window", "2", "--commands", "commands")
    assert (stepped.returncode, stepped.stderr) == (0, "window 2 of 2 (day 2, 00:00-24:00)\n")


def test_a_window_that_is_kept_is_run_again_from_its_folder(tmp_path):
    without_stores(tmp_path)
    assert gridbazaar(tmp_path, "run", "homes.yaml", "-o", "r", "--set", "horizon.keep_windows=true").returncode == 0
    again = gridbazaar(tmp_path, "run", "r/windows/000002", "-o", "again")
    assert again.returncode == 0, again.stderr
    kept, anew = (pd.read_parquet(tmp_path / folder / "prosumers.parquet") for folder in ("r/windows/000002", "again"))
    pd.testing.assert_frame_equal(kept, anew, check_exact=True)
    source = json.loads((tmp_path / "again" / "manifest.json").read_text())["scenario_path"]
    assert source == str((tmp_path / "r/windows/000002").resolve())
    other = gridbazaar(tmp_path, "run", "r/windows/000002", "-o", "other", "--set", "alpha_scale=2")
    assert other.returncode == 0, other.stderr
    assert not pd.read_parquet(tmp_path / "other" / "prosumers.parquet").equals(kept)


def test_a_run_of_a_run_is_named_after_its_scenario(tmp_path):
    without_stores(tmp_path)
    words = ("--set", "horizon.keep_windows=true", "-o", "r")
    assert gridbazaar(tmp_path, "run", "homes.yaml", *words).returncode == 0
    assert gridbazaar(tmp_path, "run", "r").returncode == 0
    [first] = (tmp_path / "results" / "homes").iterdir()
    (tmp_path / "r" / "manifest.json").write_text("{}")  # what it comes from is not asked
    assert gridbazaar(tmp_path, "run", str(first)).returncode == 0
    assert gridbazaar(tmp_path, "run", "r/windows/000002").returncode == 0
    assert [folder.name for folder in (tmp_path / "results").iterdir()] == ["homes"]
    assert len(list((tmp_path / "results" / "homes").iterdir())) == 3


def test_a_run_that_says_no_name_gives_its_own(tmp_path):
    scenario = gb.load("two_homes")
    (tmp_path / "mine").mkdir()
    run_scenario(scenario, tmp_path / "mine")
    assert gridbazaar(tmp_path, "run", "mine").returncode == 0
    assert [folder.name for folder in (tmp_path / "results").iterdir()] == ["mine"]
