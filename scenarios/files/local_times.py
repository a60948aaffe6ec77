"""What instants are meant by times as people write them: in a zone, with or without an offset; never guessed.

A clock that is put back shows an hour twice. Which one is meant is known by the offset, or by the order of the rows;
where neither tells, it is refused.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

from ...network.calendars import SECONDS_PER_MINUTE, is_step
from ...network.periods import runs
from ..errors import ScenarioError, refuse
from .other_clocks import zone_that_repeats
from .timed_table import TimedTable

_YEARS = (1900, 2200)
_LONGEST_GAP_S = 366 * 86_400
Refusal = Callable[[str], ScenarioError]


def parsed(text: str, refusal: Refusal) -> datetime:
    """A time in ISO 8601, of whole minutes, aware if it has an offset."""
    try:
        when = datetime.fromisoformat(text)
    except ValueError:
        raise refusal(f"{text!r} is no time; write it like 2026-03-29T00:00, or with an offset, +01:00") from None
    if not _YEARS[0] <= when.year <= _YEARS[1]:
        raise refusal(f"{text} is not between {_YEARS[0]} and {_YEARS[1]}; correct the year")
    if when.second or when.microsecond:
        raise refusal(f"{text} has parts of a minute; write whole minutes")
    return when


def instant_of(text: str, zone: ZoneInfo, refusal: Refusal) -> int:
    """The instant of a single time, seconds since 1970.

    Raises:
        ScenarioError: It is no time, or not shown by the clock, or shown twice.
    """
    first, second = _meant(parsed(text, refusal), zone, refusal)
    if first != second:
        sentence = f"the clock of {zone.key} shows {text} twice; write it with an offset, {_offsets(text, zone)}"
        raise refusal(sentence)
    return first


def instants(table: TimedTable, zone: ZoneInfo) -> list[int]:
    """The instants of a table's rows, seconds since 1970, (row,).

    Raises:
        ScenarioError: A row has no time, or it cannot be known which instant is meant.
    """
    refusals = [_refusal(table, k) for k in range(len(table.rows))]
    meant = [
        _meant(_time_of(row.cells[table.column], refusal), zone, refusal)
        for row, refusal in zip(table.rows, refusals, strict=True)
    ]
    found = [first for first, _ in meant]
    step_s = usual_step_s(found)
    for begin, end in runs([k for k, (first, second) in enumerate(meant) if first != second]):
        before, after = found[:begin][-1:], found[end : end + 1]
        readings = [before + reading + after for reading in _readings(meant[begin:end])]
        in_order = [reading for reading in readings if all(a < b for a, b in pairwise(reading))]
        whole = [reading for reading in in_order if all(b - a == step_s for a, b in pairwise(reading))]
        known = in_order if len(in_order) == 1 else whole
        if len(known) != 1:
            text = table.rows[begin].cells[table.column]
            raise refusals[begin](
                f"the clock of {zone.key} shows {text} twice, and the rows do not say which is meant; write the times "
                f"of that day with an offset, {_offsets(text, zone)}"
            )
        found[begin:end] = known[0][len(before) : len(before) + end - begin]
    return found


def check_order(table: TimedTable, found: Sequence[int], step_s: int) -> None:
    """Refuse rows that are given twice, in the wrong order, or not a whole number of steps apart."""
    seen: dict[int, int] = {}
    for k, instant in enumerate(found):
        text = table.rows[k].cells[table.column]
        if instant in seen:
            sentence = f"{text} is given twice, first at {table.rows[seen[instant]].place}; {_cure(text)}"
            raise _refusal(table, k)(sentence)
        seen[instant] = k
        if k and instant < found[k - 1]:
            raise _refusal(table, k)(f"{text} is before the time of the row above it; sort the rows by time")
        if k and instant - found[k - 1] > _LONGEST_GAP_S:
            raise _refusal(table, k)(f"{text} is more than a year after the row above it; correct the time")
        if k and (instant - found[k - 1]) % step_s:
            apart, usual = (seconds / SECONDS_PER_MINUTE for seconds in (instant - found[k - 1], step_s))
            sentence = f"{text} is {apart:g} min after the row above it, where rows are {usual:g} min apart"
            raise _refusal(table, k)(f"{sentence}; correct the time, or take the row out")
    if not is_step(step_s // SECONDS_PER_MINUTE):
        minutes = step_s // SECONDS_PER_MINUTE
        sentence = f"rows are {minutes} min apart, which does not divide an hour; use a step that does, such as 15 min"
        raise refuse(table.file, table.column, sentence)


def _cure(text: str) -> str:
    """What to do about a time that is given twice: another clock may show it twice."""
    when = datetime.fromisoformat(text)
    other = "" if when.tzinfo else zone_that_repeats(when)
    doubt = f"the clock of {other} shows it twice: is the timezone right? If it is, " if other else ""
    return f"{doubt}keep one row"


def usual_step_s(found: Sequence[int]) -> int:
    """By how much most rows are apart, seconds; 0 for a single one."""
    apart = Counter(b - a for a, b in pairwise(found) if b > a)
    return max(apart, key=lambda step: (apart[step], -step), default=0)


def _time_of(text: str, refusal: Refusal) -> datetime:
    if not text:
        raise refusal("this cell is empty; write the time at which the row's period begins")
    return parsed(text, refusal)


def _meant(when: datetime, zone: ZoneInfo, refusal: Refusal) -> tuple[int, int]:
    """The instants that a time may mean, the earlier one first; both are the same for all but an hour a year."""
    if when.tzinfo is not None:
        return (int(when.timestamp()),) * 2
    local = when.replace(tzinfo=zone)
    earlier, later = local, local.replace(fold=1)
    if earlier.utcoffset() == later.utcoffset():
        return (int(earlier.timestamp()),) * 2
    if (earlier.utcoffset() or timedelta()) < (later.utcoffset() or timedelta()):
        raise refusal(
            f"the clock of {zone.key} is put forward over {when.isoformat(timespec='minutes')}, which it never shows; "
            "write times with their offset, or name the zone that they are of"
        )
    return int(earlier.timestamp()), int(later.timestamp())


def _readings(meant: Sequence[tuple[int, int]]) -> Iterator[list[int]]:
    """All ways to read rows of an hour that the clock shows twice: the first so many as of its first time."""
    for split in range(len(meant) + 1):
        yield [first for first, _ in meant[:split]] + [second for _, second in meant[split:]]


def _offsets(text: str, zone: ZoneInfo) -> str:
    """The two offsets of a time that the clock shows twice: "+02:00 or +01:00"."""
    local = datetime.fromisoformat(text).replace(tzinfo=zone)
    return " or ".join(local.replace(fold=fold).isoformat()[-6:] for fold in (0, 1))


def _refusal(table: TimedTable, row: int) -> Refusal:
    place = table.rows[row].place
    return lambda sentence: refuse(place, table.column, sentence)
