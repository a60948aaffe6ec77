"""README: every Python example runs as printed, prints what is printed below it, and is short."""

from __future__ import annotations

import importlib
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

import gridbazaar.scenarios as gb

README = Path(__file__).parents[1] / "README.md"
BLOCK = re.compile(r"^```(python|text|yaml)(?: file=(\S+))?\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def blocks() -> list[tuple[str, str, str]]:
    """Language, file name and text of every block."""
    return [(m[1], m[2] or "", m[3]) for m in BLOCK.finditer(README.read_text(encoding="utf-8"))]


def examples() -> list[tuple[str, str]]:
    """Every Python example with the output printed below it."""
    found = blocks()
    return [
        (text, found[k + 1][2]) for k, (language, file, text) in enumerate(found) if language == "python" and not file
    ]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for language, file, text in blocks():
        if language == "python" and file:
            (tmp_path / file).write_text(text)
    return tmp_path


def test_there_is_an_example_for_a_run_for_stepping_and_for_a_behaviour() -> None:
    text = "".join(example for example, _ in examples())
    assert all(word in text for word in ("market.run()", "session.step()", "mine.py:Modest(percent=10)"))


def numbered() -> list[Any]:
    """The examples by number; those that start a Ray go together, as there is one on a machine."""
    marks = [[pytest.mark.xdist_group("ray")] if "RayCluster" in code else [] for code, _ in examples()]
    return [pytest.param(number, marks=mark) for number, mark in enumerate(marks)]


@pytest.mark.parametrize("example", numbered())
def test_an_example_prints_what_readme_says(example: int, folder: Path) -> None:
    code, expected = examples()[example]
    if "RayCluster()" in code:
        pytest.importorskip("ray")
    run = subprocess.run(
        [sys.executable, "-W", "error", "-c", code], cwd=folder, capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stderr
    assert [line.rstrip() for line in run.stdout.splitlines()] == [line.rstrip() for line in expected.splitlines()]


def test_the_behaviour_runs_here_on_workers_and_on_ray_and_gains_the_same_everywhere() -> None:
    code, expected = next((code, text) for code, text in examples() if "mine.py:Modest" in code)
    assert "(None, Workers(2), RayCluster())" in code
    lines = expected.splitlines()
    assert len(lines) == 3
    assert len(set(lines)) == 1


def test_a_parameter_that_makes_no_sense_is_refused(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)
    with pytest.raises(gb.ScenarioError, match="Modest, parameter percent: Input should be greater than or equal to 0"):
        gb.load("ieee33", {"prosumers.p1.behaviour": "mine.py:Modest(percent=-3)"}).check()


def test_what_the_behaviour_gains_is_what_the_league_says(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)
    found = gb.gains(gb.load("ieee33", {"prosumers.p1.behaviour": "mine.py:Modest(percent=10)"}))
    [(_, expected)] = [(code, text) for code, text in examples() if "mine.py:Modest" in code]
    assert found is not None
    assert found.known_to_usd[0] < 0.1
    assert expected.startswith(f"p1 gains ${found.gain_usd[0]:.1f};")


def test_examples_are_under_20_lines() -> None:
    assert len(examples()) == 7
    assert all(len(text.splitlines()) < 20 for language, _, text in blocks() if language == "python")


def test_the_behaviour_runs_from_the_command_line_as_printed(folder: Path) -> None:
    command = 'gridbazaar run ieee33 --behaviour "p1=mine.py:Modest(percent=10)"'
    assert command in README.read_text(encoding="utf-8")
    words = [sys.executable, "-m", "gridbazaar.scenarios", *shlex.split(command)[1:]]
    run = subprocess.run(words, cwd=folder, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    assert "settled" in run.stdout


def test_the_room_s_scenario_runs(tmp_path: Path) -> None:
    text = (README.parent / "scenarios" / "README.md").read_text(encoding="utf-8")
    *_, block = (m[3] for m in BLOCK.finditer(text) if m[1] == "yaml")  # those before are in test_timing
    file = tmp_path / "homes.yaml"
    file.write_text(block)
    result = gb.load(str(file)).market().run()
    assert result.settled
    assert result.names == ("ann", "bob")
    assert result.bid_kw.shape == (2, 4)


def test_messages_that_fail_are_those_of_a_scenario_that_settles(tmp_path: Path) -> None:
    text, _ = (text for language, _, text in blocks() if language == "yaml")
    file = tmp_path / "unreliable.yaml"
    file.write_text(text)
    assert gb.load(str(file)).market().run().settled


def test_the_scenario_is_one(tmp_path: Path) -> None:
    _, text = (text for language, _, text in blocks() if language == "yaml")
    file = tmp_path / "wind.yaml"
    file.write_text(text)
    scenario = gb.load(str(file))
    scenario.check()
    assert scenario.title == yaml.safe_load(text)["title"]
    assert scenario.prosumers["p2"].renewable_peak_kw == 960
    assert scenario.prosumers["p1"] == gb.load("ieee33").prosumers["p1"]
    assert scenario.settings.regret_tolerance == 1e-6


ROOMS = ("network", "agents", "market", "scenarios")
DOTTED = re.compile(r"`([a-z_]+(?:\.\w+)+)`")


def exists(name: str) -> bool:
    """Whether a dotted name is a module, or stands in one."""
    module, rest = name, []
    while module:
        try:
            found = importlib.import_module(module)
        except ImportError:
            module, _, last = module.rpartition(".")
            rest.insert(0, last)
        else:
            return _reaches(found, rest)
    return False


def _reaches(found: object, names: list[str]) -> bool:
    for name in names:
        if not hasattr(found, name) and name not in (found.__doc__ or ""):  # attributes are told there
            return False
        found = getattr(found, name, None)
    return True


@pytest.mark.parametrize("room", ["network", "agents", "market"])
def test_a_room_s_page_names_what_is_there(room: str) -> None:
    """Dotted names in backticks are the room's, as `hosting.calls.VERBS`; those of other things are listed here."""
    text = (README.parent / room / "README.md").read_text(encoding="utf-8")
    named = {name for name in DOTTED.findall(text) if name.partition(".")[0] not in {"market", "copy", "pickle"}}
    assert named
    assert [name for name in sorted(named) if not exists(f"gridbazaar.{room}.{name}")] == []


def test_all_pages_name_modules_and_files_that_are_there() -> None:
    for page in ["README.md", *(f"{room}/README.md" for room in ROOMS)]:
        text = (README.parent / page).read_text(encoding="utf-8")
        named = [name for name in DOTTED.findall(text) if name.startswith("gridbazaar.")]
        behind = {"gridbazaar.behaviours", "gridbazaar.devices"}  # entry-point groups
        assert [name for name in named if name not in behind and not exists(name)] == []
    text = (README.parent / "scenarios" / "README.md").read_text(encoding="utf-8")
    files = {path.name for path in (README.parent / "scenarios").rglob("*")}
    assert [name for name in re.findall(r"`(\w+\.(?:py|html\.j2))`", text) if name not in files] == []
