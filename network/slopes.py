"""How the LMPs move with the demand: the exact slopes of a cleared period, from the KKT system of its conic program.

At the solution (x, s, z) the program answers a small change db of its right-hand side by

    [ P   A'  ] [dx]   [ 0]
    [ A  -W^2 ] [dz] = [db]

where W^2, block by block of the cones, says how s follows z: 0 for equations, s/z for bounds, and for a second-order
cone eta^2 (2 w w' - J), the Nesterov-Todd scaling. db is one more kW asked for at a bus, dz on the active balances is
what that does to every LMP. The matrix is symmetric positive semidefinite: it is the Hessian of the optimal cost.

Where a period was solved along tangents (5'), the curvature of the losses, which its rows leave out, stands in P, and
the slopes are those of the AC problem as far as that is convex.

An interior point stops where s and z of a cone are within 1e-9 of the cone's surface but not equally near, and then
the scaling between them is off by as much as a quarter, and the slopes with it. So both are first put at one common
distance from the surface, in the direction that they share; away from bends finite differences then agree to
about 1e-5.

Where a limit just binds, neither s nor z of it is far from zero and the slopes are anything between those of the two
sides, or have no bound where demand cannot grow at all. They are kept between 0 and STEEPEST, in every direction.

Slopes between all buses would be a matrix of all by all. They are told by a factor, D = R R', which for many buses
leaves out what hardly counts: on a radial feeder D is one slope common to all and what losses on shared paths add, and
its eigenvalues fall fast. R comes from two products of D with some vectors (subspace iteration, then Nyström: Halko,
Martinsson, Tropp 2011), each a solve with the one sparse factorisation, and what is left out is positive semidefinite.
"""

from __future__ import annotations

import numpy as np
import scipy.sparse as sp
from scipy.sparse.linalg import SuperLU, splu

from .arrays import FloatArray, IntArray
from .branch_flow import CONE_ROWS, ConicProgram
from .cleared_period import ClearedPeriod
from .near_limits import RowLimits
from .tangent import Tangent, TangentRows

_REFLECTION = np.diag([1.0, *[-1.0] * (CONE_ROWS - 1)])  # J
STEEPEST = 1.0  # $/kWh per kW
_EXACT = 100
"""Between so many buses slopes are exact; between more by the `_RANK` directions in which they are the steepest."""
_RANK = 32
_NOISE = 1e-9  # of the steepest direction: flatter ones are left out
_LIMITS = ("p_flow ", "q_flow ", "voltage ", "current ")
_MOST_LIMITS = 8
"""So many limits of a period are kept apart from the slopes, the nearest, or all that bind if those are more."""
_FELT = 1e-3
"""A limit that one kW changes by less, in kW per unit of the power base, is not in reach."""
_OUT = 1e10
"""In the place of s / z, for a row that is taken out."""
_HELD = 1e10
"""Curvature of an elastic bid that is held."""
_NEAREST = 1e-13  # to the surface of a cone, as a fraction of its axis


class SlopeSystem:
    """The KKT system of one program, its pattern laid out once and filled for every solution."""

    def __init__(self, program: ConicProgram, buses: IntArray) -> None:
        """Lay out the system.

        Args:
            program: The program that is solved.
            buses: Between which buses slopes are wanted, (bus,).
        """
        self._program = program
        columns = program.columns.count
        below, right = (np.asarray(place, dtype=np.intp) for place in program.matrix.tocoo().coords)
        self._bounds = np.concatenate([_rows(program, block.name) for block in program.blocks if _is_bound(block.cone)])
        self._cones = np.zeros((0, CONE_ROWS), dtype=np.intp)
        if not program.tangent:
            self._cones = _rows(program, "cone").reshape(-1, CONE_ROWS)
        within = (np.repeat(self._cones, CONE_ROWS, axis=1).ravel(), np.tile(self._cones, CONE_ROWS).ravel())
        diagonal = np.arange(columns)
        rows: list[IntArray] = [diagonal, right, columns + below, columns + self._bounds, columns + within[0]]
        cols: list[IntArray] = [diagonal, columns + below, right, columns + self._bounds, columns + within[1]]
        self._tangents = TangentRows(program) if program.tangent else None
        if self._tangents:
            line, at = columns + self._tangents.rows, self._tangents.columns
            rows += [*at, *[line] * 3, *np.repeat(at, 3, axis=0)]
            cols += [*[line] * 3, *at, *np.tile(at, (3, 1))]
        entries = program.matrix.tocoo().data
        quadratic = program.quadratic.copy()
        quadratic[program.columns.bid] = _HELD  # slopes are those of fixed bids, also where they were elastic
        self._fixed = np.concatenate([quadratic, entries, entries])
        size = columns + program.rhs.size
        places, self._slot = np.unique(np.hstack(cols) * size + np.hstack(rows), return_inverse=True)
        self._indices = places % size
        self._starts = np.searchsorted(places, np.arange(size + 1) * size)
        self._balance = columns + program.rows["active balance"].start + np.asarray(buses)
        limited = [_rows(program, block.name) for block in program.blocks if block.name.startswith(_LIMITS)]
        limits = np.concatenate(limited)
        self._limits = limits[np.isin(limits, self._bounds)]
        self._is_limit = np.isin(self._bounds, self._limits)
        bounded = sp.csr_array(program.matrix)[self._limits].tocoo()  # a limit bounds one column
        assert bounded.nnz == self._limits.size, "limits are of one column each"
        self._limited, self._way = np.asarray(bounded.coords[1], dtype=np.intp), np.asarray(bounded.data)
        self._exact = len(buses) <= _EXACT
        self._moves = np.eye(len(buses)) if self._exact else _probes(len(buses))

    def root(self, period: ClearedPeriod) -> FloatArray:
        """A factor R of the slopes d LMP / d demand in a period, (bus, rank); R R' is in $/kWh per kW."""
        return self._root(_factors(self._matrix(period)))[0]

    def with_limits(self, period: ClearedPeriod) -> tuple[FloatArray, RowLimits | None]:
        """A factor of the slopes without limits of flows, voltages and currents, as `root`, and the nearest limits."""
        if period.tangent is not None and period.solution.z[self._balance].min() < 0:
            return self.root(period), None  # losses are wanted: multipliers of a concave cost do not say what is best
        factors = _factors(self._matrix(period, limits_hold=False))
        root, moves = self._root(factors)
        return root, self._near(period, factors, moves)

    def _root(self, factors: SuperLU) -> tuple[FloatArray, FloatArray]:
        """A factor of the slopes, and what orthonormal moves of demand do to the columns of the program."""
        answer = self._answer(factors, self._moves)
        moved = answer[self._balance]
        if self._exact:
            steepness, directions = np.linalg.eigh((moved + moved.T) / 2)
            return np.asarray(directions * np.sqrt(np.clip(steepness, 0.0, STEEPEST))), answer
        basis = np.linalg.qr(moved)[0]
        answer = self._answer(factors, basis)
        return _nystroem(basis, answer[self._balance]), answer

    def _answer(self, factors: SuperLU, moves_kw: FloatArray) -> FloatArray:
        """What moves of demand, (bus, move) in kW, do to all unknowns; to LMPs it is D times the moves."""
        more = np.zeros((self._starts.size - 1, moves_kw.shape[1]), order="F")
        more[self._balance] = -moves_kw / self._program.feeder.base_kw
        return np.asarray(factors.solve(more))

    def _near(self, period: ClearedPeriod, factors: SuperLU, moves: FloatArray) -> RowLimits | None:
        """The limits that bind, or that the demand there is could reach by moving to where they are felt the most."""
        solution, program = period.solution, self._program
        base_kw = program.feeder.base_kw
        s, z = solution.s[self._limits], solution.z[self._limits]
        felt = np.linalg.norm(moves[self._limited], axis=1) * np.abs(self._way)
        with np.errstate(divide="ignore"):
            away_kw = np.where(z > s, 0.0, s / felt)
        within_kw = float(np.abs(period.demand_kw).sum())
        nearest = np.argsort(away_kw, kind="stable")[: max(_MOST_LIMITS, int((z > s).sum()))]
        nearest = np.sort(nearest[(away_kw[nearest] <= within_kw) & (felt[nearest] > _FELT / base_kw)])
        if not nearest.size:
            return None
        limited, way = self._limited[nearest], self._way[nearest]
        more = np.zeros((self._starts.size - 1, nearest.size), order="F")
        more[limited, np.arange(nearest.size)] = way
        answer = factors.solve(more)
        effect = -answer[self._balance] / base_kw
        per_kw = np.maximum(np.abs(effect).max(axis=0), _FELT / base_kw)
        give = way[:, None] * answer[limited] / base_kw / np.outer(per_kw, per_kw)
        room, directions = np.linalg.eigh((give + give.T) / 2)
        return RowLimits(
            effect / per_kw,
            (directions * np.maximum(room, 0.0)) @ directions.T,
            s[nearest] / per_kw,
            z[nearest] * base_kw * per_kw,
        )

    def _matrix(self, period: ClearedPeriod, *, limits_hold: bool = True) -> sp.csc_array:
        """The KKT matrix at the solution of a period, with limits of flows, voltages and currents or without."""
        solution = period.solution
        bounds = solution.s[self._bounds] / solution.z[self._bounds]
        if not limits_hold:
            bounds[self._is_limit] = _OUT
        cones = _scaling(solution.s[self._cones], solution.z[self._cones])
        filled = np.concatenate([self._fixed, -bounds, -cones.ravel(), *self._bent(period.tangent)])
        entries = np.bincount(self._slot, weights=filled, minlength=self._indices.size)  # those of one place add up
        size = self._starts.size - 1
        return sp.csc_array((entries, self._indices, self._starts), (size, size))

    def _bent(self, tangent: Tangent | None) -> list[FloatArray]:
        """The coefficients of a tangent, twice, and what the cost bends by it, in the order of their places."""
        if tangent is None or self._tangents is None:
            return []
        entries = self._tangents.entries(tangent)
        return [*entries, *entries, *self._tangents.bends(tangent).reshape(9, -1)]


def _factors(matrix: sp.csc_array) -> SuperLU:
    return splu(matrix, relax=4, panel_size=1)  # wide panels are of no use in so sparse a matrix


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


def _scaling(s: FloatArray, z: FloatArray) -> FloatArray:
    """W^2 of second-order cones, (cone, 4, 4), from their s and z, (cone, 4), centred first."""
    length_s, length_z = (np.linalg.norm(side[:, 1:], axis=1) for side in (s, z))
    distance = np.sqrt(_distance(s, length_s) * _distance(z, length_z))
    opposed = s[:, 1:] / length_s[:, None] - z[:, 1:] / length_z[:, None]
    direction = opposed / np.linalg.norm(opposed, axis=1)[:, None]
    # s = s0 (1, r u) and z = z0 (1, -r u) with r = 1 - distance give eta^2 = s0 / z0 and w = (1, r u) / sqrt(1 - r^2)
    w = np.hstack([np.ones_like(distance)[:, None], (1.0 - distance)[:, None] * direction])
    outer = w[:, :, None] * w[:, None, :] / (distance * (2.0 - distance))[:, None, None]
    return np.asarray((s[:, 0] / z[:, 0])[:, None, None] * (2.0 * outer - _REFLECTION))


def _distance(side: FloatArray, length: FloatArray) -> FloatArray:
    """How far from the surface of the cone, as a fraction of its axis, (cone,)."""
    return np.asarray(np.maximum(1.0 - length / side[:, 0], _NEAREST))
