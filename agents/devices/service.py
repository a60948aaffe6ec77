"""Whether devices can do what they must and leave their owner's loads served."""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.sparse as sp

from ...network.arrays import FloatArray
from .fleet import Fleet

_NONE = 1e-9  # relative to what can be had


def missing_kw(fleet: Fleet, least_kw: FloatArray, most_kw: FloatArray) -> FloatArray:
    """What is missing of an injection between two limits, (period,), at the least in all; below 0: what is too much.

    One linear program (HiGHS), unless devices that idle do already.

    Args:
        fleet: Devices that have no `infeasibility`.
        least_kw, most_kw: What they are to inject together at least and at most, (period,).
    """
    idle = fleet.injection_kw(fleet.idle())
    if (idle >= least_kw).all() and (idle <= most_kw).all():
        return np.zeros(fleet.periods)
    from scipy.optimize import linprog  # which nobody needs whose devices idle

    periods, size = fleet.periods, fleet.columns * fleet.periods
    one, nothing = sp.eye_array(periods), sp.csr_array((periods, periods))
    into = _injected(fleet)
    tied = fleet.rows
    room = sp.csr_array((tied.shape[0], 2 * periods))
    equal = fleet.row_low == fleet.row_high
    both = sp.csr_array(sp.hstack([tied, room]))
    below, above = np.isfinite(fleet.row_low) & ~equal, np.isfinite(fleet.row_high) & ~equal
    rows: Any = sp.vstack(
        [sp.hstack([-into, -one, nothing]), sp.hstack([into, nothing, -one]), -both[below], both[above]], format="csr"
    )
    found: Any = linprog(
        np.repeat([0.0, 1.0], [size, 2 * periods]),
        A_ub=rows,
        b_ub=np.concatenate([-least_kw, most_kw, -fleet.row_low[below], fleet.row_high[above]]),
        A_eq=both[equal],
        b_eq=fleet.row_low[equal],
        bounds=[
            *zip(fleet.low.ravel().tolist(), fleet.high.ravel().tolist(), strict=True),
            *[(0.0, None)] * (2 * periods),
        ],
    )
    if not found.success:
        return np.zeros(periods)  # the solver's own trouble refuses nobody
    short, over = np.split(np.asarray(found.x)[size:], 2)
    missing = short - over
    return np.where(np.abs(missing) > _NONE * np.maximum(1.0, np.abs(most_kw)), missing, 0.0)


def _injected(fleet: Fleet) -> sp.csr_array:
    """The matrix of `Fleet.injection_kw`, (period, column * period)."""
    cell = np.arange(fleet.columns * fleet.periods)
    return sp.csr_array(
        (fleet.injection.ravel(), (cell % fleet.periods, cell)), shape=(fleet.periods, fleet.columns * fleet.periods)
    )
