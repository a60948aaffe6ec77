"""Which periods a person means: by number, 19 or 12-20, or by their time as it is shown, "30 March 18:00"."""

from __future__ import annotations

import re

from ...network.periods import When, span
from .errors import SessionError

_NUMBERS = re.compile(r"(\d+)(?:-(\d+))?")


def periods_of(text: str, when: When, count: int) -> range:
    """The indices, from 0, of the periods that a text names.

    Args:
        text: Numbers from 1 (19, 12-20); when a period begins (30 March 18:00); or from when to when, as tables and
            sentences show it (30 March 18:00-20:00, 30 March 23:00 to 31 March 01:00).
        when: A calendar, or the length of a period in hours.
        count: How many periods there are.

    Raises:
        SessionError: There are no such periods.
    """
    numbers = _NUMBERS.fullmatch(text.strip())
    found = _numbered(numbers, count) if numbers else _timed(" ".join(text.split()).casefold(), when, count)
    if found is None:
        forms = f'write numbers (12, or 12-20), or a time as it is shown ("{_beginning(0, when)}")'
        raise SessionError(f"there is no period {text}; they count from 1 to {count}: {forms}")
    return found


def _numbered(numbers: re.Match[str], count: int) -> range | None:
    first, last = int(numbers[1]), int(numbers[2] or numbers[1])
    return range(first - 1, last) if 1 <= first <= last <= count else None


def _timed(text: str, when: When, count: int) -> range | None:
    """The periods from when to when; the end of a span is looked for, so that whatever is shown is understood."""
    for t in range(count):
        beginning = _beginning(t, when).casefold()
        if text == beginning:
            return range(t, t + 1)
        if text.startswith((f"{beginning}-", f"{beginning} to ")):
            ends = (end for end in range(t + 1, count + 1) if span(t, end, when).casefold() == text)
            return next((range(t, end) for end in ends), None)
    return None


def _beginning(period: int, when: When) -> str:
    """When a period begins, as it is shown: "30 March 18:00", or without a calendar "day 2, 18:00"."""
    return re.split("-| to ", span(period, period + 1, when))[0]
