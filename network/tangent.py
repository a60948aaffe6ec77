"""(5'): what the current of a line has to do with its flow, to first order around an AC flow."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .arrays import FloatArray, IntArray
from .branch_flow import ConicProgram


@dataclass(frozen=True, slots=True, eq=False)
class Tangent:
    """l = (2 P0/u0) P + (2 Q0/u0) Q - (l0/u0) u of one period, and how much the cost bends; (curved line,) each.

    Attributes:
        p_flow, q_flow, sending: P0, Q0 and u0: the flow that it is taken at, per unit.
        bend: What (dP - (P/u) du)² and (dQ - (Q/u) du)² cost, twice: 2 gamma of the components; below 0 where power is
            worth less than nothing, and losses are wanted.
    """

    p_flow: FloatArray
    q_flow: FloatArray
    sending: FloatArray
    bend: FloatArray

    @property
    def p(self) -> FloatArray:
        """The coefficient of P."""
        return 2 * self.p_flow / self.sending


class TangentRows:
    """Where tangents stand in the rows of a program, and what they put there.

    Attributes:
        rows: The row of each, (curved line,).
        columns: The columns of P, Q and v_m of its line, (3, curved line); u = v_m / tap².
    """

    def __init__(self, program: ConicProgram) -> None:
        """Look them up in a program with tangents."""
        columns, curved, feeder = program.columns, program.curved, program.feeder
        rows = program.rows["tangent"]
        self.rows: IntArray = np.arange(rows.start, rows.stop)
        self.columns: IntArray = np.stack(
            [
                columns.p_flow.start + curved,
                columns.q_flow.start + curved,
                columns.voltage.start + feeder.parent[1:][curved],
            ]
        )
        self._per_voltage = feeder.tap[1:][curved] ** -2

    def entries(self, tangent: Tangent) -> FloatArray:
        """The coefficients of P, Q and v_m in these rows, where l stands with 1, (3, curved line)."""
        p0, q0, u0 = tangent.p_flow, tangent.q_flow, tangent.sending
        return np.stack([-2 * p0 / u0, -2 * q0 / u0, (p0**2 + q0**2) / u0**2 * self._per_voltage])

    def bends(self, tangent: Tangent) -> FloatArray:
        """The Hessian of what the losses cost in P, Q and v_m of each line, as far as convex, (3, 3, curved line)."""
        slope = self.entries(tangent) / 2
        along = np.zeros((2, 3, tangent.bend.size))  # dP - (P/u) du and dQ - (Q/u) du
        along[0, 0] = along[1, 1] = 1.0
        along[:, 2] = slope[:2] * self._per_voltage
        return np.asarray(np.einsum("kil,kjl->ijl", along, along) * np.maximum(tangent.bend, 0.0))
