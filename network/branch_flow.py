"""The DSO's problem of one period, (1)-(10), as a conic program: min x'Px/2 + q'x, Ax + s = b, s in K.

Everything is per unit (`per_unit`) and the cost is $/h over the power base in kW, so that the multiplier of a balance
row is a price in $/kWh. Each `RowBlock` is one named equation. The periods differ in b alone (loads, bids, and what
generators can do), so one program serves all of them.

What the current of a line has to do with its flow is stated in one of two ways: as the cone (5), or as the tangent of
l u = P² + Q² at some flow, (5'), see `linearised`; u is v_m behind the tap of the line.

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
from .per_unit import amperes_per_pu, charging_pu, impedances_pu, is_coupler

CONE_ROWS = 4  # (l + u, 2P, 2Q, l - u) of each line, in this order
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


@dataclass(frozen=True, slots=True)
class PowerLimits:
    """What generators can do in a period (8), (generator,) each, kW."""

    least_kw: FloatArray
    most_kw: FloatArray

    @classmethod
    def of(cls, feeder: Feeder) -> PowerLimits:
        """Those of the tables."""
        least, most = ([getattr(g, key) for g in feeder.generators] for key in ("p_min_kw", "p_max_kw"))
        return cls(np.array(least), np.array(most))

    @property
    def fixed(self) -> tuple[bool, ...]:
        """Which generators have no choice."""
        return tuple((self.least_kw == self.most_kw).tolist())


@dataclass(frozen=True)
class ConicProgram:
    """The data of the program, its row blocks in the order of the rows, and where each of them stands in b.

    Attributes:
        feeder: What it is of.
        columns: Where each variable stands in x.
        quadratic: Diagonal of P, (column,).
        linear: q, (column,).
        blocks: The equations.
        bidding: Buses with an elastic bid, (bidding bus,).
        tangent: Whether currents follow flows by a tangent (5') instead of the cone (5); it is that of no flow at all.
        curved: Lines whose current is held by that, (curved line,): all but couplers without a rating, see `per_unit`.
        rows: Where each block stands in b.
    """

    feeder: Feeder
    columns: Columns
    quadratic: FloatArray
    linear: FloatArray
    blocks: tuple[RowBlock, ...]
    bidding: IntArray
    tangent: bool
    curved: IntArray
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

    def rhs_of(self, p_kw: FloatArray, q_kvar: FloatArray, limits: PowerLimits | None = None) -> FloatArray:
        """The right-hand side of a period.

        Args:
            p_kw, q_kvar: Demand, (9) and (10), (bus,), bids included.
            limits: What generators can do, if not always the same; fixed must be those that are so in the program.
        """
        base_kw, rhs = self.feeder.base_kw, self.rhs.copy()
        rhs[self.rows["active balance"]] = -p_kw / base_kw
        rhs[self.rows["reactive balance"]] = -q_kvar / base_kw
        if limits is not None:
            for block in self.blocks:
                if block.name.startswith("p_gen ") and block.index is not None:
                    lower = block.name.endswith("lower")
                    bound = -limits.least_kw if lower else limits.most_kw
                    rhs[self.rows[block.name]] = bound[block.index] / base_kw
        return rhs

    @cached_property
    def _drawing(self) -> tuple[sp.csr_array, sp.csr_array]:
        """What the balances say of all but flows, currents and voltages."""
        rows = (self.rows[f"{kind} balance"] for kind in ("active", "reactive"))
        active, reactive = (sp.csr_array(self.matrix[row, self.columns.p_gen.start :]) for row in rows)
        return active, reactive

    def drawn(self, x: FloatArray, rhs: FloatArray) -> tuple[FloatArray, FloatArray]:
        """What every bus draws net of its generation, p and q, (bus,) each: all that flows must bring, per unit."""
        others = x[self.columns.p_gen.start :]
        kinds = zip(self._drawing, ("active", "reactive"), strict=True)
        p, q = (by @ others - rhs[self.rows[f"{kind} balance"]] for by, kind in kinds)
        return p, q

    @cached_property
    def _dropping(self) -> sp.csr_array:
        return sp.csr_array(self.matrix[self.rows["voltage drop"]])

    def voltage_drop_missed(self, x: FloatArray) -> float:
        """By how much (4) is missed on all lines together, squares of voltages per unit.

        Clarabel counts what a solution misses against the largest numbers in it.
        """
        return float(np.abs(self._dropping @ x).sum())

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
    feeder: Feeder,
    shortage_price_usd_per_kwh: float | None = None,
    bidding: IntArray | None = None,
    *,
    tangent: bool = False,
    limits: PowerLimits | None = None,
) -> ConicProgram:
    """The program of a feeder, (1)-(10), with the cone (5) or with a `tangent` (5') in its place.

    With a shortage price every bus may leave load unserved or spill power, and miss or shed reactive power, each at
    that price per kWh or kvarh. The buses that are `bidding` have a bid w of any sign as a variable, on top of
    their demand; it costs w^2/2 (pu) here, and what it costs in earnest is said when the program is solved. `limits`
    are those of the tables by default; the periods that a program is for have the same generators fixed.
    """
    bidding = np.zeros(0, dtype=np.intp) if bidding is None else bidding
    columns = Columns.of(feeder, shortage=shortage_price_usd_per_kwh is not None, bidding=bidding.size)
    unrated = np.isinf(feeder.i_max_a[1:])
    curved = np.flatnonzero(~(is_coupler(feeder)[1:] & unrated))
    blocks = [
        *_balances(feeder, columns, bidding),
        _voltage_drop(feeder, columns),
        _root_voltage(feeder, columns),
        *_bounds(feeder, columns, limits or PowerLimits.of(feeder)),
        _couplers(feeder, columns, curved),
        _tangents(columns, curved) if tangent else _cones(feeder, columns, curved),
    ]
    stated = sorted(blocks, key=lambda block: _CONE_ORDER.index(block.cone))
    quadratic, linear = _cost(feeder, columns, shortage_price_usd_per_kwh or 0.0)
    return ConicProgram(feeder, columns, quadratic, linear, tuple(stated), bidding, tangent, curved)


def _cost(feeder: Feeder, columns: Columns, shortage_price: float) -> tuple[FloatArray, FloatArray]:
    """(1) in $/h over the power base, without the constant c: the diagonal of P, and q."""
    quadratic, linear = np.zeros(columns.count), np.zeros(columns.count)
    quadratic[columns.p_gen] = [2.0 * g.a_usd_per_kw2h * feeder.base_kw for g in feeder.generators]
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
    """(2) and (3): -generation - (flow in - loss) + flow to the children (- missing + excess) (+ bid) = -load.

    Half of the charging of each line stands at either end: it generates b v.
    """
    start, end = _ends(feeder)
    r, x = impedances_pu(feeder)
    generators, buses = len(feeder.generators), len(feeder.buses)
    here = sp.csr_array((np.ones(generators), (feeder.generator_bus, np.arange(generators))), shape=(buses, generators))
    select = columns.select
    active = (start - end) @ select("p_flow") + end @ sp.diags_array(r[1:]) @ select("current") - here @ select("p_gen")
    reactive = (
        (start - end) @ select("q_flow") + end @ sp.diags_array(x[1:]) @ select("current") - here @ select("q_gen")
    )
    if feeder.b_us.any():
        reactive = reactive - sp.diags_array(charging_pu(feeder)) @ select("voltage")
    if columns.unserved.stop > columns.unserved.start:
        active = active - select("unserved") + select("spilled")
        reactive = reactive - select("q_missing") + select("q_excess")
    if bidding.size:
        asked = sp.csr_array((np.ones(bidding.size), (bidding, np.arange(bidding.size))), shape=(buses, bidding.size))
        active = active + asked @ select("bid")
    return (
        RowBlock("active balance", "zero", sp.csr_array(active), -feeder.p_kw / feeder.base_kw),
        RowBlock("reactive balance", "zero", sp.csr_array(reactive), -feeder.q_kvar / feeder.base_kw),
    )


def _voltage_drop(feeder: Feeder, columns: Columns) -> RowBlock:
    """(4): v_n - u + 2 (r P + x Q) - (r^2 + x^2) l = 0, a row per line, where u = v_m / tap^2."""
    start, end = _ends(feeder)
    start = start @ sp.diags_array(feeder.tap[1:] ** -2)
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


def _cones(feeder: Feeder, columns: Columns, curved: IntArray) -> RowBlock:
    """(5): (l + u, 2P, 2Q, l - u) in the second-order cone, four rows per line; it implies l >= 0."""
    lines, select = curved.size, columns.select
    current = select("current", curved)
    sending = select("voltage", feeder.parent[1:][curved])
    if (feeder.tap != 1).any():
        sending = sp.csr_array(sp.diags_array(feeder.tap[1:][curved] ** -2) @ sending)
    parts = (current + sending, 2.0 * select("p_flow", curved), 2.0 * select("q_flow", curved), current - sending)
    by_line = np.arange(CONE_ROWS * lines).reshape(CONE_ROWS, lines).T.ravel()
    matrix = sp.csr_array(sp.vstack(parts))[by_line] if lines else sp.csr_array((0, columns.count))
    return RowBlock("cone", "second order", sp.csr_array(-matrix), np.zeros(CONE_ROWS * lines))


def _tangents(columns: Columns, curved: IntArray) -> RowBlock:
    """(5') at no flow: l = 0, a row per line."""
    return RowBlock("tangent", "zero", columns.select("current", curved), np.zeros(curved.size))


def _couplers(feeder: Feeder, columns: Columns, curved: IntArray) -> RowBlock:
    """Where no current is felt and none is limited there is none in the program; the flow tells what it is."""
    straight = np.setdiff1d(np.arange(len(feeder.lines)), curved)
    return RowBlock("coupler", "zero", columns.select("current", straight), np.zeros(straight.size))


def _bounds(feeder: Feeder, columns: Columns, limits: PowerLimits) -> list[RowBlock]:
    """(6)-(8), a row per finite bound; the root's voltage is held already, and l >= 0 follows from (5)."""
    generators, base_kw = feeder.generators, feeder.base_kw
    p_line, q_line = feeder.p_max_kw[1:] / base_kw, feeder.q_max_kvar[1:] / base_kw
    v_low, v_high = feeder.v_min_pu**2, feeder.v_max_pu**2
    v_low[0], v_high[0] = -np.inf, np.inf
    free = np.full(len(feeder.lines), -np.inf)
    bounds = {
        "current": (free, (feeder.i_max_a / amperes_per_pu(feeder))[1:] ** 2),
        "voltage": (v_low, v_high),
        "p_flow": (-p_line, p_line),
        "q_flow": (-q_line, q_line),
        "p_gen": (limits.least_kw / base_kw, limits.most_kw / base_kw),
        "q_gen": tuple(
            np.array([getattr(g, key) for g in generators]) / base_kw for key in ("q_min_kvar", "q_max_kvar")
        ),
    }
    for column in fields(columns)[len(bounds) : -1]:  # an elastic bid has no bounds
        span: slice = getattr(columns, column.name)
        width = span.stop - span.start
        bounds[column.name] = (np.zeros(width), np.full(width, np.inf))
    return [block for name, (low, high) in bounds.items() for block in _bound(columns, name, low, high)]


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
