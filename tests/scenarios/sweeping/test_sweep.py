"""Sweeps: one row a point in the order of the grid, failures are rows, what is there is not run again."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
from two_homes import two_homes

import gridbazaar.scenarios as gb
from gridbazaar.network.errors import InputError
from gridbazaar.scenarios.errors import ScenarioError
from gridbazaar.scenarios.sweeping.plot import write_plot

HOMES = two_homes(sun=(0.0, 0.6))
BEHAVIOURS = """
import os, signal, time
from gridbazaar.agents import Behaviour


class Slow(Behaviour):
    def believe(self, lmp_usd_per_kwh):
        time.sleep(0.1)
        return lmp_usd_per_kwh


class Dies(Behaviour):
    def believe(self, lmp_usd_per_kwh):
        os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.fixture
def homes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "homes.yaml").write_text(HOMES)
    (tmp_path / "mine.py").write_text(BEHAVIOURS)
    return tmp_path


@pytest.mark.usefixtures("homes")
def test_every_combination_has_a_row_with_the_numbers_of_its_run() -> None:
    found = gb.sweep("homes.yaml", {"prosumers.ann.fixed_peak_kw": [2, 3], "market.case": [1, 3]}, "out")
    assert found.exit_code == 0
    frame = found.frame
    assert [*zip(frame["prosumers.ann.fixed_peak_kw"], frame["market.case"], strict=True)] == [
        (2, 1),
        (2, 3),
        (3, 1),
        (3, 3),
    ]
    alone = gb.load("homes.yaml", {"prosumers.ann.fixed_peak_kw": 3, "market.case": 1}).market().run()
    assert frame["welfare_usd"][2] == alone.welfare_usd  # to the same bit
    assert frame["dso_cost_usd"][2] == alone.dso_cost_usd
    assert [gb.load_run(Path("out") / str(name)).kpis["welfare_usd"] for name in frame["folder"]] == list(
        frame["welfare_usd"]
    )
    pd.testing.assert_frame_equal(pd.read_parquet("out/sweep.parquet"), frame)
    assert list(pd.read_csv("out/sweep.csv")["outcome"]) == ["settled"] * 4


@pytest.mark.usefixtures("homes")
def test_failures_are_rows_and_the_sweep_goes_on() -> None:
    found = gb.sweep("homes.yaml", {"feeder.generators.grid.p_max_kw": [60, -5, 5, "x"]}, "out")
    assert list(found.frame["outcome"]) == ["settled", "refused", "infeasible", "refused"]
    assert list(found.frame["exit_code"]) == [0, 2, 4, 2]
    assert found.exit_code == 3
    messages = list(found.frame["message"])
    assert messages[0] == "settled: nobody gains by deviating"
    assert "generation is short by" in messages[2]
    assert messages[3].startswith("--set feeder.generators.grid.p_max_kw=x feeder.generators.grid.p_max_kw: ")
    assert found.frame["welfare_usd"].notna().tolist() == [True, False, False, False]


@pytest.mark.usefixtures("homes")
def test_a_point_that_delivers_nothing_has_no_welfare() -> None:
    found = gb.sweep("ieee33", {"market.order": ["jacobi"]}, "out")
    assert found.frame["outcome"][0] == "sharing_diverged"
    assert found.frame["rounds"][0] == 100
    assert "welfare_usd" not in found.frame
    assert write_plot(found, "welfare_usd") is None


@pytest.mark.usefixtures("homes")
def test_what_is_there_is_not_run_again() -> None:
    values = {"alpha_scale": [1, 2]}
    first = gb.sweep("homes.yaml", values, "out")
    started = [gb.load_run(f"out/{k}").manifest["started"] for k in (1, 2)]
    marks = [(Path("out") / str(k) / "kpis.json").stat().st_mtime_ns for k in (1, 2)]
    again = gb.sweep("homes.yaml", values, "out")
    pd.testing.assert_frame_equal(first.frame, again.frame)
    assert [gb.load_run(f"out/{k}").manifest["started"] for k in (1, 2)] == started
    assert [(Path("out") / str(k) / "kpis.json").stat().st_mtime_ns for k in (1, 2)] == marks


def test_another_sweep_in_the_folder_is_refused(homes: Path) -> None:
    gb.sweep("homes.yaml", {"alpha_scale": [1]}, "out")
    with pytest.raises(InputError, match=r"^out holds a sweep of something else; name a new folder with -o$"):
        gb.sweep("homes.yaml", {"alpha_scale": [1, 2]}, "out")
    (homes / "homes.yaml").write_text(HOMES.replace("beta_usd_per_kwh: 0.5", "beta_usd_per_kwh: 0.6"))
    with pytest.raises(InputError, match=r"^out/1: alpha_scale=1 was run before with another scenario; name a new"):
        gb.sweep("homes.yaml", {"alpha_scale": [1]}, "out")
    (homes / "full").mkdir()
    (homes / "full" / "file").touch()
    with pytest.raises(InputError, match=r"^full is not empty; name a new folder with -o"):
        gb.sweep("homes.yaml", {"alpha_scale": [1]}, "full")


@pytest.mark.usefixtures("homes")
def test_a_wrong_key_is_refused_at_once() -> None:
    with pytest.raises(ScenarioError, match=r"^--set alpha_scal=1 alpha_scal: .*did you mean alpha_scale"):
        gb.sweep("homes.yaml", {"alpha_scal": [1, 2]}, "out")
    assert not Path("out/sweep.json").exists()
    with pytest.raises(ScenarioError, match="there is no scenario nowhere"):
        gb.sweep("nowhere", {"alpha_scale": [1]})


@pytest.mark.usefixtures("homes")
def test_the_plot_has_a_line_for_each_other_value() -> None:
    found = gb.sweep("homes.yaml", {"alpha_scale": [2, 1], "market.case": [1, 3], "seed": [0]}, "out")
    file = write_plot(found, "dso_cost_usd")
    assert file == Path("out/sweep.svg")
    assert file.read_text(encoding="utf-8").startswith("<?xml")
    other = write_plot(gb.sweep("homes.yaml", {"market.method": ["newton", "plain"]}, "names"), "rounds")
    assert other is not None  # values that are no numbers


# --- the command, and processes --------------------------------------------------------------------------------------


def told(*words: str, code: int = 0) -> tuple[str, str]:
    command = [sys.executable, "-m", "gridbazaar.scenarios", "sweep", *words]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=200)
    assert done.returncode == code, done.stderr
    return done.stdout, done.stderr


@pytest.mark.usefixtures("homes")
def test_the_command_runs_points_in_processes_and_outlives_one_that_dies() -> None:
    out, err = told(
        "homes.yaml",
        "--behaviour",
        "ann=price_taker,mine.py:Dies",
        "-w",
        "2",
        "-o",
        "out",
        "--plot",
        "losses_kwh",
        code=3,
    )
    assert out.splitlines() == ["1 settled, 1 lost; table: out/sweep.csv", "plot: out/sweep.svg"]
    died = f"prosumers.ann.behaviour={Path.cwd()}/mine.py:Dies: its process has died twice; is there enough memory, or "
    assert died in err
    assert "prosumers.ann.behaviour=price_taker: settled, welfare " in err
    frame = pd.read_csv("out/sweep.csv")
    assert list(frame["outcome"]) == ["settled", "lost"]
    assert list(frame["exit_code"]) == [0, 5]
    alone = gb.load("homes.yaml").market().run()
    assert frame["dso_cost_usd"][0] == pytest.approx(alone.dso_cost_usd, rel=1e-12)


@pytest.mark.skipif(sys.platform == "win32", reason="no process groups there")
@pytest.mark.parametrize("everybody", [True, False])
@pytest.mark.usefixtures("homes")
def test_an_interrupt_keeps_what_is_there_and_the_sweep_goes_on(everybody: bool) -> None:
    """Ctrl-C reaches the whole group of a terminal; `kill` reaches one process."""
    words = ["homes.yaml", "--behaviour", "ann=price_taker,mine.py:Slow", "-w", "1", "-o", "out"]
    command = [sys.executable, "-m", "gridbazaar.scenarios", "sweep", *words, "--set", "alpha_scale=1"]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, start_new_session=True)
    assert _comes(lambda: any(Path("out/2").glob("checkpoint/*.npz")))
    (os.killpg if everybody else os.kill)(process.pid, signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "interrupted; `gridbazaar sweep --resume out` goes on" in err
    frame = pd.read_csv("out/sweep.csv")
    assert list(frame["outcome"]) == ["settled", "interrupted"]
    assert json.loads(Path("out/2/manifest.json").read_text())["outcome"] == "interrupted"
    before = Path("out/1/kpis.json").stat().st_mtime_ns
    _, err = told("--resume", "out")
    assert err.startswith("1 of 1: ")  # the first is not run again
    frame = pd.read_csv("out/sweep.csv")
    assert list(frame["outcome"]) == ["settled"] * 2
    assert Path("out/1/kpis.json").stat().st_mtime_ns == before
    assert "resumed" in json.loads(Path("out/2/manifest.json").read_text())


def _comes(true: Callable[[], bool]) -> bool:
    """Whether something comes true within a minute."""
    for _ in range(600):
        if true():
            return True
        time.sleep(0.1)
    return False


@pytest.mark.usefixtures("homes")
def test_refusals_of_the_command() -> None:
    Path("empty").mkdir()
    for words, sentence in {
        (): "SCENARIO: no scenario is named; name one (`gridbazaar list`), or go on with --resume FOLDER",
        ("homes.yaml",): "--set: nothing is swept; write the values of a key, like --set alpha_scale=1,2,4",
        ("homes.yaml", "--set", "a"): "--set a: this is not a key and a value; write it like --set alpha_scale=1,2,4",
        (
            "homes.yaml",
            "--set",
            "seed=1",
            "--set",
            "seed=2",
        ): "--set seed: the key is given twice; write all its values behind one --set",
        ("homes.yaml", "--set", "seed=1", "-w", "0"): "--workers 0: nobody runs the points then; ask for at least 1",
        ("--resume", "empty"): "empty holds no sweep; name the folder of one, with its sweep.json",
        ("homes.yaml", "--resume", "empty"): "--resume empty: a sweep goes on with what it was begun with; leave out "
        "homes.yaml",
    }.items():
        assert told(*words, code=2)[1] == f"{sentence}\n"
    _, err = told("homes.yaml", "--set", "seed=1", "--plot", "fun", code=2)
    known = "welfare_usd, welfare_less_fees_usd, dso_cost_usd, .*regret_usd"
    assert re.match(rf"--plot fun: there is no such key figure; known are {known}$", err)
