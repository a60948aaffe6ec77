"""How the LMPs move with the demand: the exact slopes of a cleared period, from the KKT system of its conic program.

At the solution (x, s, z) the program answers a small change db of its right-hand side by

    [ P   A'  ] [dx]   [ 0]
    [ A  -W^2 ] [dz] = [db]

where W^2, block by block of the cones, says how s follows z: 0 for equations, s/z for bounds, and for a second-order
cone eta^2 (2 w w' - J), the Nesterov-Todd scaling. db is one more kW asked for at a bus, dz on the active balances is
what that does to every LMP. The matrix is symmetric positive semidefinite: it is the Hessian of the optimal cost.

As db is 0 but for balances, dz of all other rows is W^-2 A dx and needs no unknown where W^2 is far from 0: a bound
adds z/s to P, and of a cone only the direction across its surface stays a row. That leaves half of the unknowns.

Where a period was solved along tangents (5'), the curvature of the losses, which its rows leave out, stands in P, and
the slopes are those of the AC problem as far as that is convex.

Away from bends finite differences agree to about 1e-5.

Where a limit just binds, neither s nor z of it is far from zero and the slopes are anything between those of the two
sides, or have no bound where demand cannot grow at all. They are kept between 0 and STEEPEST, in every direction.

Periods are solved some at a time, as the blocks of one system, which saves most of the time on small feeders.

Slopes between all buses would be a matrix of all by all. They are told by a factor, D = R R', which for many buses
leaves out what hardly counts: on a radial feeder D is one slope common to all and what losses on shared paths add, and
its eigenvalues fall fast. R comes from two products of D with some vectors (subspace iteration, then Nyström: Halko,
Martinsson, Tropp 2011), each a solve with the one sparse factorisation, and what is left out is positive semidefinite.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, NamedTuple

import numpy as np
import scipy.sparse as sp
from scipy.sparse.linalg import SuperLU, splu

from .arrays import BoolArray, FloatArray, IntArray
from .branch_flow import ConicProgram
from .cleared_period import ClearedPeriod
from .cone_rows import ConeRows
from .machines import Machines
from .near_limits import RowLimits
from .tangent import Tangent, TangentRows

STEEPEST = 1.0  # $/kWh per kW
_EXACT = 100
"""Between so many buses slopes are exact; between more by the `_RANK` directions in which they are the steepest."""
_RANK = 32
_NOISE = 1e-9  # of the steepest direction: flatter ones are left out
_LIMITS = ("p_flow ", "q_flow ", "voltage ", "current ", "p_gen ")
_MOST_LIMITS = 8
"""So many limits of a period are kept apart from the slopes, the nearest, or all that bind if those are more."""
_FELT = 1e-3
"""A limit that one kW changes by less, in kW per unit of the power base, is not in reach."""
_HELD = 1e10
"""Curvature of an elastic bid that is held."""
_AT_ONCE = 12
"""So many periods are solved at a time, or fewer where what is answered is more than `_CELLS` numbers."""
_CELLS = 200_000
_WIDE = 4_000
"""Where a period's answer is more numbers, finding them takes longer than threads wait for Python's lock."""


class _Pattern(NamedTuple):
    """Where entries of the system stand, its unknowns in an order that keeps factors sparse.

    Equations stay where they are: right-hand sides are laid out by them, and answers by `at`.

    Attributes:
        at: Where each unknown stands, (unknown,).
        slot: To which entry of the matrix each coefficient adds, (coefficient,).
        indices, starts: The matrix by columns.
    """

    at: IntArray
    slot: IntArray
    indices: IntArray
    starts: IntArray

    @classmethod
    def of(cls, rows: IntArray, cols: IntArray, filled: FloatArray, size: int) -> _Pattern:
        """That of coefficients at these places, (coefficient,) each; the order follows from the places alone."""
        at: IntArray = _factored(sp.csc_array((filled, (rows, cols)), (size, size)), "COLAMD").perm_c
        places, slot = np.unique(at[cols] * size + rows, return_inverse=True)
        return cls(at, slot, places % size, np.searchsorted(places, np.arange(size + 1) * size))


class SlopeSystem:
    """The KKT system of one program, its pattern laid out once and filled for every solution.

    Attributes:
        at_once: How many periods are best solved at a time.
        is_wide: Whether answers are so many numbers that pieces are worth a thread each.
    """

    def __init__(self, program: ConicProgram, buses: IntArray) -> None:
        """Lay out the system.

        Args:
            program: The program that is solved.
            buses: Between which buses slopes are wanted, (bus,).
        """
        self._base_kw = program.feeder.base_kw
        columns, matrix, self._cones = program.columns.count, sp.csr_array(program.matrix), ConeRows(program)
        self._bounds = np.concatenate([_rows(program, block.name) for block in program.blocks if _is_bound(block.cone)])
        others = np.concatenate([self._bounds, self._cones.rows.ravel()])
        equations = np.setdiff1d(np.arange(program.rhs.size), others)
        below, right, stated = _entries(matrix[equations])
        _, bounded, way = _entries(matrix[self._bounds])
        assert bounded.size == self._bounds.size, "a bound is of one column"
        assert (np.abs(way) == 1).all(), "and has it as it is, or its negative"
        of_cones = self._cones.places(columns + equations.size)
        diagonal, below = np.arange(columns), columns + below
        rows, cols = [diagonal, right, below, bounded, of_cones[0]], [diagonal, below, right, bounded, of_cones[1]]
        self._tangents = TangentRows(program) if program.tangent else None
        if self._tangents:
            line, at = columns + np.searchsorted(equations, self._tangents.rows), self._tangents.columns
            rows += [*at, *[line] * 3, *np.repeat(at, 3, axis=0)]
            cols += [*[line] * 3, *at, *np.tile(at, (3, 1))]
        quadratic = program.quadratic.copy()
        quadratic[program.columns.bid] = _HELD  # slopes are those of fixed bids, also where they were elastic
        self._fixed = np.concatenate([quadratic, stated, stated])
        self._size = columns + equations.size + len(self._cones.rows)
        self._places = np.hstack(rows), np.hstack(cols)
        self._pattern: _Pattern | None = None
        self._priced: IntArray = program.rows["active balance"].start + np.asarray(buses)
        self._balance = columns + np.searchsorted(equations, self._priced)
        limited = [_rows(program, block.name) for block in program.blocks if block.name.startswith(_LIMITS)]
        limits = np.concatenate(limited)
        self._limits = limits[np.isin(limits, self._bounds)]
        self._at_bound = np.searchsorted(self._bounds, self._limits)
        _, self._limited, self._way = _entries(matrix[self._limits])
        self._machines = Machines.of(program, self._limited)
        self._told = np.concatenate([self._balance, self._limited])
        self._exact = len(buses) <= _EXACT
        self._moves = np.eye(len(buses)) if self._exact else _probes(len(buses))
        numbers = self._size * self._moves.shape[1]
        self.at_once, self.is_wide = max(1, min(_AT_ONCE, _CELLS // numbers)), numbers > _WIDE

    def roots(self, periods: Sequence[ClearedPeriod]) -> list[FloatArray]:
        """Factors R of the slopes d LMP / d demand in some periods, (bus, rank); R R' is in $/kWh per kW."""
        return self._roots(self._factors(periods))[0]

    def with_limits(self, periods: Sequence[ClearedPeriod]) -> list[tuple[FloatArray, RowLimits | None]]:
        """Factors of the slopes without the limits that are kept apart, as `roots`, and the nearest of those."""
        wanted = [p.tangent is not None and p.solution.z[self._priced].min() < 0 for p in periods]
        if any(wanted):  # losses are wanted: multipliers of a concave cost do not say what is best
            some, rest = ([p for p, is_so in zip(periods, wanted, strict=True) if is_so == so] for so in (True, False))
            held, free = iter(self.roots(some)), iter(self.with_limits(rest) if rest else ())
            return [(next(held), None) if is_so else next(free) for is_so in wanted]
        apart = np.array([self._machines.apart(*self._at_limits(period)) for period in periods])
        factors = self._factors(periods, apart)
        roots, at_limits = self._roots(factors)
        return list(zip(roots, self._near(periods, factors, at_limits, apart), strict=True))

    def _at_limits(self, period: ClearedPeriod) -> tuple[FloatArray, FloatArray]:
        """How far limits are, and their multipliers, (limit,) each."""
        return period.solution.s[self._limits], period.solution.z[self._limits]

    def _roots(self, factors: _Factors) -> tuple[list[FloatArray], FloatArray]:
        """Factors of the slopes, and what orthonormal moves of demand do to limited columns, (move, period, limit)."""
        moved, at_limits = self._answer(factors, self._moves)
        if self._exact:
            steepness, directions = np.linalg.eigh((moved + moved.transpose(0, 2, 1)) / 2)
            return list(directions * np.sqrt(np.clip(steepness, 0.0, STEEPEST))[:, None, :]), at_limits
        basis = np.linalg.qr(moved)[0]
        moved, at_limits = self._answer(factors, basis)
        return [_nystroem(*each) for each in zip(basis, moved, strict=True)], at_limits

    def _answer(self, factors: _Factors, moves_kw: FloatArray) -> tuple[FloatArray, FloatArray]:
        """What moves of demand, (bus, move) in kW or (period, bus, move), do.

        Returns:
            To LMPs, D times them, (period, bus, move), and to the columns that are limited, (move, period, limit).
        """
        more = np.zeros((moves_kw.shape[-1], factors.blocks, self._size))
        more[:, :, self._balance] = -np.moveaxis(np.atleast_3d(moves_kw.T), -1, 1) / self._base_kw
        answer, buses = factors.solve(more, self._told), self._balance.size
        return answer[:, :, :buses].transpose(1, 2, 0), answer[:, :, buses:]

    def _near(
        self, periods: Sequence[ClearedPeriod], factors: _Factors, at_limits: FloatArray, apart: BoolArray
    ) -> list[RowLimits | None]:
        """The limits that bind, or that the demand there is could reach by moving to where they are felt the most.

        Of those that are kept apart, (period, limit); those of generators are in reach however far they are.
        """
        s, z = (np.array(side) for side in zip(*map(self._at_limits, periods), strict=True))
        felt = np.linalg.norm(at_limits, axis=0) * np.abs(self._way) * apart
        nearest = [self._nearest(*each) for each in zip(periods, s, z, felt, strict=True)]
        more = np.zeros((max(limits.size for limits in nearest), len(periods), self._size))
        for k, limits in enumerate(nearest):
            more[np.arange(limits.size), k, self._limited[limits]] = self._way[limits]
        answer = factors.solve(more, self._told).transpose(1, 2, 0)
        return [self._felt(*each) for each in zip(nearest, s, z, answer, strict=True)]

    def _nearest(self, period: ClearedPeriod, s: FloatArray, z: FloatArray, felt: FloatArray) -> IntArray:
        """Which limits of a period are near, by their places among all, from how one kW is felt there, (limit,)."""
        with np.errstate(divide="ignore"):
            away_kw = np.where(z > s, 0.0, s / felt)
        within_kw = np.where(self._machines.of_limit >= 0, np.inf, np.abs(period.demand_kw).sum())
        nearest = np.argsort(away_kw, kind="stable")[: max(_MOST_LIMITS, int((z > s).sum()))]
        nearest = np.union1d(nearest, np.flatnonzero(self._machines.of_limit >= 0))
        return nearest[(away_kw[nearest] <= within_kw[nearest]) & (felt[nearest] > _FELT / self._base_kw)]

    def _felt(self, nearest: IntArray, s: FloatArray, z: FloatArray, answer: FloatArray) -> RowLimits | None:
        """The limits of a period, and what they do to LMPs and to each other."""
        if not nearest.size:
            return None
        way, answer = self._way[nearest], answer[:, : nearest.size]
        effect = -answer[: self._balance.size] / self._base_kw
        per_kw = np.maximum(np.abs(effect).max(axis=0), _FELT / self._base_kw)
        give = way[:, None] * answer[self._balance.size + nearest] / self._base_kw / np.outer(per_kw, per_kw)
        room, directions = np.linalg.eigh((give + give.T) / 2)
        return RowLimits(
            effect / per_kw,
            (directions * np.maximum(room, 0.0)) @ directions.T,
            s[nearest] / per_kw,
            z[nearest] * self._base_kw * per_kw,
        )

    def _factors(self, periods: Sequence[ClearedPeriod], apart: BoolArray | None = None) -> _Factors:
        """The KKT systems at the solutions of some periods, factorised as one that falls into blocks.

        Args:
            periods: The periods, all solved by the program.
            apart: Which limits do not stay in them, (period, limit); all do by default.
        """
        s, z = (np.array([getattr(p.solution, side) for p in periods]) for side in "sz")
        bounds = z[:, self._bounds] / s[:, self._bounds]
        if apart is not None:
            bounds[:, self._at_bound] = np.where(apart, 0.0, bounds[:, self._at_bound])
        parts = zip(bounds, self._cones.entries(s, z), periods, strict=True)
        filled = [np.concatenate([self._fixed, *own, *self._bent(period.tangent)]) for *own, period in parts]
        self._pattern = self._pattern or _Pattern.of(*self._places, filled[0], self._size)
        return _Factors(filled, self._pattern)

    def _bent(self, tangent: Tangent | None) -> list[FloatArray]:
        """The coefficients of a tangent, twice, and what the cost bends by it, in the order of their places."""
        if tangent is None or self._tangents is None:
            return []
        entries = self._tangents.entries(tangent)
        return [*entries, *entries, *self._tangents.bends(tangent).reshape(9, -1)]


class _Factors:
    """Matrices of one pattern, factorised as the blocks of one.

    Each comes out as it would alone but for the last bits, which on some processors depend on what else is there.
    """

    def __init__(self, filled: Sequence[FloatArray], pattern: _Pattern) -> None:
        """Factorise the matrices of these coefficients, (coefficient,) each."""
        indices, starts = pattern.indices, pattern.starts
        self.blocks, self._at, size = len(filled), pattern.at, starts.size - 1
        entries = [np.bincount(pattern.slot, weights=one, minlength=indices.size) for one in filled]
        block = np.arange(self.blocks)[:, None]
        places = (indices + size * block).ravel()
        begin = np.append((starts[:-1] + indices.size * block).ravel(), self.blocks * indices.size)
        shape = (self.blocks * size, self.blocks * size)
        self._whole = _factored(sp.csc_array((np.concatenate(entries), places, begin), shape), "NATURAL")

    def solve(self, more: FloatArray, told: IntArray) -> FloatArray:
        """The answers to right-hand sides, (side, block, equation), of some unknowns: (side, block, unknown told)."""
        if not more.size:
            return np.zeros((*more.shape[:2], told.size))
        answer = np.asarray(self._whole.solve(more.reshape(len(more), -1).T)).T.reshape(more.shape)
        return answer[:, :, self._at[told]]


def _factored(matrix: sp.csc_array, order: Literal["COLAMD", "NATURAL"]) -> SuperLU:
    return splu(matrix, order, relax=4, panel_size=1)  # wide panels are of no use in so sparse a matrix


def _probes(buses: int) -> FloatArray:
    """What demand is moved by to see where slopes are steep, always the same: everywhere, and at random."""
    moves = np.random.default_rng(0).standard_normal((buses, _RANK))
    moves[:, 0] = 1.0
    return moves


def _nystroem(basis: FloatArray, moved: FloatArray) -> FloatArray:
    """A factor of the slopes that `moved` are of an orthonormal basis, (bus, direction) each, none above STEEPEST."""
    within = basis.T @ moved
    steepness, directions = np.linalg.eigh((within + within.T) / 2)
    kept = steepness > _NOISE * max(float(steepness[-1]), 0.0)
    root = moved @ (directions[:, kept] / np.sqrt(steepness[kept]))
    steepness, directions = np.linalg.eigh(root.T @ root)
    return np.asarray(root @ directions * np.sqrt(np.minimum(1.0, STEEPEST / np.maximum(steepness, _NOISE))))


def _rows(program: ConicProgram, name: str) -> IntArray:
    return np.arange(program.rows[name].start, program.rows[name].stop)


def _is_bound(cone: str) -> bool:
    return cone == "nonnegative"


def _entries(matrix: sp.csr_array) -> tuple[IntArray, IntArray, FloatArray]:
    """Rows, columns and values of what is not zero in a matrix, (entry,) each."""
    found = matrix.tocoo()
    rows, cols = (np.asarray(places, dtype=np.intp) for places in found.coords)
    return rows, cols, np.asarray(found.data, dtype=np.float64)
