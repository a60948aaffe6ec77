"""Which profiles of a base stand beside a table with times."""

from __future__ import annotations

from pathlib import Path

import pytest

import gridbazaar.scenarios as gb

METERS = "base: two_homes\ntimezone: UTC\nprofiles: m.csv\nfeeder: {load_profile: load}\n"
"""Two days of meters; the base has one day, which counts its periods: the sun, and the evening."""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    rows = [f"2026-03-{28 + day}T{hour:02d}:00,{0.5 + hour / 100},0" for day in range(2) for hour in range(24)]
    (tmp_path / "m.csv").write_text("\n".join(["time,load,sun", *rows]) + "\n")
    return tmp_path


def test_those_that_nothing_names_are_left_out(folder: Path) -> None:
    (folder / "s.yaml").write_text(f"{METERS}prosumer_defaults: {{fixed_profile: load}}\n")
    found = gb.load(str(folder / "s.yaml"))
    assert (sorted(found.profiles), found.periods) == (["load", "sun"], 48)
    found.check()


def test_those_that_something_names_must_agree_with_it(folder: Path) -> None:
    """What homes use is the evening of the base, still."""
    (folder / "s.yaml").write_text(METERS)
    with pytest.raises(gb.ScenarioError, match=r"s\.yaml:3 profiles: profiles end at different times \(.*m\.csv at "):
        gb.load(str(folder / "s.yaml"))
    fits = gb.load(str(folder / "s.yaml"), {"window.days": 1})
    assert (sorted(fits.profiles), fits.periods) == (["evening", "load", "sun"], 24)


def test_a_forecast_stands_for_what_it_foresees(folder: Path) -> None:
    half = f"[{', '.join(['0.5'] * 48)}]"
    (folder / "b.yaml").write_text(f"base: two_homes\nprofiles: {{sun_forecast: {half}, moon_forecast: {half}}}\n")
    own = METERS.replace("two_homes", "b.yaml")
    (folder / "s.yaml").write_text(f"{own}prosumer_defaults: {{fixed_profile: load}}\n")
    found = gb.load(str(folder / "s.yaml"))
    assert sorted(found.profiles) == ["load", "sun", "sun_forecast"]
    said = "profiles.moon_forecast: is left out, as nothing names it and it counts periods beside a table with times"
    assert any(said in str(note) for note in found.doubts())
