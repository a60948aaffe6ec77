"""How little would have to give way for a period to be carried: the same program with some of its rows relaxed.

Relaxing row i means `(Ax + s)_i = b_i + y_i` with y_i >= 0 at a price. On the balance (2) of a bus y is load taken
away, on a limit it is a higher rating, a lower voltage limit, and so on.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import scipy.sparse as sp

from ..ac_flow import RadialFlow
from ..arrays import FloatArray, IntArray
from ..branch_flow import ConicProgram, RowBlock
from ..linearised import LinearisedProgram
from ..solver import CompiledProgram, ConicSolution


@dataclass(frozen=True, slots=True)
class Relaxation:
    """Rows that may give way, each at its price and up to its cap; arrays are (relaxed row,).

    Attributes:
        rows: which rows of the program.
        signs: +1 where the right-hand side grows (a limit gives way, load is taken away), -1 where it shrinks.
        prices: what a unit (pu) costs, $/kWh.
        caps: the most it may give way, pu; inf where nothing stops it.
    """

    rows: IntArray
    signs: FloatArray
    prices: FloatArray
    caps: FloatArray

    def only(self, chosen: IntArray) -> Relaxation:
        """The same for some of the rows, chosen by their place in `rows`."""
        return Relaxation(self.rows[chosen], self.signs[chosen], self.prices[chosen], self.caps[chosen])


def least_relief(program: ConicProgram, rhs: FloatArray, relaxation: Relaxation) -> FloatArray | None:
    """How far each row gives way at the least cost, (relaxed row,), pu; None where even that does not help.

    A program with tangents (5') is relieved in the AC equations.

    Args:
        program: the program without shortage slack.
        rhs: its right-hand side, (row,).
        relaxation: what may give way.
    """
    count = relaxation.rows.size
    if not count:
        return None
    extended = _extended(replace(program, blocks=_with_rhs(program, rhs)), relaxation)
    found = solution_of(extended, extended.rhs)
    return None if found is None else np.maximum(found.x[-count:], 0.0)


def solution_of(program: ConicProgram, rhs: FloatArray) -> ConicSolution | None:
    """The solution of a program, or None where there is none."""
    if program.tangent:
        found, _, exact = LinearisedProgram(program, RadialFlow(program.feeder)).solve(rhs)
        return found if exact else None
    found = CompiledProgram(program).solve(rhs)
    return found if found.solved else None


def _with_rhs(program: ConicProgram, rhs: FloatArray) -> tuple[RowBlock, ...]:
    return tuple(replace(block, rhs=rhs[program.rows[block.name]]) for block in program.blocks)


def _extended(program: ConicProgram, relaxation: Relaxation) -> ConicProgram:
    """The program with one more column y per relaxed row, and 0 <= y <= cap."""
    count, rows = relaxation.rows.size, program.rhs.size
    give = sp.csr_array((-relaxation.signs, (relaxation.rows, np.arange(count))), shape=(rows, count))
    blocks = [
        replace(block, matrix=sp.csr_array(sp.hstack([block.matrix, give[program.rows[block.name]]])))
        for block in program.blocks
    ]
    y = sp.csr_array(sp.hstack([sp.csr_array((count, program.linear.size)), sp.eye_array(count)]))
    capped = np.flatnonzero(np.isfinite(relaxation.caps))
    blocks.append(RowBlock("relief lower", "nonnegative", sp.csr_array(-y), np.zeros(count)))
    blocks.append(RowBlock("relief upper", "nonnegative", y[capped], relaxation.caps[capped]))
    return replace(
        program,
        quadratic=np.append(program.quadratic, np.zeros(count)),
        linear=np.append(program.linear, relaxation.prices),
        blocks=tuple(blocks),
    )
