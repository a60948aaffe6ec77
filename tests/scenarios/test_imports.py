"""What a command imports: help, lists and refusals come at once, and a run loads nothing that it does not use."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

HEAVY = (
    "mesa", "cvxpy", "pandas", "pandapower", "matplotlib", "pyarrow", "scipy", "osqp", "piqp", "clarabel", "networkx",
    "rich", "filelock", "cloudpickle", "jinja2", "ray", "numpy",
)  # fmt: skip
LIGHT = {
    "nothing": (),
    "help": ("--help",),
    "help of a command": ("run", "--help"),
    "version": ("--version",),
    "scenarios": ("list",),
    "behaviours": ("list", "behaviours"),
    "schema": ("schema",),
    "no such option": ("run", "--cse", "1"),
    "no such command": ("rnu",),
    "no such scenario": ("run", "nothing"),
    "no scenario": ("run",),
    "no such key": ("run", "ieee33", "--set", "market.oder=x"),
    "no such row": ("validate", "ieee33", "--set", "prosumers.p9.bus=3"),
    "no run": ("compare", "here", "there"),
    "no run to report": ("report", "nothing"),
    "no scenario to sweep": ("sweep", "nothing", "--set", "seed=1,2"),
    "nothing to sweep": ("sweep", "ieee33"),
    "no such key figure": ("sweep", "ieee33", "--plot", "fun"),
    "no number": ("report", "ieee33", "--set", "prosumers.p2.bus=3", "--set", "prosumers.p2.bid_max_kw=yes"),
}


@pytest.mark.parametrize("what", LIGHT)
def test_help_lists_and_refusals_import_nothing_heavy(what: str, tmp_path: Path) -> None:
    assert imported(LIGHT[what], HEAVY, tmp_path) == []


@pytest.mark.parametrize(
    "words",
    [
        ("validate", "ieee33"),
        ("run", "ieee33", "--set", "prosumers.p1.bus=99"),
        ("run", "ieee33", "--set", "market.max_rounds=0"),
    ],
)
def test_what_is_checked_needs_numpy_and_no_more(words: tuple[str, ...], tmp_path: Path) -> None:
    assert imported(words, HEAVY, tmp_path) == ["numpy"]


UNUSED = ("pandapower", "pandas._libs", "matplotlib", "cvxpy", "networkx", "scipy.optimize", "pyarrow.compute")


def test_a_plain_run_imports_nothing_that_it_does_not_use(tmp_path: Path) -> None:
    assert imported(("run", "ieee33", "-o", "r"), UNUSED, tmp_path) == []


def test_pandapower_is_imported_without_its_plots_which_others_may_still_use(tmp_path: Path) -> None:
    assert imported(("run", "ieee33", "--ac", "-o", "r"), ("matplotlib", "pandapower"), tmp_path) == ["pandapower"]
    function = "from gridbazaar.scenarios.commands.run import _import_pandapower as f"
    code = f"{function}; f(); import matplotlib.pyplot, pandapower"
    assert subprocess.run([sys.executable, "-c", code], check=False, timeout=60).returncode == 0


def imported(words: tuple[str, ...], heavy: tuple[str, ...], folder: Path) -> list[str]:
    """Which of these modules a command imports."""
    code = f"""
import sys
from gridbazaar.scenarios.__main__ import main
sys.argv = ["gridbazaar", *{words!r}]
try:
    main()
finally:
    print("imported:", *[name for name in {heavy!r} if name in sys.modules])
"""
    done = subprocess.run([sys.executable, "-c", code], cwd=folder, capture_output=True, text=True, check=False)
    return done.stdout.splitlines()[-1].removeprefix("imported:").split()
