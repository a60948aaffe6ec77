"""What `gridbazaar new` writes works as it is, and what it refuses."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import gridbazaar.scenarios as gb
from gridbazaar.scenarios.errors import UnwrittenError
from gridbazaar.scenarios.scaffold.writing import Kind, class_name, module_name, write


def run(folder: Path, *words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", *words],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, **environment},
    )


def gridbazaar(folder: Path, *words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return run(folder, "gridbazaar.scenarios", *words, **environment)


@pytest.mark.parametrize(
    ("name", "module", "cls"),
    [
        ("mark_up", "mark_up", "MarkUp"),
        ("mark-up", "mark_up", "MarkUp"),
        ("MarkUp", "mark_up", "MarkUp"),
        ("shy2", "shy2", "Shy2"),
    ],
)
def test_names(name: str, module: str, cls: str) -> None:
    assert (module_name(name), class_name(name)) == (module, cls)


def test_a_behaviour_is_tested_installed_and_run(tmp_path: Path) -> None:
    done = gridbazaar(tmp_path, "new", "behaviour", "mark-up")
    assert done.returncode == 0, done.stderr
    assert done.stdout == "written: mark_up\ntry it: gridbazaar check mark_up/mark_up.py:MarkUp\n"
    folder = tmp_path / "mark_up"
    tested = run(folder, "pytest", "-q", "-W", "error", "-p", "no:cacheprovider")
    assert tested.returncode == 0, tested.stdout
    assert "14 passed" in tested.stdout
    site = tmp_path / "site"
    built = run(folder, "pip", "install", "-q", "--no-deps", "--no-build-isolation", "--target", str(site), ".")
    assert built.returncode == 0, built.stderr
    listed = gridbazaar(tmp_path, "list", "behaviours", PYTHONPATH=str(site))
    assert "MarkUp\tmark_up:MarkUp\n" in listed.stdout
    words = ("run", "ieee33", "--behaviour", "p2=MarkUp", "--with", "percent=10", "-o", "out", "--json")
    ran = gridbazaar(tmp_path, *words, PYTHONPATH=str(site))
    assert ran.returncode == 0, ran.stderr
    assert "p2 acts on a behaviour of its own" in ran.stdout


def test_a_device_is_tested_installed_and_run(tmp_path: Path) -> None:
    done = gridbazaar(tmp_path, "new", "device", "fly-wheel")
    assert done.returncode == 0, done.stderr
    tried = "fly_wheel/fly_wheel.py:FlyWheel(capacity_kwh=5, p_max_kw=2)"
    assert done.stdout == f'written: fly_wheel\ntry it: gridbazaar check "{tried}"\n'
    folder = tmp_path / "fly_wheel"
    tested = run(folder, "pytest", "-q", "-W", "error", "-p", "no:cacheprovider")
    assert tested.returncode == 0, tested.stdout
    assert "12 passed" in tested.stdout
    site = tmp_path / "site"
    built = run(folder, "pip", "install", "-q", "--no-deps", "--no-build-isolation", "--target", str(site), ".")
    assert built.returncode == 0, built.stderr
    listed = gridbazaar(tmp_path, "list", "devices", PYTHONPATH=str(site))
    assert "fly_wheel\tfly_wheel:FlyWheel\n" in listed.stdout
    wheel = "prosumers.bob.devices.mine={kind: fly_wheel, capacity_kwh: 5, p_max_kw: 2}"
    ran = gridbazaar(tmp_path, "run", "two_homes", "--set", wheel, "-o", "out", "--json", PYTHONPATH=str(site))
    assert ran.returncode == 0, ran.stderr
    devices = gb.load_run(tmp_path / "out").scenario.prosumers["bob"].devices
    assert {name: row.kind for name, row in devices.items()} == {"mine": "fly_wheel"}


def test_a_scenario_settles_at_once(tmp_path: Path) -> None:
    done = gridbazaar(tmp_path, "new", "scenario", "my-town", "-o", "towns")
    assert done.returncode == 0, done.stderr
    assert done.stdout == "written: towns/my-town\ntry it: gridbazaar run towns/my-town/my-town.yaml\n"
    ran = gridbazaar(tmp_path, "run", "towns/my-town/my-town.yaml", "-o", "out")
    assert ran.returncode == 0, ran.stderr
    assert "settled: nobody gains by deviating" in ran.stdout
    scenario = gb.load(str(tmp_path / "towns" / "my-town" / "my-town.yaml"))
    assert scenario.title == "my-town"
    assert scenario.doubts() == []
    result = scenario.market().run()
    assert np.abs(result.trade_kw).max() > 1  # there is something to trade,
    interior = (result.elastic_kw > 0.1) & (result.elastic_kw < 0.99 * result.elastic_kw.max(axis=1, keepdims=True))
    assert interior.mean() > 0.2  # and loads follow prices


REFUSED = [
    ("behaviour", "1x", "'1x' cannot be a name; write letters, digits, _ and - between them, a letter first, such as"),
    ("behaviour", "../x", "'../x' cannot be a name; "),
    ("scenario", "a b", "'a b' cannot be a name; "),
    ("behaviour", "class", "class is a word of Python, which no module can have; choose another name"),
    ("behaviour", "numpy", "a module called numpy is there already; choose another name"),
    (
        "behaviour",
        "shading",
        "there is a behaviour Shading already (gridbazaar.agents.behaviours.shading:Shading); choose another name",
    ),
    ("device", "battery", "there is a kind of device battery already (gridbazaar.agents.devices.battery:Battery); "),
    (
        "device",
        "HeatPump",
        "there is a kind of device heat_pump already (gridbazaar.agents.devices.heat_pump:HeatPump); ",
    ),
    ("device", "numpy", "a module called numpy is there already; choose another name"),
    ("scenario", "ieee33", "a scenario called ieee33 comes with gridbazaar; choose another name"),
    ("scenario", "taken", "is there already; choose another name, or remove it"),
    ("behaviour", "Taken", "is there already; choose another name, or remove it"),
]


@pytest.mark.parametrize(("kind", "name", "sentence"), REFUSED)
def test_refusals(kind: str, name: str, sentence: str, tmp_path: Path) -> None:
    (tmp_path / "taken").mkdir()
    with pytest.raises(gb.ScenarioError) as refused:
        write(Kind(kind), name, tmp_path)
    assert str(refused.value).startswith(f"new {kind} {name}: ")
    assert sentence in str(refused.value)
    assert len(str(refused.value).splitlines()) == 1
    assert [file.name for file in tmp_path.iterdir()] == ["taken"]


def test_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(UnwrittenError, match=r"file/x: Not a directory; correct its name or its rights"):
        write(Kind.SCENARIO, "x", tmp_path / "file")


@pytest.mark.parametrize(
    ("what", "sentence"),
    [
        ("devise", "'devise' is not known; write one of 'behaviour', 'device' or 'scenario'"),
    ],
)
def test_other_kinds(what: str, sentence: str, tmp_path: Path) -> None:
    done = gridbazaar(tmp_path, "new", what, "x")
    assert done.returncode == 2
    assert done.stderr == f"new {what} x: {sentence}\n"
