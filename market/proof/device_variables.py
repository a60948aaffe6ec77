"""The devices of all households in cvxpy, from their blocks: for the central problems."""

from collections.abc import Sequence
from typing import Any

import cvxpy as cp
import numpy as np

from ...agents.household import Household


class DeviceVariables:
    """What devices of all households add.

    Attributes:
        injection_kw: What they put into the balances (13), (prosumer, period); 0 where there are none.
        cost: What they cost, in $ per hour of period.
        constraints: Their bounds and rows.
    """

    def __init__(self, households: Sequence[Household]) -> None:
        """Make variables of them."""
        periods = households[0].periods
        self.constraints: list[Any] = []
        self.cost: Any = 0.0
        injected: list[Any] = []
        for household in households:
            total: Any = np.zeros(periods)
            for block in household.fleet.blocks:
                x = cp.Variable(block.low.shape)
                total = total + cp.sum(cp.multiply(block.injection, x), axis=0)
                self.cost += cp.sum(cp.multiply(block.linear_usd_per_h, x))
                self.cost += cp.sum(cp.multiply(block.quadratic_usd_per_h, cp.square(x)))
                self.constraints += [x >= block.low, x <= block.high]
                tied = block.rows @ cp.vec(x, order="C")
                equal = block.row_low == block.row_high
                for rows, sign, bound in (
                    (np.flatnonzero(equal), 0.0, block.row_low),
                    (np.flatnonzero(~equal & np.isfinite(block.row_low)), -1.0, block.row_low),
                    (np.flatnonzero(~equal & np.isfinite(block.row_high)), 1.0, block.row_high),
                ):
                    if rows.size:
                        kept = tied[rows] == bound[rows] if not sign else sign * tied[rows] <= sign * bound[rows]
                        self.constraints.append(kept)
            injected.append(cp.reshape(total, (1, periods), order="C"))
        self.injection_kw = cp.vstack(injected) if any(h.devices for h in households) else 0.0
