"""Which periods each window of a rolling horizon has, and which of them are kept."""

from __future__ import annotations

from dataclasses import dataclass

from ...network.periods import When, spans
from ..files.horizon import HorizonRow


@dataclass(frozen=True, slots=True)
class Window:
    """A part of the periods that is settled as a market of its own.

    Attributes:
        number: Which window it is, from 1.
        first: Index of its first period.
        count: How many periods it has.
        kept: How many of them are kept; the next window begins behind these.
    """

    number: int
    first: int
    count: int
    kept: int

    @property
    def end(self) -> int:
        """Index of the period after its last one."""
        return self.first + self.count

    @property
    def kept_until(self) -> int:
        """Index of the period after the last one that is kept."""
        return self.first + self.kept

    def span(self, when: When) -> str:
        """From when to when it is: "29 March 00:00 to 31 March 00:00"."""
        return spans([*range(self.first, self.end)], when)


def windows_of(horizon: HorizonRow, periods: int, dt_h: float) -> list[Window]:
    """The windows: one for each step, shorter where the data end before it does."""
    length, step = round(horizon.length_h / dt_h), round(horizon.kept_h / dt_h)
    starts = enumerate(range(0, periods, step), start=1)
    return [Window(k, first, min(length, periods - first), min(step, periods - first)) for k, first in starts]
