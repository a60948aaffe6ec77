"""What a run says of behaviours that failed: in its rounds, its numbers and its summary; also when it is resumed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

MINE = """
import os
import time
from gridbazaar.agents import Behaviour

class Stumbles(Behaviour):
    def __init__(self):
        self.asked = 0

    def believe(self, lmp):
        self.asked += 1
        if self.asked in (3, 8):
            raise ValueError("stumbled")
        return lmp + 0.001

class Hangs(Behaviour):
    def __init__(self):
        self.asked = 0

    def believe(self, lmp):
        self.asked += 1
        while self.asked >= 5:
            time.sleep(0.01)
        return lmp

class Dies(Behaviour):
    def __init__(self):
        self.asked = 0

    def believe(self, lmp):
        self.asked += 1
        if self.asked == 30 and "DIE" in os.environ:
            os.kill(os.getpid(), 9)
        return lmp
"""


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    Path("mine.py").write_text(MINE)
    return tmp_path


def gridbazaar(*words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    words = (sys.executable, "-m", "gridbazaar.scenarios", *words)
    return subprocess.run(words, capture_output=True, text=True, check=False, env={**os.environ, **environment})


def run(on: str, folder: str, *words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    options = ("--behaviour", "p2=mine.py:Stumbles", "--set", f"market.on_misbehaviour={on}", "-o", folder)
    return gridbazaar("run", "ieee33", *options, *words, **environment)


@pytest.mark.parametrize(
    ("on", "times", "instead"),
    [
        ("last", 2, "its last valid answer stands in"),
        ("exclude", 1, "it takes prices from now on"),
    ],
)
def test_rounds_numbers_and_summary_tell(on: str, times: int, instead: str) -> None:
    done = run(on, "out")
    assert done.returncode == 0, done.stderr
    (told,) = json.loads(Path("out/kpis.json").read_text())["misbehaved"]
    first = (
        f"behaviour Stumbles of p2, in believe(): ValueError: stumbled (at {Path('mine.py').resolve()}:13); {instead}"
    )
    often = "once" if times == 1 else f"{times} times, first"
    assert told == {
        "prosumer": "p2",
        "times": times,
        "excluded": on == "exclude",
        "first_round": 4,
        "first": first,
        "sentence": f"p2 misbehaved {often} in round 4: {first}",
    }
    incidents = pd.read_parquet("out/rounds.parquet")["incidents"]
    assert incidents[3] == first
    assert (incidents != "").sum() == times
    assert told["sentence"] in done.stdout


def test_by_default_the_run_ends_with_exit_code_2() -> None:
    done = gridbazaar("run", "ieee33", "--behaviour", "p2=mine.py:Stumbles", "-o", "out")
    assert done.returncode == 2
    assert done.stderr.splitlines()[-1].startswith("behaviour Stumbles of p2, in believe(): ValueError: stumbled (at ")


@pytest.mark.parametrize("on", ["last", "exclude"])
def test_a_run_that_was_killed_goes_on_with_the_same_numbers(on: str) -> None:
    dies = ("--behaviour", "p1=mine.py:Dies")
    whole = run(on, "whole", *dies)
    assert whole.returncode == 0, whole.stderr
    assert run(on, "killed", *dies, DIE="1").returncode == -9
    assert gridbazaar("run", "--resume", "killed").returncode == 0
    told = [json.loads(Path(folder, "kpis.json").read_text()) for folder in ("whole", "killed")]
    assert told[0]["misbehaved"] == told[1]["misbehaved"]
    assert told[0]["bid_kw"] == told[1]["bid_kw"]


def test_a_setting_that_there_is_not() -> None:
    done = run("burn", "out")
    assert done.returncode == 2
    assert "--set market.on_misbehaviour=burn market.on_misbehaviour: " in done.stderr
    assert "'stop', 'last' or 'exclude'" in done.stderr
    done = run("last", "out", "--set", "market.answer_timeout_s=0")
    assert done.returncode == 2
    assert "market.answer_timeout_s: " in done.stderr


@pytest.mark.parametrize("words", [(), ("--workers", "2")], ids=["here", "workers"])
@pytest.mark.parametrize("on", ["last", "exclude", "stop"])
def test_who_hangs_for_ever_does_not_hang_the_run(on: str, words: tuple[str, ...]) -> None:
    limits = ("--set", "market.answer_timeout_s=0.3", "--set", "market.max_iterations=5")
    hangs = ("--behaviour", "p2=mine.py:Hangs", "--set", f"market.on_misbehaviour={on}", "-o", "out")
    done = gridbazaar("run", "ieee33", *hangs, *limits, *words)
    late = "behaviour Hangs of p2, in believe(): did not answer within 0.3 s (market.answer_timeout_s)"
    if on == "stop":
        assert done.returncode == 2
        assert done.stderr.splitlines()[-1] == late
        return
    assert done.returncode == 0, done.stderr
    (told,) = json.loads(Path("out/kpis.json").read_text())["misbehaved"]
    assert told["first"].startswith(late)
    assert (told["times"] > 1) == (on == "last")  # it is still busy
