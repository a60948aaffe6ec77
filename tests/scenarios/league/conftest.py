"""A small market for leagues: three prosumers on a short feeder, two hours, prices that bids move."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from short_feeder import short_feeder

from gridbazaar.scenarios.__main__ import main

SMALL = short_feeder([1.0, 0.2], [0.7, 1.0])


@pytest.fixture(scope="session")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The scenario's file."""
    file = tmp_path_factory.mktemp("small") / "small.yaml"
    file.write_text(SMALL, encoding="utf-8")
    return file


@pytest.fixture
def command(monkeypatch: pytest.MonkeyPatch) -> Callable[..., int]:
    """The command line in this process; it answers with its exit code."""

    def go(*words: str) -> int:
        monkeypatch.setattr("sys.argv", ["gridbazaar", *words])
        with pytest.raises(SystemExit) as end:
            main()
        return int(end.value.code or 0)

    return go
