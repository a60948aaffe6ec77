"""The package: what is public, what imports what, and a wheel that runs by itself."""

from __future__ import annotations

import importlib
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
ROOMS = ("network", "agents", "market", "scenarios")


@pytest.mark.parametrize("room", ROOMS)
def test_a_room_offers_what_it_says(room: str) -> None:
    module = importlib.import_module(f"gridbazaar.{room}")
    assert module.__doc__
    for name in module.__all__:
        assert getattr(module, name).__doc__, name
    with pytest.raises(AttributeError):
        _ = module.nothing_of_this_name
    assert (ROOT / room / "README.md").is_file()


def test_nothing_imports_a_room_by_its_flat_name() -> None:
    flat = re.compile(rf"^\s*(?:import|from) (?:{'|'.join(ROOMS)})\b", re.MULTILINE)
    files = [file for folder in (*ROOMS, "tests") for file in (ROOT / folder).rglob("*.py")]
    assert files
    assert [file for file in files if flat.search(file.read_text(encoding="utf-8"))] == []


def test_a_wheel_has_the_data_and_runs_by_itself(tmp_path: Path) -> None:
    build = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(tmp_path), str(ROOT)]
    built = subprocess.run(build, capture_output=True, text=True, check=False)
    assert built.returncode == 0, built.stdout + built.stderr
    (wheel,) = tmp_path.glob("*.whl")
    names = zipfile.ZipFile(wheel).namelist()
    for room in ROOMS:
        assert f"gridbazaar/{room}/py.typed" in names
    for file in ("ieee33/prosumers.csv", "two_homes/result.svg", "island/devices.csv", "lv_street/make_profiles.py"):
        assert f"gridbazaar/scenarios/{file}" in names
    assert not [name for name in names if name.startswith(("agents/", "market/", "network/", "scenarios/", "tests/"))]
    site = tmp_path / "site"
    zipfile.ZipFile(wheel).extractall(site)
    code = f"""
import sys
sys.path.insert(0, {str(site)!r})
import gridbazaar.scenarios as gb
print(gb.shipped_scenarios()["ieee33"], gb.load("ieee33").market().run().settled)
"""
    ran = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    where, settled = ran.stdout.split()
    assert where == str(site / "gridbazaar" / "scenarios" / "ieee33" / "ieee33.yaml")
    assert settled == "True"


@pytest.mark.parametrize("target", ["install", "test", "lint"])
def test_before_make_installs_it_says_where_and_how_long(tmp_path: Path, target: str) -> None:
    """On a machine without the environment, and where it is there but out of date."""
    told = _commands(target, tmp_path / "fresh")
    said = f'echo "installing into {tmp_path / "fresh"}, a minute or two"'
    assert told.index(said) < next(k for k, line in enumerate(told) if "-m venv" in line)
    python = tmp_path / "old" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.touch()
    told = _commands(target, tmp_path / "old")
    assert told[0] == 'echo "installing gridbazaar and what it needs"'
    assert "pip install" in told[1]


def _commands(target: str, venv: Path) -> list[str]:
    """What make would do."""
    words = ["make", "-n", "--no-print-directory", target, f"VENV={venv}"]
    return subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=True).stdout.splitlines()
