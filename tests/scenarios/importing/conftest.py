"""Imports go into folders of the tests, never into the user's cache."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from gridbazaar.scenarios.files.import_row import ImportRow
from gridbazaar.scenarios.importing.importing import Imported, import_network


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache" / "gridbazaar" / "imports"


@pytest.fixture
def importing(tmp_path: Path) -> Callable[..., Imported]:
    """An import into a new folder, `here`."""

    def do(network: str, **wish: object) -> Imported:
        return import_network(ImportRow(network=network, **wish), tmp_path / "here")

    return do
