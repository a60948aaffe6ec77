"""The length of a period is told of by the key under which it was written, and in minutes below an hour."""

from __future__ import annotations

from pathlib import Path

import pytest
from timed_homes import day, local, sun, table, write

import gridbazaar.scenarios as gb
from gridbazaar.network.periods import length_said

CURE = "does not divide an hour into whole minutes, as periods of a calendar do; write"


@pytest.fixture
def homes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def written(homes: Path, step: str) -> str:
    times = day("Europe/Berlin", "2026-03-29")
    return write(homes, table(local(times), sun=sun(23)), f"timezone: Europe/Berlin\n{step}")


@pytest.mark.parametrize(
    ("step", "changes", "sentence"),
    [
        ("step: 25min\n", {}, f"homes.yaml:2 step: 25 min {CURE} one that does: 15min"),
        ("step: 7h\n", {}, f"homes.yaml:2 step: 7 h {CURE} one that does: 15min"),
        ("step: 15min\n", {"step": "25min"}, f"step: 25 min {CURE} one that does: 15min"),
        ("", {"step": "25min"}, f"step: 25 min {CURE} one that does: 15min"),
        ("dt_h: 0.4\n", {}, f"homes.yaml:2 dt_h: 0.4 h {CURE} a step that does, such as step: 15min"),
        ("step: 15min\n", {"dt_h": 0.4}, f"dt_h: 0.4 h {CURE} a step that does, such as step: 15min"),
    ],
)
def test_the_key_that_was_written_is_named(homes, step, changes, sentence):
    with pytest.raises(gb.ScenarioError) as refusal:
        gb.load(written(homes, step), changes)
    assert str(refusal.value).endswith(sentence)


def test_minutes_are_said_as_such(homes):
    assert gb.load(written(homes, "step: 5min\n")).periods_said.startswith("276 of 5 min, 2026-03-29T00:00")


@pytest.mark.parametrize(
    ("dt_h", "said"), [(5 / 60, "5 min"), (0.25, "15 min"), (1, "1 h"), (1.5, "1.5 h"), (1 / 7, "0.142857 h")]
)
def test_hours_are_said_where_they_are_no_whole_minutes(dt_h, said):
    assert length_said(dt_h) == said
