"""A period cleared to an AC solution: successive linearisation around AC flows.

The cone (5) says only that a line carries no less current than its flow needs. Where power is worth nothing or less it
may carry more on paper, and burn what nobody wants. Here l u = P² + Q² itself is held, by its tangent at an AC flow,

    l = (2 P0/u0) P + (2 Q0/u0) Q - (l0/u0) u                                                       (5')

A round solves the convex quadratic program with (5'), takes what it makes every bus draw, and finds the AC flow of that
(`ac_flow`), at which the next tangent is taken. The cost of a round bends as the Lagrangian does: gamma (2/u) of the
loss terms (dP - (P0/u0) du)² and so on, left out where gamma is below 0. So this is sequential quadratic programming
with the exact curvature where that is convex, and at rest its multipliers are the prices of the AC problem: the KKT
conditions are the same. It is a local optimum: the AC problem is not convex.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp

from .ac_flow import AcFlow, RadialFlow
from .arrays import FloatArray, IntArray
from .branch_flow import ConicProgram
from .solver import ConicSolution, Cost, Solvers
from .tangent import Tangent, TangentRows

_MOST_ROUNDS = 60
_AT_REST_PU = 2e-9
"""By how much flows and voltages of a program may differ from the AC flow of what it makes every bus draw."""
_UNDAMPED = 6
"""Rounds before steps are damped."""
_DAMPING, _MOST_DAMPING = 1e-2, 1e2
_NO_PULL = 1e-6
"""$/kWh: with no more pull towards the injections of the round before, a damped solution is one without damping."""
_HALVINGS = 12


@dataclass(frozen=True, slots=True)
class Drawn:
    """What every bus draws net of its generation, per unit, (bus, 1) each."""

    p: FloatArray
    q: FloatArray

    def between(self, other: Drawn | None, share: float) -> Drawn:
        """A share of the way from another one (from nothing, if there is none) to this."""
        p, q = (other.p, other.q) if other else (0.0, 0.0)
        return Drawn(p + share * (self.p - p), q + share * (self.q - q))


class LinearisedProgram:
    """A program with tangents, compiled once and solved in rounds; see the module."""

    def __init__(self, program: ConicProgram, flow: RadialFlow) -> None:
        """Lay out the pattern.

        Args:
            program: With `tangent`.
            flow: The AC flow of its feeder.
        """
        self.program, self._flow = program, flow
        columns, matrix = program.columns, program.matrix.tocoo()
        self._tangents = TangentRows(program)
        below, right = (np.asarray(place, dtype=np.intp) for place in matrix.coords)
        rows = np.concatenate([below, *[self._tangents.rows] * 3])
        cols = np.concatenate([right, *self._tangents.columns])
        self._fixed = matrix.data
        order = np.arange(1.0, rows.size + 1.0)
        self._pattern = sp.csc_array((order, (rows, cols)), shape=program.matrix.shape)
        self._slots = self._pattern.data.astype(np.intp) - 1
        damped = [columns.p_gen, columns.q_gen, columns.bid]
        self._damped: IntArray = np.concatenate([np.arange(span.start, span.stop) for span in damped])
        ones = np.ones(program.curved.size)
        everywhere = Tangent(ones, ones, ones, ones)
        self._solvers = Solvers(program, _diagonal(program.quadratic), self._matrix(everywhere))

    def _matrix(self, tangent: Tangent) -> sp.csc_array:
        """A with a tangent in it."""
        filled = np.concatenate([self._fixed, *self._tangents.entries(tangent)])
        return sp.csc_array((filled[self._slots], self._pattern.indices, self._pattern.indptr), self._pattern.shape)

    def solve(
        self, rhs: FloatArray, cost: Cost | None = None, start: Tangent | None = None
    ) -> tuple[ConicSolution, Tangent, bool]:
        """The solution, its tangent, and whether rounds have come to rest; see that it is `solved`, too.

        Args:
            rhs: The right-hand side, (row,).
            cost: Another cost than the program's.
            start: The first tangent; that of no flow at all by default.
        """
        cost = cost or Cost(self.program.quadratic, self.program.linear)
        tangent, around = start or self._at_no_flow, np.zeros(self.program.linear.size)
        here: Drawn | None = None
        damping = 0.0
        for number in range(_MOST_ROUNDS):
            found = self._round(rhs, cost, tangent, damping * around, damping)
            if not found.solved:
                return found, tangent, False
            there = self._drawn(found.x, rhs)
            flow = self._flow.solve(there.p, there.q)
            pull = damping * np.abs(found.x - around)[self._damped].max(initial=0.0)
            at_rest = flow.solved.all() and self._missed(found.x, flow) <= _AT_REST_PU
            if at_rest and pull <= _NO_PULL:
                return found, tangent, True
            if number >= _UNDAMPED and not at_rest:
                damping = min(max(damping * 3.0, _DAMPING), _MOST_DAMPING)
            for _ in range(_HALVINGS):
                if flow.solved.all():
                    break
                there = there.between(here, 0.5)
                flow = self._flow.solve(there.p, there.q)
            else:
                return found, tangent, False
            here, tangent, around = there, self._tangent(flow, found.z), found.x
        return found, tangent, False

    def step(self, rhs: FloatArray, cost: Cost, start: Tangent) -> tuple[ConicSolution, Tangent | None]:
        """One round from a tangent, and the tangent at the flow that it leads to; None if there is no such flow."""
        found = self._round(rhs, cost, start, np.zeros_like(cost.linear), 0.0)
        if not found.solved:
            return found, None
        drawn = self._drawn(found.x, rhs)
        flow = self._flow.solve(drawn.p, drawn.q)
        return found, self._tangent(flow, found.z) if flow.solved.all() else None

    @property
    def _at_no_flow(self) -> Tangent:
        none = np.zeros(self.program.curved.size)
        return Tangent(none, none, none + 1.0, none)

    def _round(self, rhs: FloatArray, cost: Cost, tangent: Tangent, pull: FloatArray, damping: float) -> ConicSolution:
        quadratic, linear = cost.quadratic.copy(), cost.linear.copy()
        bend = np.maximum(tangent.bend, 0.0)
        for at, flow in zip(self._tangents.columns[:2], (tangent.p_flow, tangent.q_flow), strict=True):
            quadratic[at] += bend
            linear[at] -= bend * flow
        quadratic[self._damped] += damping
        linear[self._damped] -= pull[self._damped]
        return self._solvers.solve(P=_diagonal(quadratic), q=linear, A=self._matrix(tangent), b=rhs)

    def _drawn(self, x: FloatArray, rhs: FloatArray) -> Drawn:
        p, q = self.program.drawn(x, rhs)
        return Drawn(p[:, None], q[:, None])

    def _missed(self, x: FloatArray, flow: AcFlow) -> float:
        columns = self.program.columns
        pairs = (
            (x[columns.p_flow], flow.p_flow[1:, 0]),
            (x[columns.q_flow], flow.q_flow[1:, 0]),
            (x[columns.voltage], flow.voltage[:, 0]),
        )
        return max(float(np.abs(one - other).max(initial=0.0)) for one, other in pairs)

    def _tangent(self, flow: AcFlow, z: FloatArray) -> Tangent:
        lines = self.program.curved + 1
        u = flow.sending[lines, 0]
        bend = -2 * z[self.program.rows["tangent"]] / u  # the multiplier is -gamma u
        return Tangent(flow.p_flow[lines, 0], flow.q_flow[lines, 0], u, bend)


def _diagonal(values: FloatArray) -> sp.csc_array:
    """A diagonal matrix with all of its entries, zeros too."""
    size = values.size
    return sp.csc_array((values, np.arange(size), np.arange(size + 1)), shape=(size, size))
