"""Memory does not grow with the windows: what a market took is given back before the next one opens."""

from __future__ import annotations

import tracemalloc
from pathlib import Path
from typing import Any

import pytest
from rolling_homes import PRICES, homes, load

from gridbazaar.agents import rows
from gridbazaar.scenarios.rolling.rolling import run_rolling

pytestmark = pytest.mark.xdist_group("rolling memory")


@pytest.fixture(autouse=True)
def no_code_is_loaded(monkeypatch: pytest.MonkeyPatch) -> None:
    """The first window that is worth compiled code would hold LLVM from then on."""
    monkeypatch.setattr(rows._tally, "_cells", -(10**12))


def held_bytes(folder: Path, days: int, **more: Any) -> list[int]:
    """What is held at the beginning of each window but the first, and before the windows are put together."""
    (folder / "results").mkdir()
    horizon = {"length_h": 48, "step_h": 24, "forecast": "persistence", "imbalance_price_usd_per_kwh": PRICES, **more}
    held: list[int] = []

    def note(sentence: str) -> None:
        del sentence
        held.append(tracemalloc.get_traced_memory()[0])

    scenario = load(folder, homes(days=days, horizon=horizon))
    tracemalloc.start()
    try:
        run_rolling(scenario, folder / "results", note=note)
    finally:
        tracemalloc.stop()
    assert len(held) == days + 1
    return held[1:]


def grown_kb(held: list[int], settling: int) -> float:
    """By how much a window grows what is held, once some have been settled, kB."""
    return (held[-1] - held[settling]) / (len(held) - 1 - settling) / 1e3


def test_memory_is_flat_over_some_windows(tmp_path):
    """A market of these two homes that nobody lets go holds some 400 kB."""
    assert grown_kb(held_bytes(tmp_path, days=8), settling=3) < 20


@pytest.mark.long
@pytest.mark.parametrize(("keeps", "days"), [(False, 60), (True, 12)])
def test_memory_is_flat_over_many_windows(tmp_path, keeps, days):
    assert grown_kb(held_bytes(tmp_path, days, keep_windows=keeps), settling=days // 3) < 5
