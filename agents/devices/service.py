"""Whether devices can do what they must and leave their owner's loads served."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.sparse as sp

from ...network.arrays import FloatArray
from .fleet import Fleet

_NONE = 1e-9  # relative to what can be had


@dataclass(frozen=True, slots=True)
class Missing:
    """What is missing of an injection, whatever devices do.

    Attributes:
        kw: How much is missing in the worst period, where that is as little as it can be; below 0: what is too much.
        periods: Indices of the periods in one of which so much is missing at the least; one alone if it must be there.
    """

    kw: float
    periods: tuple[int, ...]


def missing(fleet: Fleet, least_kw: FloatArray, most_kw: FloatArray) -> Missing | None:
    """What is missing of an injection between two limits, or None.

    One linear program (HiGHS), unless devices that idle do already: it makes the largest that is missing as small as
    it can be. Its dual values, which add up to 1, weigh what is missing in periods to a mean that is never less.

    Args:
        fleet: Devices that have no `infeasibility`.
        least_kw, most_kw: What they are to inject together at least and at most, (period,).
    """
    idle = fleet.injection_kw(fleet.idle())
    if (idle >= least_kw).all() and (idle <= most_kw).all():
        return None
    from scipy.optimize import linprog  # which nobody needs whose devices idle

    periods, size = fleet.periods, fleet.columns * fleet.periods
    one, into, tied = sp.csr_array(np.ones((periods, 1))), fleet.injection_matrix, fleet.rows
    equal = fleet.row_low == fleet.row_high
    both = sp.csr_array(sp.hstack([tied, sp.csr_array((tied.shape[0], 1))]))
    below, above = np.isfinite(fleet.row_low) & ~equal, np.isfinite(fleet.row_high) & ~equal
    rows: Any = sp.vstack([sp.hstack([-into, -one]), sp.hstack([into, -one]), -both[below], both[above]], format="csr")
    found: Any = linprog(
        np.repeat([0.0, 1.0], [size, 1]),
        A_ub=rows,
        b_ub=np.concatenate([-least_kw, most_kw, -fleet.row_low[below], fleet.row_high[above]]),
        A_eq=both[equal],
        b_eq=fleet.row_low[equal],
        bounds=[*zip(fleet.low.ravel().tolist(), fleet.high.ravel().tolist(), strict=True), (0.0, None)],
    )
    if not found.success or found.x[-1] <= _NONE * max(1.0, float(np.abs(most_kw).max())):
        return None  # the solver's own trouble refuses nobody
    weights = -np.asarray(found.ineqlin.marginals)[: 2 * periods].reshape(2, periods)
    lacks, over = weights.sum(axis=1)
    worse = weights[0 if lacks >= over else 1]
    named = np.flatnonzero(worse > _NONE).tolist()
    return Missing(float(found.x[-1]) * (1 if lacks >= over else -1), tuple(named))
