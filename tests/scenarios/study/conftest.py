"""The studies that tests look at, each made once: the paper's, and one of twelve prosumers."""

from __future__ import annotations

from pathlib import Path

import pytest

import gridbazaar.scenarios as gb
from gridbazaar.scenarios.study.findings import Study
from gridbazaar.scenarios.study.report import write_report
from gridbazaar.scenarios.study.study import study


@pytest.fixture(scope="session")
def told() -> list[str]:
    """What the paper's study has said on its way."""
    return []


@pytest.fixture(scope="session")
def paper(told: list[str]) -> Study:
    return study(gb.load("ieee33"), "ieee33", told.append)


@pytest.fixture(scope="session")
def folder(paper: Study, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("report")
    write_report(paper, folder)
    return folder
