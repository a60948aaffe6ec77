"""Periods by number or by the time as it is shown: whatever a table or a sentence shows is understood."""

from __future__ import annotations

import re

import pytest
from rich.console import Console

from gridbazaar.network.calendars import Calendar
from gridbazaar.network.periods import span
from gridbazaar.scenarios.stepping.asked_periods import periods_of
from gridbazaar.scenarios.stepping.errors import SessionError
from gridbazaar.scenarios.stepping.session import Session
from gridbazaar.scenarios.stepping.shell import Shell

NIGHTS = {
    "spring": Calendar(1774728000, "Europe/Berlin", 15, 60),  # from 2026-03-28T21:00, 02:00 is skipped
    "autumn": Calendar(1792872000, "Europe/Berlin", 15, 60),  # from 2026-10-24T22:00, 02:00 is shown twice
    "new year": Calendar(1798743600, "UTC", 60, 30),  # of two years
    "hours": 1.0,
    "quarters": 0.25,
}


@pytest.mark.parametrize("night", NIGHTS)
def test_every_period_is_known_by_what_is_shown(night):
    when = NIGHTS[night]
    count = when.count if isinstance(when, Calendar) else 30
    for t in range(count):
        assert periods_of(span(t, t + 1, when), when, count) == range(t, t + 1)
        assert periods_of(str(t + 1), when, count) == range(t, t + 1)
        if isinstance(when, Calendar):
            assert periods_of(when.moment(t), when, count) == range(t, t + 1)
    for first, end in ((0, count), (2, 9), (3, 25)):
        assert periods_of(span(first, end, when), when, count) == range(first, end)
    assert periods_of("12-20", when, count) == range(11, 20)


@pytest.mark.parametrize("text", ["0", "61", "20-12", "1-61", "28 March 20:45", "28 March", "21:00", "-3", ""])
def test_what_is_no_period_is_refused_with_a_time_that_is_one(text):
    sentence = 'they count from 1 to 60: write numbers (12, or 12-20), or a time as it is shown ("28 March 21:00")'
    with pytest.raises(SessionError, match=re.escape(sentence)):
        periods_of(text, NIGHTS["spring"], 60)


@pytest.fixture(scope="module")
def shell():
    with Session("ieee33", {"start": "2026-03-30T00:00", "timezone": "Europe/Berlin"}) as session:
        session.step()
        yield Shell(session, Console(width=80, color_system=None, _environ={}))


def said(shell: Shell, line: str) -> str:
    with shell._console.capture() as capture:
        shell.do(line)
    return capture.get()


@pytest.mark.parametrize("place", ["p1", "bus 26", "p1-p2"])
def test_why_takes_a_time(shell, place):
    by_number = said(shell, f"why {place} 19")
    assert "30 March 18:00-19:00" in " ".join(by_number.split())
    for time in ('"30 March 18:00"', "30 March 18:00", '"30 March 18:00-19:00"'):
        assert said(shell, f"why {place} {time}") == by_number
    with pytest.raises(SessionError, match="12-20 are 9 periods; ask about one"):
        shell.do(f"why {place} 12-20")


@pytest.mark.parametrize("place", ["p1", "bus 26", "p1-p2"])
def test_a_view_is_of_the_periods_that_are_asked_for(shell, place):
    whole = said(shell, f"show {place}")
    some = said(shell, f"show {place} 12-20")
    times = re.findall(r"30 March (\d\d:00)", some)
    assert sorted(set(times)) == [f"{hour}:00" for hour in range(11, 20)]
    assert set(some.splitlines()) <= set(whole.splitlines())
    assert said(shell, f"show {place} 30 March 11:00-20:00") == some
    with pytest.raises(SessionError, match="there is no period 25; they count from 1 to 24"):
        shell.do(f"show {place} 25")
