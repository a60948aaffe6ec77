"""One number in two runs: the difference, what it is known to, and that in words."""

from __future__ import annotations

from dataclasses import dataclass
from math import isfinite, nan

from ..runs.amounts import bound, last_place
from .kpi_list import amount

_LESS_AND_MORE = ("less", "more")
_LOWER_AND_HIGHER = ("lower", "higher")


@dataclass(frozen=True, slots=True)
class Difference:
    """A number of the first run and of another one.

    Attributes:
        section: "results", "prosumers", "bills" or "prices".
        what: What it is.
        unit: Its unit, as in `kpi_list.Kpi`.
        first, other: The two numbers; None where a run has none.
        known_within: What their difference is known to; None where nothing bounds it.
        is_bounded: Whether certificates bound such numbers at all: amounts of money yes, volts and losses no.
    """

    section: str
    what: str
    unit: str
    first: float | None
    other: float | None
    known_within: float | None = None
    is_bounded: bool = False

    @property
    def difference(self) -> float:
        """The other one less the first; nan where one of them is missing."""
        return nan if self.first is None or self.other is None else self.other - self.first

    @property
    def is_known(self) -> bool:
        """Whether they differ, by more than is left open."""
        apart = abs(self.difference)
        if self.known_within is not None:
            return apart > self.known_within
        return apart > 0 and (self.is_bounded or self.shown[0] != self.shown[1])

    @property
    def shown(self) -> tuple[str, str]:
        """The two numbers as people read them."""
        within = (self.known_within or 0.0) / 2  # about what each is known to
        first, other = ("" if value is None else amount(value, self.unit, within) for value in (self.first, self.other))
        return first, other

    @property
    def said(self) -> str:
        """The difference in words: "$0.0020 less, known to $0.001", "no difference known (within $31)", "same"."""
        if not isfinite(self.difference):
            return "" if self.first is None and self.other is None else "in one of them only"
        if self.difference == 0:
            return "same"
        if self.known_within is not None and not self.is_known:
            return f"no difference known (within {bound(self.known_within)})"
        if not self.is_known:
            return "same to these digits"
        words = _LESS_AND_MORE if self.unit in {"$", "kWh", "kW", ""} else _LOWER_AND_HIGHER
        word = f"{self._apart()} {words[self.difference > 0]}"
        if self.known_within is not None:
            return f"{word}, known to {bound(self.known_within)}"
        return f"{word}, proven by nothing" if self.is_bounded else word

    def _apart(self) -> str:
        """By how much, without a sign; parts of a whole differ by percentage points."""
        text = amount(abs(self.difference), self.unit, last_place(self.known_within))
        return text.replace(" %", " points") if self.unit in {"share", "%"} else text
