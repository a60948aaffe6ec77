"""Whether what a table lacks, or has twice, is what another clock skips or repeats: the stated zone may be wrong."""

from collections.abc import Iterable
from datetime import datetime
from zoneinfo import ZoneInfo

_ZONES = (
    *("Europe/Berlin", "Europe/London", "Europe/Helsinki", "America/New_York"),
    *("Australia/Sydney", "Australia/LHI", "Pacific/Auckland", "America/Santiago"),
)
"""One zone of each rule by which clocks are put, where many people and meters live."""
_UTC = ("UTC", "Etc/UTC", "GMT", "Etc/GMT")


def offset_elsewhere(times: Iterable[str], zone: ZoneInfo) -> str:
    """The offset that times are written with, such as "+01:00", where the clock of the zone shows none of theirs then.

    Empty where some are, where none has an offset, and where either of the two is UTC, in which any time can be told.

    Args:
        times: Times as they are written, ISO 8601.
        zone: The zone that is stated.
    """
    aware = [when for when in map(datetime.fromisoformat, times) if when.tzinfo]
    own = any(when.utcoffset() == when.astimezone(zone).utcoffset() for when in aware)
    if own or not aware or zone.key in _UTC or not any(when.utcoffset() for when in aware):
        return ""
    return aware[0].isoformat()[-6:]


def zone_that_skips(begin: datetime, end: datetime) -> str:
    """A zone whose clock is put forward from one time to another, such as 02:00 to 03:00; empty if none is known.

    Args:
        begin, end: Local times without a zone.
    """
    return next((name for name in _ZONES if _skips(name, begin, end)), "")


def _skips(name: str, begin: datetime, end: datetime) -> bool:
    """Whether both times are the same instant, which is that at which the clock is put forward."""
    zone = ZoneInfo(name)
    return begin < end and begin.replace(tzinfo=zone).timestamp() == end.replace(tzinfo=zone).timestamp()


def zone_that_repeats(when: datetime) -> str:
    """A zone whose clock is put back over a time, so that it shows it twice; empty if none is known.

    Args:
        when: A local time without a zone.
    """
    return next((name for name in _ZONES if _repeats(name, when)), "")


def _repeats(name: str, when: datetime) -> bool:
    first, second = (when.replace(tzinfo=ZoneInfo(name), fold=fold).timestamp() for fold in (0, 1))
    return first < second
