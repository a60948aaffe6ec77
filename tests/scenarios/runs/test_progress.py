"""What a person sees while a run goes on: never silence, never thousands of lines."""

from __future__ import annotations

from dataclasses import fields
from io import StringIO
from typing import Any

import pytest
from rich.console import Console

from gridbazaar.market.rounds import Phase, Round
from gridbazaar.scenarios.rolling.progress import WindowProgress
from gridbazaar.scenarios.runs import progress
from gridbazaar.scenarios.runs.progress import watching


def record(number: int, phase: Phase, sentence: str, **more: Any) -> Round:
    values = {field.name: None for field in fields(Round)} | {"incidents": ""} | more
    return Round(**values | {"number": number, "phase": phase, "sentence": sentence})


def lines(rounds: list[Round], **options: bool) -> list[str]:
    said = StringIO()
    with watching(Console(file=said, width=30), **{"verbose": False, "quiet": False} | options) as watch:
        for one in rounds:
            watch(one)
        watch.tell("saving the results")
    return said.getvalue().splitlines()


LONG = [
    record(2 * k + phase, (Phase.CLEARING, Phase.SHARING)[phase], f"step {k}: [/kWh] of home[pv] and many more words")
    for k in range(5000)
    for phase in (0, 1)
]


def test_a_long_run_is_no_flood_of_lines() -> None:
    said = lines(LONG)
    assert said == [f"step {k}: [/kWh] of home[pv] and many more words" for k in range(20)]


def test_a_long_run_is_never_silent_for_long(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [0.0]
    monkeypatch.setattr(progress, "monotonic", lambda: now.__setitem__(0, now[0] + 0.5) or now[0])
    said = lines(LONG[:4000:2] + [record(9, Phase.SHARING, "step 1, round 2: slow")] * 2000)
    assert 20 < len(said) < 250
    assert said[-1] == "step 1, round 2: slow"


@pytest.mark.parametrize(("seconds", "expected"), [(0.5, [4, 15]), (0.0, [0, 0])])
def test_a_window_that_takes_long_has_a_line_now_and_then(
    monkeypatch: pytest.MonkeyPatch, seconds: float, expected: list[int]
) -> None:
    now, said = [0.0], StringIO()
    monkeypatch.setattr(progress, "monotonic", lambda: now.__setitem__(0, now[0] + seconds) or now[0])
    with watching(Console(file=said, width=30), verbose=False, quiet=False) as watch:
        windows = WindowProgress(watch, verbose=False)
        windows.note("window 1 of 2; 2 windows left")
        for number in range(200):
            windows(record(number, Phase.SHARING, "step 1: slow"))
    first, *later = said.getvalue().splitlines()
    assert first == "window 1 of 2; 2 windows left"
    assert expected[0] <= len(later) <= expected[1]
    assert set(later) <= {"window 1 of 2; 2 windows left: step 1: slow"}


def test_quiet_is_quiet_but_for_what_was_lost() -> None:
    lost = record(7, Phase.SHARING, "step 1, round 6: slow", incidents="worker process 1 [p1] was killed")
    assert lines([*LONG, lost], quiet=True) == ["round 7: worker process 1 [p1] was killed"]
    assert lines([LONG[0], lost], quiet=True, verbose=True)[-1] == "step 1, round 6: slow"


def test_a_terminal_has_one_live_line() -> None:
    said = StringIO()
    console = Console(file=said, force_terminal=True, width=80, color_system=None)
    with watching(console, verbose=False, quiet=False) as watch:
        watch(LONG[0])
        watch.tell("replaying [x]")
    assert "replaying [x]" in said.getvalue()
    assert said.getvalue().count("\n") == 1  # as the live line goes
