"""What a feeder is made of: buses, lines, generators; and the error that names the one that is wrong."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import inf
from typing import Literal

from .errors import InputError

Table = Literal["buses", "lines", "generators", "feeder"]
NOMINAL_HZ = 50.0
"""What a capacitance charges at, unless a scenario says otherwise."""


class FeederError(InputError):
    """The tables are not a radial feeder: says which table, row and column, what is wrong, and the cure.

    Attributes:
        table: "buses", "lines", "generators", or "feeder" for what is stated once (root, base voltage).
        row: name of the row, such as "18", "6-26" or "dg1"; "" where the whole table is meant.
        key: column, such as "r_ohm"; "" where the whole row is meant.
        sentence: what is wrong and the cure, without the place (a reader of files puts file and line in front).
        bus: the bus concerned, if one is.
        line: the line concerned, if one is.
    """

    def __init__(self, sentence: str, *, table: Table, row: str = "", key: str = "", bus: str = "") -> None:
        self.sentence = sentence
        self.table = table
        self.row = row
        self.key = key
        self.bus = bus or (row if table == "buses" else "")
        self.line = row if table == "lines" else ""
        super().__init__(sentence)

    def __str__(self) -> str:
        """The place, dotted, then the sentence."""
        place = ".".join(part for part in (self.table, self.row, self.key) if part)
        return f"{place}: {self.sentence}"

    def __reduce__(self) -> tuple[object, ...]:
        """Keep the keywords when the error crosses a process boundary."""
        return _rebuild, (self.sentence, self.table, self.row, self.key, self.bus)


def _rebuild(sentence: str, table: Table, row: str, key: str, bus: str) -> FeederError:
    return FeederError(sentence, table=table, row=row, key=key, bus=bus)


@dataclass(frozen=True, slots=True)
class Bus:
    """A bus, its voltage limits (pu, not squared), its nominal load (kW, kvar) and its nominal voltage.

    `base_kv` is line to line, kV; 0 stands for that of the feeder. Per unit is on the nominal voltage of each bus.
    """

    name: str
    v_min_pu: float = 0.95
    v_max_pu: float = 1.05
    p_kw: float = 0.0
    q_kvar: float = 0.0
    base_kv: float = 0.0


@dataclass(frozen=True, slots=True)
class Line:
    """A line or a transformer, its series impedance (ohm) and its ratings; limits hold for both directions of flow.

    `p_max_kw` and `q_max_kvar` bound the flow at the sending end (the end nearer to the root), `i_max_a` the current.
    `b_us` is the charging susceptance of the whole line (microsiemens), half of it at either end. Where the ends have
    different nominal voltages, impedance, charging and current are those of the lower voltage. `tap` is the ratio of a
    transformer at `from_bus` relative to the nominal one: 1.05 puts the voltage at the other end 5 % lower. A line of
    no impedance at all is a coupler: its ends are one point.
    """

    from_bus: str
    to_bus: str
    r_ohm: float
    x_ohm: float
    p_max_kw: float = inf
    q_max_kvar: float = inf
    i_max_a: float = inf
    b_us: float = 0.0
    tap: float = 1.0

    @property
    def name(self) -> str:
        """`from-to`, such as "6-26"."""
        return f"{self.from_bus}-{self.to_bus}"

    def reversed(self) -> Line:
        """The same line told from its other end; the impedance of a transformer is seen through its tap from there."""
        return replace(
            self,
            from_bus=self.to_bus,
            to_bus=self.from_bus,
            r_ohm=self.r_ohm * self.tap**2,
            x_ohm=self.x_ohm * self.tap**2,
            tap=1.0 / self.tap,
        )


@dataclass(frozen=True, slots=True)
class Generator:
    """A generator at a bus: cost `a p^2 + b p + c` in $/h with p in kW, and limits on p (kW) and q (kvar), (1) and (8).

    The substation is a generator at the root like the others.
    """

    name: str
    bus: str
    a_usd_per_kw2h: float
    b_usd_per_kwh: float
    c_usd_per_h: float
    p_min_kw: float
    p_max_kw: float
    q_min_kvar: float
    q_max_kvar: float


@dataclass(frozen=True, slots=True)
class Tree:
    """Buses root first and every parent before its children; `lines[n - 1]` runs from `parent[n]` to bus n."""

    buses: tuple[Bus, ...]
    lines: tuple[Line, ...]
    parent: tuple[int, ...]
