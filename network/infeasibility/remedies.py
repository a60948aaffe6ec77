"""What would relieve a shortage: other loads or other limits, in words and as something that can be applied and tried.

Every amount is rounded to the safe side: a cure as it is printed is a cure that works.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import ceil, floor, log10
from typing import Any, Literal, TypeVar

from ..arrays import FloatArray
from ..elements import Bus, Generator, Line, Table
from ..feeder import Feeder

LoadUnit = Literal["kW", "kvar"]
Element = TypeVar("Element", Bus, Line, Generator)

_SHOWN = 3  # places named in a sentence; the attributes have them all

_LOAD_WORDS = {
    ("kW", False): "kW less load",
    ("kW", True): "kW more load (or less feed-in)",
    ("kvar", False): "kvar more compensation",
    ("kvar", True): "kvar less compensation",
}
_LIMIT_WORDS = {
    ("lines", "p_max_kw"): "a rating of {value} kW on line {row}",
    ("lines", "q_max_kvar"): "a rating of {value} kvar on line {row}",
    ("lines", "i_max_a"): "a rating of {value} A on line {row}",
    ("buses", "v_min_pu"): "a v_min_pu of {value:.4f} at bus {row}",
    ("buses", "v_max_pu"): "a v_max_pu of {value:.4f} at bus {row}",
}
_GENERATOR_WORDS = "a {key} of {value} for generator {row}"
_MANY_BUSES = "a {key} of {value:.4f} at all buses that have {old:g}"


@dataclass(frozen=True, slots=True)
class LoadCure:
    """Other loads in the one period.

    Attributes:
        unit: whether active (kW) or reactive load (kvar) changes.
        changes: bus and change of its load; negative is less load (of reactive load: more compensation).
    """

    unit: LoadUnit
    changes: tuple[tuple[str, float], ...]

    def applied(self, feeder: Feeder, p_kw: FloatArray, q_kvar: FloatArray) -> tuple[FloatArray, FloatArray]:
        """The loads of the period, (bus,) each, after the change; the given ones stay as they are."""
        p_kw, q_kvar = p_kw.copy(), q_kvar.copy()
        changed = p_kw if self.unit == "kW" else q_kvar
        for bus, change in self.changes:
            changed[feeder.index(bus)] += change
        return p_kw, q_kvar

    def __str__(self) -> str:
        """As in "38.2 kW less load at bus 33"; of many buses, the sum and the first few."""
        words = _LOAD_WORDS[self.unit, self.changes[0][1] > 0]
        if len(self.changes) <= _SHOWN:
            return _listed([f"{_exactly(abs(change))} {words} at bus {bus}" for bus, change in self.changes])
        total = sum(abs(change) for _, change in self.changes)
        most = ", ".join(f"{_exactly(abs(change))} at bus {bus}" for bus, change in self.changes[:_SHOWN])
        return f"{_exactly(total)} {words} over {len(self.changes)} buses ({most}, ...)"


@dataclass(frozen=True, slots=True)
class LimitChange:
    """One limit of the tables and what it would have to be."""

    table: Table
    row: str
    key: str
    old: float
    value: float
    by_profile: bool = False

    def __str__(self) -> str:
        """As in "a rating of 1129.0 kW on line 6-26"."""
        words = _LIMIT_WORDS.get((self.table, self.key), _GENERATOR_WORDS)
        value = self.value if self.table == "buses" else _exactly(self.value)
        then = " in that period, where its profile makes it {old:g}" if self.by_profile else ""
        return (words + then).format(key=self.key, value=value, row=self.row, old=self.old)


@dataclass(frozen=True, slots=True)
class LimitCure:
    """Other limits, all of them together; the one that is named as the cause stands first."""

    changes: tuple[LimitChange, ...]

    def applied(self, feeder: Feeder) -> Feeder:
        """The feeder with the other limits."""
        value: dict[tuple[str, str, str], Any] = {(c.table, c.row, c.key): c.value for c in self.changes}

        def changed(table: Table, row: Element) -> Element:
            return replace(row, **{key: new for (t, name, key), new in value.items() if (t, name) == (table, row.name)})

        return replace(
            feeder,
            buses=tuple(changed("buses", bus) for bus in feeder.buses),
            lines=tuple(changed("lines", line) for line in feeder.lines),
            generators=tuple(changed("generators", generator) for generator in feeder.generators),
        )

    def __str__(self) -> str:
        """As in "a rating of 1129.0 kW on line 6-26 and a rating of 900.0 kW on line 26-27"."""
        words = []
        kinds = [(c.table, c.key, c.old if c.table == "buses" else 0.0) for c in self.changes]
        for kind in dict.fromkeys(kinds):
            alike = [change for change, own in zip(self.changes, kinds, strict=True) if own == kind]
            if len(alike) > 1 and kind[0] == "buses":
                words.append(_MANY_BUSES.format(key=kind[1], old=kind[2], value=alike[0].value))
            else:
                words.extend(str(change) for change in alike)
        return _listed(words)


@dataclass(frozen=True, slots=True)
class PriceCure:
    """A higher value of lost load: the feeder can carry the load, at a price that nobody wanted to pay."""

    value_of_lost_load_usd_per_kwh: float

    def __str__(self) -> str:
        """As in "a value of lost load of 12.5 $/kWh"."""
        return f"a value of lost load of {self.value_of_lost_load_usd_per_kwh:g} $/kWh"


Cure = LoadCure | LimitCure | PriceCure


def rounded(value: float, step: float, *, up: bool) -> float:
    """The next multiple of the step that leaves at least half a step of room."""
    steps = value / step
    return round((ceil(steps + 0.5) if up else floor(steps - 0.5)) * step, 6)


def amount(value: float) -> str:
    """A power or current with one decimal, or with two digits if it is small: "171.9", "0.015"."""
    decimals = 1 if value == 0 else max(1, 1 - floor(log10(abs(value)) + 1e-9))
    return f"{value:.{min(decimals, 6)}f}"


def _exactly(value: float) -> str:
    """A value that is rounded already, with all of its digits and one decimal at the least: "1129.0", "5.01"."""
    digits = f"{value:.6f}".rstrip("0")
    return f"{digits}0" if digits.endswith(".") else digits


def _listed(parts: list[str]) -> str:
    return ", ".join(parts[:-1]) + " and " + parts[-1] if len(parts) > 1 else parts[0]
