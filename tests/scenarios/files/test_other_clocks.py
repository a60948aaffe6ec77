"""An hour that a clock skipped or showed twice, in a table whose zone is stated wrong, is asked about."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pytest
from timed_homes import day, local, sun, table, write

import gridbazaar.scenarios as gb
from gridbazaar.scenarios.files.other_clocks import zone_that_repeats, zone_that_skips


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def homes(here: Path, zone: str, date: str, stated: str, *, offsets: bool = False, fill: str = "") -> str:
    """A file with the quarters of a day of one zone, which says that they are of another."""
    times = day(zone, date, 15)
    spelt = [when.isoformat() for when in times] if offsets else local(times)
    return write(here, table(spelt, sun=sun(len(times))), f"timezone: {stated}\n{fill}")


@pytest.mark.parametrize("stated", ["UTC", "America/New_York"])
def test_the_hour_that_berlin_skips_is_asked_about(here, stated):
    question = (
        "homes.csv:9 time: 4 rows are missing after this one (29 March 02:00-03:00); 29 March 02:00-03:00 is what the "
        f"clock of Europe/Berlin skips: is timezone: {stated} right? If it is, add what is missing, or ask for them"
    )
    with pytest.raises(gb.ScenarioError) as refusal:
        gb.load(homes(here, "Europe/Berlin", "2026-03-29", stated))
    assert question in str(refusal.value)


def test_it_is_asked_also_where_it_is_filled(here):
    (note,) = gb.load(homes(here, "America/Chicago", "2026-03-08", "UTC", fill="fill: interpolate\n")).notes()
    assert str(note).endswith(
        "8 March 02:00-03:00 is what the clock of America/New_York skips: is timezone: UTC right?"
    )


def test_another_gap_is_none_of_a_clock(here):
    file = Path(homes(here, "UTC", "2026-03-29", "UTC"))
    lines = (here / "homes.csv").read_text().splitlines()
    (here / "homes.csv").write_text("\n".join([*lines[:10], *lines[13:]]) + "\n")  # 02:15-03:00
    with pytest.raises(gb.ScenarioError) as refusal:
        gb.load(str(file))
    assert "3 rows are missing after this one (29 March 02:15-03:00); add what is missing" in str(refusal.value)


def test_offsets_of_another_clock_are_asked_about(here):
    (note,) = gb.load(homes(here, "Europe/Berlin", "2026-03-29", "America/New_York", offsets=True)).notes()
    assert str(note) == (
        "homes.csv time: times have offsets (+01:00) that the clock of America/New_York does not show then: is "
        "timezone: America/New_York right?"
    )
    for zone, stated in (("Europe/Berlin", "Europe/Madrid"), ("UTC", "Europe/Berlin"), ("Europe/Berlin", "Etc/UTC")):
        assert not gb.load(homes(here, zone, "2026-03-29", stated, offsets=True)).notes()


def test_with_offsets_the_zone_does_not_matter(here):
    assert not gb.load(homes(here, "Europe/Berlin", "2026-03-29", "UTC", offsets=True)).notes()


@pytest.mark.parametrize(
    ("begin", "end", "zone"),
    [
        ("2026-03-29T02:00", "2026-03-29T03:00", "Europe/Berlin"),
        ("2026-03-29T01:00", "2026-03-29T02:00", "Europe/London"),
        ("2026-03-29T03:00", "2026-03-29T04:00", "Europe/Helsinki"),
        ("2026-03-08T02:00", "2026-03-08T03:00", "America/New_York"),
        ("2026-10-04T02:00", "2026-10-04T02:30", "Australia/LHI"),
        ("2026-03-29T02:00", "2026-03-29T02:30", ""),
        ("2026-03-29T02:00", "2026-03-29T04:00", ""),
        ("2026-03-28T02:00", "2026-03-28T03:00", ""),
        ("2026-10-25T02:00", "2026-10-25T03:00", ""),
    ],
)
def test_which_clocks_skip_a_time(begin, end, zone):
    assert zone_that_skips(datetime.fromisoformat(begin), datetime.fromisoformat(end)) == zone


@pytest.mark.parametrize("stated", ["UTC", "America/New_York"])
def test_the_hour_that_berlin_shows_twice_is_asked_about(here, stated):
    question = (
        "2026-10-25T02:00 is given twice, first at homes.csv:10; the clock of Europe/Berlin shows it twice: is the "
        "timezone right? If it is, keep one row"
    )
    with pytest.raises(gb.ScenarioError) as refusal:
        gb.load(homes(here, "Europe/Berlin", "2026-10-25", stated))
    assert str(refusal.value).endswith(question)


@pytest.mark.parametrize(
    ("when", "zone"),
    [
        ("2026-10-25T02:00", "Europe/Berlin"),
        ("2026-10-25T01:45", "Europe/London"),
        ("2026-11-01T01:00", "America/New_York"),
        ("2026-10-25T04:00", ""),
        ("2026-03-29T02:30", ""),
    ],
)
def test_which_clocks_show_a_time_twice(when, zone):
    assert zone_that_repeats(datetime.fromisoformat(when)) == zone
