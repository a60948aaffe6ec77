"""`gridbazaar check`: a line for every check, and exit code 0 or 2."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from gridbazaar.scenarios.conformance import CHECKS

CODE = """
from gridbazaar.agents import Behaviour, Offer
class Lower(Behaviour):
    def __init__(self, cents: float = 1.0): self.cents = cents
    def believe(self, lmp): return lmp - self.cents / 100
class Fails(Behaviour):
    def offer(self, quote, plan): return 1 / 0
"""


def gridbazaar(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    words = (sys.executable, "-m", "gridbazaar.scenarios", *words)
    return subprocess.run(words, cwd=folder, capture_output=True, text=True, check=False)


def test_one_that_keeps_everything(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(CODE)
    run = gridbazaar(tmp_path, "check", "mine.py:Lower(cents=0.5)", "--prosumer", "p2")
    assert run.returncode == 0, run.stderr
    lines = run.stdout.splitlines()
    assert [line.split()[:2] for line in lines] == [["passed", str(check)] for check in CHECKS]
    assert lines[-1].endswith("settled for declared after 4 clearings")


def test_one_that_fails(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(CODE)
    run = gridbazaar(tmp_path, "check", "mine.py:Fails")
    assert run.returncode == 2
    failed = [line.split()[1] for line in run.stdout.splitlines() if line.startswith("failed")]
    assert failed == ["offer", "deterministic", "saved", "worker", "settles"]
    assert "in offer(): ZeroDivisionError: division by zero (at " in run.stdout
    assert run.stderr == f"mine.py:Fails: 5 of {len(CHECKS)} checks failed\n"


def test_one_that_is_none(tmp_path: Path) -> None:
    run = gridbazaar(tmp_path, "check", "mine.py:Lower")
    assert run.returncode == 2
    sentence = "there is no file mine.py; correct the path before the colon"
    assert run.stderr == f"check mine.py:Lower: {sentence}\n"
    run = gridbazaar(tmp_path, "check", "PriceTaker", "--scenario", "nowhere")
    assert run.returncode == 2
    assert "there is no scenario nowhere" in run.stderr
