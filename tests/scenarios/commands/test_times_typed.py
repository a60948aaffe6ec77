"""The command line with dates: `validate`, `run` and `step` say times; refusals come with place and exit code 2."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from timed_homes import day, local, sun, table, write


@pytest.fixture
def homes(tmp_path: Path) -> Path:
    cells: list[object] = [*sun(71)]
    cells[30] = ""
    times = local(day("Europe/Berlin", "2026-03-28", days=3))
    write(
        tmp_path, table(times, sun=cells), "timezone: Europe/Berlin\nstep: 30min\nwindow: {from: 2026-03-29, days: 1}\n"
    )
    return tmp_path


def gridbazaar(folder: Path, *words: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
    words = (sys.executable, "-m", "gridbazaar.scenarios", *words)
    return subprocess.run(words, cwd=folder, input=stdin, capture_output=True, text=True, check=False)


def test_validate_says_when_and_what_was_done(homes: Path) -> None:
    done = gridbazaar(homes, "validate", "homes.yaml", "--set", "fill=previous")
    assert done.returncode == 0, done.stderr
    when = "2026-03-29T00:00+01:00 to 2026-03-30T00:00+02:00, Europe/Berlin"
    assert done.stdout.endswith(f"1 link, 46 periods of 30 min, {when}\n")
    assert done.stderr.splitlines() == [
        "note: homes.csv: column sun: 1 missing value is filled with the value before (29 March 07:00-08:00)",
        "note: homes.csv: values are of 60 min, periods have 30: they are held in these",
    ]


def test_what_is_missing_is_refused_with_its_row(homes: Path) -> None:
    done = gridbazaar(homes, "run", "homes.yaml")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == (
        "homes.csv:32 column sun: the value of 29 March 07:00 is empty; give one, or ask for them to be filled "
        "(fill: interpolate, or previous)\n"
    )


def test_a_run_says_when(homes: Path) -> None:
    words = ("run", "homes.yaml", "--set", "window.until=2026-03-29T05:00", "--set", "window.days=null")
    done = gridbazaar(homes, *words, "--json")
    found = json.loads(done.stdout)
    assert (found["start"], found["timezone"]) == ("2026-03-29T00:00:00+01:00", "Europe/Berlin")
    assert len(found["bid_kw"]["ann"]) == 8
    shown = gridbazaar(homes, *words)
    assert "periods: 8 of 30 min, 2026-03-29T00:00+01:00 to 2026-03-29T05:00+02:00, Europe/Berlin" in shown.stdout


def test_a_session_shows_the_clock(homes: Path) -> None:
    words = ("step", "homes.yaml", "--set", "window.until=2026-03-29T05:00", "--set", "window.days=null")
    done = gridbazaar(homes, *words, stdin="run agreed\nshow residuals\nshow bids\nwhy ann 5\n")
    assert done.returncode == 0, done.stderr
    assert ", period " in done.stdout
    assert " (29 March 0" in done.stdout
    assert " 5       29 March 03:00 " in done.stdout
    assert "in period 5 (29 March 03:00-03:30)" in done.stdout
