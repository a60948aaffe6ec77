"""What the buses of a drawing are coloured by."""

from dataclasses import dataclass
from math import isfinite

import numpy as np

from ...network.arrays import FloatArray
from .colours import UNKNOWN, cividis


@dataclass(frozen=True, slots=True, eq=False)
class Shade:
    """What the buses are coloured by.

    Attributes:
        values: One value per bus, (bus,); nan where it is not known.
        quantity, unit: What it is: "LMP" and "$/kWh".
        limits: The values that have the first and the last colour; by default the lowest and highest of `values`.
            Give the same to drawings that are to be compared.
    """

    values: FloatArray
    quantity: str
    unit: str
    limits: tuple[float, float] | None = None

    @property
    def range(self) -> tuple[float, float]:
        """The values that have the first and the last colour; nan where nothing is known."""
        known = self.values[np.isfinite(self.values)]
        return self.limits or ((float(known.min()), float(known.max())) if known.size else (np.nan, np.nan))

    def colour(self, n: int) -> str:
        """The colour of bus n; where all values are the same, the one in the middle."""
        value, (low, high) = float(self.values[n]), self.range
        if not isfinite(value):
            return UNKNOWN
        return cividis((value - low) / (high - low) if high > low else 0.5)

    def says(self, n: int) -> str:
        """The value of bus n in words."""
        value = float(self.values[n])
        return f"{self.quantity} {value:.6g} {self.unit}" if isfinite(value) else f"{self.quantity} unknown"
