"""`gridbazaar check`: a line for every check, and exit code 0 or 2."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from gridbazaar.scenarios.conformance import CHECKS, DEVICE_CHECKS

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
    assert lines[-1].endswith("settled for declared after 3 clearings")


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


DEVICES = """
from dataclasses import dataclass
from gridbazaar.agents import Store

@dataclass(frozen=True, eq=False, kw_only=True)
class Flywheel(Store):
    p_discharge_max_kw: float = 2.0
    loss_per_h: float = 0.1

@dataclass(frozen=True, eq=False, kw_only=True)
class Careless(Flywheel):
    def mended(self, found, dt_h): return found
"""


def test_a_device(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(DEVICES)
    run = gridbazaar(tmp_path, "check", "mine.py:Flywheel(capacity_kwh=5, p_charge_max_kw=2)", "--prosumer", "bob")
    assert run.returncode == 0, run.stderr
    assert [line.split()[:2] for line in run.stdout.splitlines()] == [["passed", str(one)] for one in DEVICE_CHECKS]
    assert run.stdout.splitlines()[-1].endswith("at the joint optimum")
    run = gridbazaar(tmp_path, "check", "mine.py:Careless(capacity_kwh=5, p_charge_max_kw=2)")
    assert run.returncode == 2
    failed = [line.split()[1] for line in run.stdout.splitlines() if line.startswith("failed")]
    assert "mended" in failed
    assert run.stderr.endswith(f"{len(failed)} of {len(DEVICE_CHECKS)} checks failed\n")


@pytest.mark.parametrize(
    ("what", "sentence"),
    [
        (
            "batery(capacity_kwh=5)",
            "there is no behaviour, nor kind of device, batery, nor is it module:Class or path.py",
        ),
        ("battery(capacity_kwh=5)", "Battery, parameter p_charge_max_kw: is missing; add it"),
        (
            "battery(capacity_kwh=0, p_charge_max_kw=1, p_discharge_max_kw=1)",
            "device battery: capacity_kwh 0 must be above 0",
        ),
        ("battery(5)", "'battery(5)' is no device with parameters; write it as Python does, with names in quotes"),
        (
            "ev(trips=[{leaves_h: 7.5}])",
            "'ev(trips=[{leaves_h: 7.5}])' is no device with parameters; write it as Python does, with names in quotes",
        ),
        ("Shading(5)", "'Shading(5)' is no behaviour with parameters; write it like Shading(percent=5)"),
    ],
)
def test_what_is_no_device(what: str, sentence: str, tmp_path: Path) -> None:
    run = gridbazaar(tmp_path, "check", what)
    assert run.returncode == 2
    assert run.stderr.startswith(f"check {what}: {sentence}")
    assert len(run.stderr.splitlines()) == 1
