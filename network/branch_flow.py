"""The DSO's problem of one period, (1)-(10), as a conic program: min x'Px/2 + q'x, Ax + s = b, s in K.

Everything is per unit on 1 MVA and the cost is $/h over 1000, so that the multiplier of a balance row is a price in
$/kWh. Each `RowBlock` is one named equation. The periods differ in the two balance rows of b alone (loads and bids), so
one program serves all of them.

Signs: with the Lagrangian x'Px/2 + q'x + z'(Ax + s - b) and the balance written as in (2), demand - generation -
(P - r l) + flow to the children = 0, the multiplier z of (2) is +d(cost)/d(demand).
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from functools import cached_property

import numpy as np
import scipy.sparse as sp

from .arrays import FloatArray, IntArray
from .feeder import Feeder
from .per_unit import KW_PER_PU, amperes_per_pu, impedances_pu

CONE_ROWS = 4  # (l + v_m, 2P, 2Q, l - v_m) of each line, in this order
_CONE_ORDER = ("zero", "nonnegative", "second order")


@dataclass(frozen=True, slots=True)
class Columns:
    """Where each variable stands in x; lines are numbered like the buses they feed, less the root.

    `unserved`, `spilled` (active), `q_missing` and `q_excess` are empty unless the program prices shortage, `bid`
    unless bids are elastic.
    """

    p_flow: slice
    q_flow: slice
    current: slice  # l, squared
    voltage: slice  # v, squared
    p_gen: slice
    q_gen: slice
    unserved: slice
    spilled: slice
    q_missing: slice
    q_excess: slice
    bid: slice

    @classmethod
    def of(cls, feeder: Feeder, *, shortage: bool, bidding: int) -> Columns:
        """The layout for a feeder, with or without shortage slack at every bus, and with so many elastic bids."""
        buses, lines, generators = len(feeder.buses), len(feeder.lines), len(feeder.generators)
        widths = [lines, lines, lines, buses, generators, generators, *[buses if shortage else 0] * 4]
        widths.append(bidding)
        ends = np.cumsum(widths).tolist()
        return cls(*(slice(end - width, end) for end, width in zip(ends, widths, strict=True)))

    @property
    def count(self) -> int:
        """Number of variables."""
        return int(self.bid.stop)

    def select(self, variable: str, index: IntArray | None = None) -> sp.csr_array:
        """The matrix that picks a variable (or some of it) out of x, (len(index), column)."""
        span: slice = getattr(self, variable)
        at = np.arange(span.start, span.stop) if index is None else span.start + index
        return sp.csr_array((np.ones(at.size), (np.arange(at.size), at)), shape=(at.size, self.count))


@dataclass(frozen=True, slots=True)
class RowBlock:
    """Rows of `Ax + s = b` that state one equation; `cone` says what s must be: zero, nonnegative or second order.

    For bounds, `index` says which bus, line or generator each row bounds.
    """

    name: str
    cone: str
    matrix: sp.csr_array
    rhs: FloatArray
    index: IntArray | None = None


@dataclass(frozen=True)
class ConicProgram:
    """The data of the program, its row blocks in the order of the rows, and where each of them stands in b."""

    feeder: Feeder
    columns: Columns
    quadratic: FloatArray  # diagonal of P, (column,)
    linear: FloatArray  # q, (column,)
    blocks: tuple[RowBlock, ...]
    bidding: IntArray  # buses with an elastic bid, (bidding bus,)
    rows: dict[str, slice] = field(init=False)

    def __post_init__(self) -> None:
        ends = np.cumsum([block.rhs.size for block in self.blocks]).tolist()
        spans = (slice(end - block.rhs.size, end) for end, block in zip(ends, self.blocks, strict=True))
        object.__setattr__(self, "rows", {block.name: span for block, span in zip(self.blocks, spans, strict=True)})

    @cached_property
    def matrix(self) -> sp.csc_array:
        """The matrix A, (row, column)."""
        return sp.csc_array(sp.vstack([block.matrix for block in self.blocks]))

    @cached_property
    def rhs(self) -> FloatArray:
        """The right-hand side b with the nominal loads of the feeder, (row,)."""
        return np.concatenate([block.rhs for block in self.blocks])

    def rhs_of(self, p_kw: FloatArray, q_kvar: FloatArray) -> FloatArray:
        """The right-hand side for a demand, (9) and (10): p_kw and q_kvar (bus,) in kW and kvar, bids included."""
        rhs = self.rhs.copy()
        rhs[self.rows["active balance"]] = -p_kw / KW_PER_PU
        rhs[self.rows["reactive balance"]] = -q_kvar / KW_PER_PU
        return rhs

    def bound_multipliers(self, z: FloatArray, variable: str) -> FloatArray:
        """Multiplier of the upper less that of the lower bound of a variable, (bus, line or generator, ...).

        Args:
            z: multipliers of all rows, (row, ...).
            variable: a name of `Columns`, such as "p_flow".
        """
        span: slice = getattr(self.columns, variable)
        net = np.zeros((span.stop - span.start, *z.shape[1:]))
        for block in self.blocks:
            if block.index is not None and block.name.startswith(f"{variable} "):
                net[block.index] += (
                    -z[self.rows[block.name]] if block.name.endswith("lower") else z[self.rows[block.name]]
                )
        return net


def build_program(
    feeder: Feeder, shortage_price_usd_per_kwh: float | None = None, bidding: IntArray | None = None
) -> ConicProgram:
    """The program of a feeder, (1)-(10).

    With a shortage price every bus may leave load unserved or spill power, and miss or shed reactive power, each at
    that price per kWh or kvarh. The buses that are `bidding` have a bid w of any sign as a variable, on top of
    their demand; it costs w^2/2 (pu) here, and what it costs in earnest is said when the program is solved.
    """
    bidding = np.zeros(0, dtype=np.intp) if bidding is None else bidding
    columns = Columns.of(feeder, shortage=shortage_price_usd_per_kwh is not None, bidding=bidding.size)
    blocks = [
        *_balances(feeder, columns, bidding),
        _voltage_drop(feeder, columns),
        _root_voltage(feeder, columns),
        *_bounds(feeder, columns),
        _cones(feeder, columns),
    ]
    stated = sorted(blocks, key=lambda block: _CONE_ORDER.index(block.cone))
    quadratic, linear = _cost(feeder, columns, shortage_price_usd_per_kwh or 0.0)
    return ConicProgram(feeder, columns, quadratic, linear, tuple(stated), bidding)


def _cost(feeder: Feeder, columns: Columns, shortage_price: float) -> tuple[FloatArray, FloatArray]:
    """(1) in $/h over 1000, without the constant c: the diagonal of P, and q."""
    quadratic, linear = np.zeros(columns.count), np.zeros(columns.count)
    quadratic[columns.p_gen] = [2.0 * g.a_usd_per_kw2h * KW_PER_PU for g in feeder.generators]
    linear[columns.p_gen] = [g.b_usd_per_kwh for g in feeder.generators]
    linear[columns.unserved.start : columns.q_excess.stop] = shortage_price
    quadratic[columns.bid] = 1.0
    return quadratic, linear


def _ends(feeder: Feeder) -> tuple[sp.csr_array, sp.csr_array]:
    """Which bus each line starts and ends at, (bus, line) each, a 1 per line."""
    buses, lines = len(feeder.buses), len(feeder.lines)
    line, one = np.arange(lines), np.ones(lines)
    start = sp.csr_array((one, (feeder.parent[1:], line)), shape=(buses, lines))
    end = sp.csr_array((one, (line + 1, line)), shape=(buses, lines))
    return start, end


def _balances(feeder: Feeder, columns: Columns, bidding: IntArray) -> tuple[RowBlock, RowBlock]:
    """(2) and (3): -generation - (flow in - loss) + flow to the children (- missing + excess) (+ bid) = -load."""
    start, end = _ends(feeder)
    r, x = impedances_pu(feeder)
    generators, buses = len(feeder.generators), len(feeder.buses)
    here = sp.csr_array((np.ones(generators), (feeder.generator_bus, np.arange(generators))), shape=(buses, generators))
    select = columns.select
    active = (start - end) @ select("p_flow") + end @ sp.diags_array(r[1:]) @ select("current") - here @ select("p_gen")
    reactive = (
        (start - end) @ select("q_flow") + end @ sp.diags_array(x[1:]) @ select("current") - here @ select("q_gen")
    )
    if columns.unserved.stop > columns.unserved.start:
        active = active - select("unserved") + select("spilled")
        reactive = reactive - select("q_missing") + select("q_excess")
    if bidding.size:
        asked = sp.csr_array((np.ones(bidding.size), (bidding, np.arange(bidding.size))), shape=(buses, bidding.size))
        active = active + asked @ select("bid")
    return (
        RowBlock("active balance", "zero", sp.csr_array(active), -feeder.p_kw / KW_PER_PU),
        RowBlock("reactive balance", "zero", sp.csr_array(reactive), -feeder.q_kvar / KW_PER_PU),
    )


def _voltage_drop(feeder: Feeder, columns: Columns) -> RowBlock:
    """(4): v_n - v_m + 2 (r P + x Q) - (r^2 + x^2) l = 0, a row per line."""
    start, end = _ends(feeder)
    r, x = (sp.diags_array(part[1:]) for part in impedances_pu(feeder))
    matrix = (
        (end - start).T @ columns.select("voltage")
        + 2.0 * (r @ columns.select("p_flow") + x @ columns.select("q_flow"))
        - (r @ r + x @ x) @ columns.select("current")
    )
    return RowBlock("voltage drop", "zero", sp.csr_array(matrix), np.zeros(len(feeder.lines)))


def _root_voltage(feeder: Feeder, columns: Columns) -> RowBlock:
    """The substation holds the root's voltage."""
    matrix = columns.select("voltage", np.zeros(1, dtype=np.intp))
    return RowBlock("root voltage", "zero", matrix, np.array([feeder.root_voltage_pu**2]))


def _cones(feeder: Feeder, columns: Columns) -> RowBlock:
    """(5): (l + v_m, 2P, 2Q, l - v_m) in the second-order cone, four rows per line; it implies l >= 0."""
    lines = len(feeder.lines)
    current = columns.select("current")
    sending = columns.select("voltage", feeder.parent[1:])
    parts = (current + sending, 2.0 * columns.select("p_flow"), 2.0 * columns.select("q_flow"), current - sending)
    by_line = np.arange(CONE_ROWS * lines).reshape(CONE_ROWS, lines).T.ravel()
    matrix = sp.csr_array(sp.vstack(parts))[by_line] if lines else sp.csr_array((0, columns.count))
    return RowBlock("cone", "second order", sp.csr_array(-matrix), np.zeros(CONE_ROWS * lines))


def _bounds(feeder: Feeder, columns: Columns) -> list[RowBlock]:
    """(6)-(8), a row per finite bound; the root's voltage is held already, and l >= 0 follows from (5)."""
    generators = feeder.generators
    p_line, q_line = feeder.p_max_kw[1:] / KW_PER_PU, feeder.q_max_kvar[1:] / KW_PER_PU
    v_low, v_high = feeder.v_min_pu**2, feeder.v_max_pu**2
    v_low[0], v_high[0] = -np.inf, np.inf
    free = np.full(len(feeder.lines), -np.inf)
    limits = {
        "current": (free, (feeder.i_max_a[1:] / amperes_per_pu(feeder)) ** 2),
        "voltage": (v_low, v_high),
        "p_flow": (-p_line, p_line),
        "q_flow": (-q_line, q_line),
        "p_gen": _in_pu([g.p_min_kw for g in generators], [g.p_max_kw for g in generators]),
        "q_gen": _in_pu([g.q_min_kvar for g in generators], [g.q_max_kvar for g in generators]),
    }
    for column in fields(columns)[len(limits) : -1]:  # an elastic bid has no bounds
        span: slice = getattr(columns, column.name)
        width = span.stop - span.start
        limits[column.name] = (np.zeros(width), np.full(width, np.inf))
    return [block for name, (low, high) in limits.items() for block in _bound(columns, name, low, high)]


def _in_pu(low: list[float], high: list[float]) -> tuple[FloatArray, FloatArray]:
    return np.array(low) / KW_PER_PU, np.array(high) / KW_PER_PU


def _bound(columns: Columns, variable: str, low: FloatArray, high: FloatArray) -> list[RowBlock]:
    """Rows `low <= variable <= high` where finite; equal bounds become one equation, for they leave no interior."""
    fixed = np.flatnonzero(low == high)
    above = np.flatnonzero(np.isfinite(high) & (low != high))
    below = np.flatnonzero(np.isfinite(low) & (low != high))
    select = columns.select
    return [
        RowBlock(f"{variable} fixed", "zero", select(variable, fixed), low[fixed], fixed),
        RowBlock(f"{variable} upper", "nonnegative", select(variable, above), high[above], above),
        RowBlock(f"{variable} lower", "nonnegative", -select(variable, below), -low[below], below),
    ]
