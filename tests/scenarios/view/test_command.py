"""`gridbazaar view`: what it refuses, and what a results folder opens."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest

import gridbazaar.scenarios as gb
from gridbazaar.scenarios.commands.options import scenario_of
from gridbazaar.scenarios.errors import ScenarioError
from gridbazaar.scenarios.files.changes import changes_of
from gridbazaar.scenarios.runs.running import run_scenario
from gridbazaar.scenarios.view.ports import listener

COMMAND = (sys.executable, "-m", "gridbazaar.scenarios")


def refused(*words: str, folder: Path) -> str:
    """What the command says when it refuses."""
    command = [*COMMAND, "view", *words, "--no-browser"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, timeout=60)
    assert (done.returncode, done.stdout) == (2, "")
    return done.stderr.strip()


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (
            ("nowhere",),
            "there is no scenario nowhere; give a YAML file, or one that comes with gridbazaar: ieee33, lv_street, "
            "cigre_lv, island, kerber_dorfnetz, two_homes",
        ),
        (("ieee33", "--set", "alpha_scale=x"), "--set alpha_scale=x alpha_scale: 'x' is not a number"),
        (("--set", "alpha_scale=2"), "there is nothing to change; name a scenario before it"),
        (("ieee33", "--host", "192.0.2.1"), "--host 192.0.2.1: nothing can listen there ("),
    ],
)
def test_it_refuses_in_a_sentence(words: tuple[str, ...], sentence: str, tmp_path: Path) -> None:
    said = refused(*words, folder=tmp_path)
    assert sentence in said
    assert "Traceback" not in said


def test_a_port_that_is_taken_is_refused_and_the_next_free_one_taken() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(
            ScenarioError, match=rf"--host 127\.0\.0\.1 --port {port}: nothing can listen there \(Addre"
        ):
            listener("127.0.0.1", port)
    with listener("127.0.0.1", port) as found:
        assert found.getsockname()[1] == port
        with pytest.raises(ScenarioError, match=rf"--port {port}: nothing can listen there \(Addre"):
            listener("127.0.0.1", port)  # although nobody has been served there yet
    with pytest.raises(ScenarioError, match="--port 70000: nothing can listen there"):
        listener("127.0.0.1", 70000)


def test_two_that_start_at_the_same_time_have_ports_of_their_own(tmp_path: Path) -> None:
    with listener("127.0.0.1", None) as one, listener("127.0.0.1", None) as other:
        assert one.getsockname() != other.getsockname()
    quiet = {key: value for key, value in os.environ.items() if not key.startswith("PYTEST")}  # NiceGUI listens to it
    command, pipes = (
        [*COMMAND, "view", "ieee33", "--no-browser"],
        {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE},
    )
    pages = [subprocess.Popen(command, cwd=tmp_path, env=quiet, text=True, **pipes) for _ in range(3)]
    told = [page.stdout.readline() for page in pages]
    addresses = [line.split()[2] for line in told]
    assert len(set(addresses)) == 3
    for page, address in zip(pages, addresses, strict=True):
        with urllib.request.urlopen(address, timeout=30) as found:
            assert found.status == 200
        page.send_signal(signal.SIGINT)
        out, err = page.communicate(timeout=60)
        assert (page.returncode, out, err) == (0, "", "")
        with pytest.raises(OSError, match="refused"):
            urllib.request.urlopen(address, timeout=30)  # it was that one


def test_without_nicegui_it_says_how_to_install_it(tmp_path: Path) -> None:
    code = (
        "import sys; sys.modules['nicegui'] = None; sys.argv[1:] = ['view', 'ieee33'];"
        "from gridbazaar.scenarios.__main__ import main; main()"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr.strip() == (
        "gridbazaar view: nicegui is missing; install it with: pip install 'gridbazaar[view]'"
    )


def test_nothing_else_imports_nicegui() -> None:
    room = Path(__file__).parents[3] / "scenarios"
    users = {file.parent.name for file in room.rglob("*.py") if "from nicegui" in file.read_text(encoding="utf-8")}
    assert users == {"view"}
    code = "import sys, gridbazaar.scenarios.__main__, gridbazaar.scenarios.view.desk; print('nicegui' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"


def test_a_results_folder_opens_the_scenario_that_was_run(tmp_path: Path) -> None:
    changed = gb.load("ieee33", {"alpha_scale": 3.0, "market.method": "damped", "market.max_iterations": 2})
    folder = tmp_path / "run"
    folder.mkdir()
    run_scenario(changed, folder)
    opened = scenario_of(str(folder), changes_of(["market.case=1"]))
    assert opened.alpha_scale == 3.0
    assert opened.settings.method == "damped"
    assert opened.settings.case == 1
    assert opened.prosumers == changed.prosumers
