"""Saved runs to report and compare: of two homes, of the paper's case, and some that ended early."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from two_homes import two_homes

import gridbazaar.scenarios as gb
from gridbazaar.scenarios.runs.running import run_scenario

HOMES = f"title: Two homes <on> a short feeder\n{two_homes()}"


def save(scenario: str, folder: Path, changes: dict[str, Any] | None = None) -> Path:
    """Run a scenario into a new folder."""
    folder.mkdir(parents=True)
    run_scenario(gb.load(scenario, changes or {}), folder)
    return folder


@pytest.fixture(scope="session")
def homes(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The scenario of two homes."""
    file = tmp_path_factory.mktemp("homes") / "homes.yaml"
    file.write_text(HOMES, encoding="utf-8")
    return str(file)


@pytest.fixture(scope="session")
def base(homes: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A settled run of the two homes."""
    return save(homes, tmp_path_factory.mktemp("base") / "run")


@pytest.fixture(scope="session")
def ieee33(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A settled run of the paper's case."""
    return save("ieee33", tmp_path_factory.mktemp("ieee33") / "run")


@pytest.fixture(scope="session")
def diverged(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run that has delivered nothing."""
    return save("ieee33", tmp_path_factory.mktemp("diverged") / "run", {"market.order": "jacobi"})


@pytest.fixture(scope="session")
def stopped(homes: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run that was interrupted in the middle of a round: there are rounds, and nothing else."""
    folder = tmp_path_factory.mktemp("stopped") / "run"
    folder.mkdir()
    rounds = 0

    def stop(record: object) -> None:
        del record
        nonlocal rounds
        rounds += 1
        if rounds == 5:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_scenario(gb.load(homes), folder, watch=stop)
    return folder


@pytest.fixture
def saved(homes: str, tmp_path: Path) -> Callable[..., gb.StoredRun]:
    """Makes a saved run of the two homes with some values changed."""

    def make(name: str = "run", **changes: Any) -> gb.StoredRun:
        dotted = {key.replace("__", "."): value for key, value in changes.items()}
        return gb.load_run(save(homes, tmp_path / name, dotted))

    return make
