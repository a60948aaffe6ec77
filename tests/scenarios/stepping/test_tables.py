"""Tables by period: every column of every row is shown, whatever the width."""

from __future__ import annotations

import numpy as np
import pytest
from rich.console import Console

from gridbazaar.network.calendars import Calendar
from gridbazaar.scenarios.stepping.tables import by_period

QUARTERS = Calendar(1774742400, "Europe/Berlin", 15, 8)  # from 2026-03-29T01:00, an hour before the clock skips one
NAMES = [f"offers_partner{k}_kw" for k in range(10)]


def shown(width: int, *, terminal: bool, names: list[str] = NAMES, shift: float = 0.0) -> list[str]:
    console = Console(width=width, force_terminal=terminal, color_system=None, legacy_windows=False, _environ={})
    columns = [np.full(8, 100.0 + k + shift) for k in range(len(names))]
    with console.capture() as capture:
        console.print(by_period("bob", names, columns, calendar=QUARTERS), crop=False)
    return [line.rstrip() for line in capture.get().splitlines()]


@pytest.mark.parametrize("terminal", [True, False])
@pytest.mark.parametrize("width", [50, 80, 100, 300])
def test_every_column_is_shown_whole_and_once(monkeypatch, width, terminal):
    monkeypatch.delenv("COLUMNS", raising=False)
    lines = shown(width, terminal=terminal)
    assert max(map(len, lines)) <= width
    words = " ".join(lines).split()
    assert [word for word in words if word.startswith("partner")] == [f"partner{k}" for k in range(10)]
    for k in range(10):
        assert words.count(f"{100.0 + k:.1f}") == 8
    blocks = sum("period" in line for line in lines)
    assert sum("29 March 03:00" in line for line in lines) == blocks
    assert (blocks == 1) == (width == 300)
    assert lines[0] == "bob"


def test_one_column_that_is_too_wide_is_still_whole():
    name = f"offers_{'x' * 60}_kw"
    lines = shown(60, terminal=False, names=[name, name])
    assert sum("x" * 60 in line for line in lines) == 2


def test_nothing_is_minus_zero():
    shifted = " ".join(shown(300, terminal=False, names=["bid_kw", "lmp_usd_per_kwh"], shift=-100.00001)).split()
    assert "-0.0" not in shifted
    assert shifted.count("0.0") == 8
    assert shifted.count("1.0000") == 8
