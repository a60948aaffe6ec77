"""What a device adds to its owner's problem, as data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ...network.arrays import FloatArray

if TYPE_CHECKING:
    import scipy.sparse as sp  # for which households without devices do not wait

ENERGY = "energy_kwh"
"""The name of the column that says what a device holds at the end of each period."""


@dataclass(frozen=True, slots=True, eq=False)
class DeviceBlock:
    """Columns, rows, costs, and what the columns put into the balance (13) of the owner.

    With x the columns, (column, period), the device costs `dt_h (linear x + quadratic x²)` in $, and must keep
    `low <= x <= high` and `row_low <= rows x <= row_high`, where x is written row by row: column k in period t is
    element `k * periods + t`.

    Attributes:
        columns: Their names, with the unit: charge_kw, energy_kwh.
        low, high: Bounds, all finite, (column, period).
        linear_usd_per_h, quadratic_usd_per_h: Cost of a unit, and of a unit squared (at least 0), (column, period).
        injection: What a unit of each column puts into (13) in kW, below 0 what it takes out, (column, period).
        rows: What ties columns and periods together, (row, column * period).
        row_low, row_high: Their bounds, (row,); infinite where there is none.
        exclusive: Pairs of columns that physics does not let be above 0 at once: charging and discharging.
    """

    columns: tuple[str, ...]
    low: FloatArray
    high: FloatArray
    linear_usd_per_h: FloatArray
    quadratic_usd_per_h: FloatArray
    injection: FloatArray
    rows: sp.csr_array
    row_low: FloatArray
    row_high: FloatArray
    exclusive: tuple[tuple[int, int], ...] = ()

    @property
    def periods(self) -> int:
        """Number of periods."""
        return int(self.low.shape[1])

    def injection_kw(self, found: FloatArray) -> FloatArray:
        """What columns (column, period) put into (13), (period,)."""
        return np.asarray((self.injection * found).sum(axis=0))

    def discharge_kw(self, found: FloatArray) -> FloatArray:
        """What all columns put in that put something in, (period,)."""
        return np.asarray(np.maximum(self.injection * found, 0.0).sum(axis=0))

    def charge_kw(self, found: FloatArray) -> FloatArray:
        """What all columns take out that take something out, at least 0, (period,)."""
        return np.asarray(np.maximum(-self.injection * found, 0.0).sum(axis=0))

    def both_kw(self, found: FloatArray) -> FloatArray:
        """The most that both of a pair put in or take out which exclude each other, (period,); 0 without pairs."""
        size = np.abs(self.injection * found)
        pairs = [np.minimum(size[a], size[b]) for a, b in self.exclusive]
        return np.asarray(np.max([np.zeros(self.periods), *pairs], axis=0))

    def energy_kwh(self, found: FloatArray) -> FloatArray:
        """What is held at the end of each period, (period,); nan of a device that has no such column."""
        if ENERGY not in self.columns:
            return np.full(self.periods, np.nan)
        return np.asarray(found[self.columns.index(ENERGY)])

    def cost_usd_per_h(self, found: FloatArray) -> float:
        """What columns cost, summed over the periods, in $ per hour of a period."""
        return float((found * (self.linear_usd_per_h + self.quadratic_usd_per_h * found)).sum())

    def breach(self, found: FloatArray) -> float:
        """By how much columns leave bounds and rows at most, in the units of these."""
        tied = self.rows @ found.ravel()
        out = [self.low - found, found - self.high, self.row_low - tied, tied - self.row_high]
        return max(float(part.max(initial=0.0)) for part in out)
