"""A run that was killed, stopped or lost goes on from its folder, and ends with the numbers of one that was not."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from gridbazaar.scenarios.runs.tables_on_disk import read_rounds

pytestmark = [pytest.mark.usefixtures("here"), pytest.mark.xdist_group("resuming")]  # undisturbed runs are made once
SLOW = [
    "ieee33",
    "--behaviour",
    "p2=mine.py:Slow",
    "--alpha-scale",
    "0.1",
    "--method",
    "admm",
    "--set",
    "market.regret_tolerance=1e-9",
    "--no-ac",
]
MINE = """
import time
from pathlib import Path
from gridbazaar.agents import Behaviour

class Slow(Behaviour):
    count = 0

    def answer(self, quote, problem):
        self.count += 1
        time.sleep(0.005)
        return problem.share(quote)

class Stumbles(Behaviour):
    count = 0

    def answer(self, quote, problem):
        self.count += 1
        if self.count > 20 and not Path("mended").exists():
            raise ValueError("stumbled")
        return problem.share(quote)

class Dies(Stumbles):
    def answer(self, quote, problem):
        import os, signal
        self.count += 1
        if self.count > 20 and not Path("mended").exists():
            os.kill(os.getpid(), signal.SIGKILL)
        return problem.share(quote)
"""


@pytest.fixture
def here(tmp_path, monkeypatch) -> Path:
    monkeypatch.chdir(tmp_path)
    Path("mine.py").write_text(MINE)
    return tmp_path


@pytest.fixture(scope="module")
def whole(tmp_path_factory) -> Callable[..., str]:
    """The folder of an undisturbed run, each made once."""
    made: dict[tuple[str, ...], Path] = {}

    def of(*words: str) -> str:
        if words not in made:
            made[words] = tmp_path_factory.mktemp("whole") / "r"
            run(*words, "-o", str(made[words]))
        return str(made[words])

    return of


def start(*words: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "gridbazaar.scenarios", "run", *words]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def run(*words: str, code: int = 0) -> str:
    process = start(*words)
    out, err = process.communicate(timeout=120)
    assert process.returncode == code, err
    return out + err


def wait_for_rounds(folder: str, count: int) -> None:
    end = time.monotonic() + 60
    while time.monotonic() < end:
        if Path(folder, "rounds.arrows").is_file() and len(read_rounds(folder)) >= count:
            return
        time.sleep(0.02)
    pytest.fail("the run did not get so far")


def same(one: str, other: str) -> bool:
    """Whether two results folders hold the same, but for times and places."""
    timed = {"communities", "seconds", "results"}
    left, right = (json.loads(Path(folder, "kpis.json").read_text()) for folder in (one, other))
    assert left.keys() == right.keys()
    tables = [pd.read_parquet(Path(one, f"{name}.parquet")) for name in TABLES]
    others = [pd.read_parquet(Path(other, f"{name}.parquet")) for name in TABLES]
    rounds, again = (read_rounds(folder).to_pandas().drop(columns=["seconds", "incidents"]) for folder in (one, other))
    return (
        all(left[key] == right[key] for key in left.keys() - timed)
        and all(a.equals(b) for a, b in zip(tables, others, strict=True))
        and len(rounds) == len(again)
        and all(_same(a, b) for a, b in zip(rounds.to_numpy().ravel(), again.to_numpy().ravel(), strict=True))
    )


TABLES = ("prosumers", "trades", "prices", "generators", "buses", "lines", "bills")


def _same(a: object, b: object) -> bool:
    if isinstance(a, np.ndarray | float):
        return np.array_equal(a, b, equal_nan=True)
    return a == b


@pytest.mark.parametrize(
    "workers",
    [pytest.param((), id="here", marks=pytest.mark.long), pytest.param(("--workers", "2"), id="two workers")],
)
def test_a_killed_run_goes_on_to_the_same_numbers(whole, workers):
    process = start(*SLOW, "-o", "killed", *workers)
    for rounds in (25, 60):  # killed twice, the second time after it had been resumed
        wait_for_rounds("killed", rounds)
        process.kill()
        process.communicate()
        assert json.loads(Path("killed", "manifest.json").read_text())["outcome"] == "running"
        done = len(read_rounds("killed"))
        assert rounds <= done < len(read_rounds(whole(*SLOW)))
        process = start("--resume", "killed", "--no-ac", *workers)
    out, err = process.communicate(timeout=120)
    assert process.returncode == 0, err
    assert same(whole(*SLOW), "killed")
    assert len(json.loads(Path("killed", "manifest.json").read_text())["resumed"]) == 2
    assert not Path("killed", "checkpoint").exists()
    assert "settled" in out


def test_what_was_saved_is_not_lived_through_again():
    """A run goes on from its newest checkpoint: the slow prosumer is asked nothing that it has answered before it."""
    process = start(*SLOW, "-o", "killed")
    count = wait_for_a_checkpoint("killed", 20)
    process.kill()
    process.communicate()
    Path("mine.py").write_text(MINE.replace("time.sleep(0.005)", f"assert self.count > {count}"))
    run("--resume", "killed", "--no-ac")


def wait_for_a_checkpoint(folder: str, answers: int) -> int:
    """Until a checkpoint is there in which p2 has answered so often; how often it has."""
    end = time.monotonic() + 60
    while time.monotonic() < end:
        for file in Path(folder).glob("checkpoint/*-1of1.npz"):
            with suppress(FileNotFoundError), np.load(file, allow_pickle=False) as archive:
                assert archive["members"].tolist() == ["p1", "p3"]
                assert archive["names"].tolist() == ["p2"]
                ((name, count),) = json.loads(str(archive["behaviours"]))["p2"]["state"]["dict"]
                assert name == "count"
                if count > answers and file.with_name(file.name.replace("-1of1", "")).is_file():
                    return int(count)
        time.sleep(0.02)
    pytest.fail("the run did not get so far")


def test_a_run_that_ctrl_c_stopped_goes_on(whole):
    process = start(*SLOW, "-o", "stopped", "--workers", "2")
    wait_for_rounds("stopped", 10)
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=60)
    assert process.returncode == 130
    run("--resume", "stopped", "--no-ac")
    assert same(whole(*SLOW), "stopped")


@pytest.mark.parametrize(("kind", "workers", "code"), [("Stumbles", "1", 2), ("Dies", "2", 5)])
def test_a_run_that_failed_goes_on_once_its_cause_is_mended(whole, kind, workers, code):
    words = ["ieee33", "--no-ac", "--behaviour", f"p2=mine.py:{kind}"]
    told = " ".join(run(*words, "-o", "failed", "--workers", workers, code=code).split())
    if code == 5:
        assert "worker process 2 (p2" in told or "worker process 1 (p" in told
        assert "lost 3 times in a row at the same question ('answer'); the last one was killed by SIGKILL" in told
    manifest = json.loads(Path("failed", "manifest.json").read_text())
    assert manifest["outcome"] == "failed"
    assert manifest["message"] in told
    assert read_rounds("failed")["phase"].to_pylist().count("sharing") == 20  # those that were finished
    Path("mended").touch()
    run("--resume", "failed", "--no-ac")
    assert same(whole("ieee33", "--no-ac", "--behaviour", "p2=mine.py:Stumbles"), "failed")


def test_a_folder_has_one_writer():
    process = start(*SLOW, "-o", "busy")
    wait_for_rounds("busy", 5)
    assert "the run in busy is still going on in another process; wait for it, or end it" in run(
        "--resume", "busy", code=2
    )
    assert process.poll() is None
    process.kill()
    process.communicate()


def test_another_behaviour_than_the_recorded_one_is_noticed():
    process = start(*SLOW, "-o", "killed")
    wait_for_rounds("killed", 10)
    process.kill()
    process.communicate()
    shutil.rmtree("killed/checkpoint", ignore_errors=True)
    Path("mine.py").write_text(
        MINE.replace(
            "class Slow(Behaviour):", "class Slow(Behaviour):\n    def believe(self, lmp): return lmp + 0.01\n"
        )
    )
    told = run("--resume", "killed", "--no-ac", code=2)
    assert "the run cannot be continued: round 2 gives other numbers than those recorded" in told
    assert len(read_rounds("killed")) >= 10


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ((), "SCENARIO: no scenario is named; name one (`gridbazaar list`), or go on with --resume RUN"),
        (("--resume", "none"), "none holds no run; name a results folder with its manifest.json"),
        (("--resume", "done"), "the run in done has ended (settled); there is nothing to resume, run it anew"),
        (("ieee33", "--resume", "done"), "a run goes on where it is, with what is recorded there; leave out ieee33"),
        (("--resume", "done", "--set", "dt_h=2"), "leave out --set dt_h=2"),
        (("--resume", "done", "--seed", "3"), "leave out --seed 3"),
        (("--resume", "done", "-o", "x"), "leave out -o x"),
        (
            ("--resume", "done", "--message-log"),
            "a message log cannot begin in the middle of a run; leave out --message-log",
        ),
        (("--resume", "torn"), "torn holds no run; name a results folder with its manifest.json"),
        (("--resume", "odd"), "odd/manifest.json scenario.feeder: Field required; restore it, or run anew"),
    ],
    ids=str,
)
def test_what_cannot_be_resumed_is_refused(words, sentence):
    for name, text in {
        "done": json.dumps({"scenario": {}, "outcome": "settled"}),
        "torn": '{"scenario": ',
        "odd": json.dumps({"scenario": {"prosumers": {}}, "outcome": "running"}),
    }.items():
        Path(name).mkdir()
        Path(name, "manifest.json").write_text(text)
    assert sentence in run(*words, code=2)
    assert os.listdir("done") == ["manifest.json"]
