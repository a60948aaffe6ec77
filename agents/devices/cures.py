"""What would help a store that cannot do what it must, in the words of what its owner has written."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Cures:
    """Ends of sentences, without a full stop.

    Attributes:
        short: It cannot hold enough.
        full: It cannot hold as little as it may.
        cyclic: It cannot come back to the level that it begins with.
    """

    short: str = "raise its charging power or what it starts with, or lower what it needs"
    full: str = "raise its discharging power or soc_max, or lower what it starts with"
    cyclic: str = "raise its power, lower what it loses or needs, or give soc_start and soc_end instead of cyclic"


OF_STORE = Cures()
