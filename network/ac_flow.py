"""The AC power flow of a radial feeder by backward-forward sweeps, for all periods at once (Shirmohammadi et al. 1988).

Given what every bus draws, two steps are repeated until voltages rest: currents are added up from the leaves to the
root, voltages drop from the root to the leaves. Nothing is relaxed here: it is what a dispatch is held against, and
what its linearisation is taken from. pandapower's Newton-Raphson power flow is its oracle in the tests.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields

import numpy as np
import scipy.sparse as sp
from scipy.sparse.linalg import splu

from .arrays import BoolArray, ComplexArray, FloatArray
from .feeder import Feeder
from .per_unit import charging_pu, impedances_pu

_MOST_SWEEPS = 300
_AT_REST = 1e-13
_COLLAPSED_PU = 0.05
_DENSE = 300
"""Up to so many buses one product with the impedances between all of them is quicker than going through the tree."""

Sums = Callable[[ComplexArray], ComplexArray]


@dataclass(frozen=True, slots=True)
class AcFlow:
    """An AC power flow, per unit; arrays are (bus, period), those of lines at the bus that the line feeds.

    Attributes:
        voltage: v, squared.
        sending: u of the line, squared: the voltage at its sending end, behind the tap.
        p_flow, q_flow: P and Q into the line at its sending end.
        current: l, squared.
        p_root, q_root: What the root takes from above, or from generators there, for all this, (period,).
        solved: Where there is such a flow, (period,); all else is nan where there is none.
    """

    voltage: FloatArray
    sending: FloatArray
    p_flow: FloatArray
    q_flow: FloatArray
    current: FloatArray
    p_root: FloatArray
    q_root: FloatArray
    solved: BoolArray

    def period(self, t: int) -> AcFlow:
        """One period alone, (bus, 1)."""
        return AcFlow(*(getattr(self, cell.name)[..., [t]] for cell in fields(self)))


class RadialFlow:
    """The power flow of one feeder; its tree is laid out once."""

    def __init__(self, feeder: Feeder) -> None:
        """Lay out the tree of a feeder."""
        r, x = impedances_pu(feeder)
        count, parent = len(feeder.buses), feeder.parent[1:]
        self._z = (r + 1j * x)[:, None]
        self._shunt = 1j * charging_pu(feeder)[:, None]
        self._tap, self._parent = feeder.tap[1:, None], parent
        self._root_voltage = feeder.root_voltage_pu
        line = np.arange(1, count)
        coupled = sp.csc_array((1.0 / feeder.tap[1:], (parent, line)), shape=(count, count))
        tree = sp.csc_array(sp.eye_array(count) - coupled)
        self._collect, self._hand_down = _tree_solver(tree), _tree_solver(sp.csc_array(tree.T))
        root = np.zeros((count, 1), dtype=complex)
        root[0] = self._root_voltage
        self._flat = self._hand_down(root)
        self._dense = None
        if count <= _DENSE:
            self._dense = self._hand_down(self._z * self._collect(np.eye(count, dtype=complex)))

    def solve(self, p_pu: FloatArray, q_pu: FloatArray) -> AcFlow:
        """The flow when every bus but the root draws this much net of its generation, (bus, period), per unit."""
        drawn = p_pu + 1j * q_pu
        voltage = np.broadcast_to(self._flat, drawn.shape)
        with np.errstate(all="ignore"):  # where there is no solution numbers grow without bound
            for _ in range(_MOST_SWEEPS):
                before, size = voltage, np.abs(voltage)
                voltage = self._flat - self._drop(np.conj(drawn / voltage) + self._shunt * voltage)
                moved = np.abs(voltage - before).max(axis=0)
                stands = size.min(axis=0) > _COLLAPSED_PU
                if not ((moved > _AT_REST) & stands).any():
                    break
            solved = (moved <= 1e3 * _AT_REST) & stands
            into = self._collect(np.conj(drawn / voltage) + self._shunt * voltage)
            return self._flow(np.where(solved, voltage, np.nan), np.where(solved, into, np.nan), solved)

    def _drop(self, current: ComplexArray) -> ComplexArray:
        """By how much voltages fall when buses draw these currents, both (bus, period)."""
        if self._dense is not None:
            return np.asarray(self._dense @ current)
        return self._hand_down(self._z * self._collect(current))

    def _flow(self, voltage: ComplexArray, into: ComplexArray, solved: BoolArray) -> AcFlow:
        sending = voltage[self._parent] / self._tap
        flow = sending * np.conj(into[1:])
        none = np.zeros_like(into[:1].real)
        root = voltage[0] * np.conj(into[0])
        return AcFlow(
            voltage=np.abs(voltage) ** 2,
            sending=np.vstack([none, np.abs(sending) ** 2]),
            p_flow=np.vstack([none, flow.real]),
            q_flow=np.vstack([none, flow.imag]),
            current=np.vstack([none, np.abs(into[1:]) ** 2]),
            p_root=root.real,
            q_root=root.imag,
            solved=solved,
        )


def _tree_solver(tree: sp.csc_array) -> Sums:
    """Products with the inverse of a sparse triangular matrix, which fills in nothing."""
    factors = splu(tree)

    def solve(values: ComplexArray) -> ComplexArray:
        width = values.shape[1]
        both: FloatArray = factors.solve(np.hstack([values.real, values.imag]))
        return np.asarray(both[:, :width] + 1j * both[:, width:])

    return solve
