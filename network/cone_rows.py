"""What second-order cones ask of small changes at a solution: their part of the KKT system that slopes come from.

Of a cone, A dx = W^2 dz with W^2 = eta^2 (2 w w' - J), the Nesterov-Todd scaling. With s = s0 (1, r u) and
z = z0 (1, -r u) its eigenvalues are eta^2 (1 - r) / (1 + r) along (1, -u), across the surface, the inverse of that
fraction along (1, u), and eta^2 = s0 / z0 along the surface. Near the surface the first is next to nothing, so there
the cone stays an equation; dz of all else is W^-2 A dx, which makes A' W^-2 A beside the quadratic of the cost.

An interior point stops where s and z are within 1e-9 of the cone's surface but not equally near, and then the scaling
between them is off by as much as a quarter, and the slopes with it. So both are first put at one common distance from
the surface, in the direction that they share.
"""

from __future__ import annotations

import numpy as np
import scipy.sparse as sp

from .arrays import FloatArray, IntArray
from .branch_flow import CONE_ROWS, ConicProgram

_NEAREST = 1e-13  # to the surface of a cone, as a fraction of its axis


class ConeRows:
    """The second-order cones of a program; none where it goes along tangents.

    Attributes:
        rows: The rows of each in the program, (cone, 4).
    """

    def __init__(self, program: ConicProgram) -> None:
        """Look them up."""
        span = slice(0, 0) if program.tangent else program.rows["cone"]
        self.rows: IntArray = np.arange(span.start, span.stop).reshape(-1, CONE_ROWS)
        stated, width = sp.csr_array(program.matrix)[span].tocoo(), program.columns.count
        cone, row = np.divmod(stated.coords[0], CONE_ROWS)
        found, place = np.unique(cone.astype(np.intp) * width + stated.coords[1], return_inverse=True)
        self._columns: IntArray = (found % width).reshape(-1, CONE_ROWS)  # P, Q, l and v_m of its line
        self._matrix = np.zeros((len(self.rows), CONE_ROWS, CONE_ROWS))
        self._matrix[cone, row, place % CONE_ROWS] = stated.data

    def places(self, first: int) -> tuple[IntArray, IntArray]:
        """Row and column of each of its `entries` in the KKT system, where its equations are the last, from `first`."""
        columns, across = self._columns, np.arange(first, first + len(self.rows))
        each = np.repeat(across, CONE_ROWS)
        beside = np.repeat(columns, CONE_ROWS, axis=1).ravel(), np.tile(columns, CONE_ROWS).ravel()
        rows, cols = (beside[0], each, columns.ravel(), across), (beside[1], columns.ravel(), each, across)
        return np.concatenate(rows), np.concatenate(cols)

    def entries(self, s: FloatArray, z: FloatArray) -> FloatArray:
        """What they put there at solutions, s and z (period, row): (period, coefficient)."""
        s, z = s[:, self.rows], z[:, self.rows]
        length_s, length_z = (np.linalg.norm(side[..., 1:], axis=-1) for side in (s, z))
        distance = np.sqrt(_distance(s, length_s) * _distance(z, length_z))
        opposed = s[..., 1:] / length_s[..., None] - z[..., 1:] / length_z[..., None]
        u = opposed / np.linalg.norm(opposed, axis=-1)[..., None]
        normal, other = (np.insert(way * u, 0, 1.0, axis=-1) / np.sqrt(2.0) for way in (-1.0, 1.0))
        small = distance / (2.0 - distance)
        along = small[..., None, None] * other[..., :, None] * other[..., None, :]
        along[..., 1:, 1:] += np.eye(CONE_ROWS - 1) - u[..., :, None] * u[..., None, :]
        along *= (z[..., 0] / s[..., 0])[..., None, None]
        beside = np.swapaxes(self._matrix, 1, 2) @ along @ self._matrix
        equations = normal[..., None, :] @ self._matrix
        parts = beside, equations, equations, -s[..., 0] / z[..., 0] * small
        return np.concatenate([part.reshape(len(s), -1) for part in parts], axis=1)


def _distance(side: FloatArray, length: FloatArray) -> FloatArray:
    """How far from the surface of the cone, as a fraction of its axis, (..., cone)."""
    return np.asarray(np.maximum(1.0 - length / side[..., 0], _NEAREST))
