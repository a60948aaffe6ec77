"""A load that must run, and may choose when: a washing machine, a pump, a batch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from .device import DeviceError, Preset
from .level_chain import coverage
from .store import Store


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Deferrable(Preset):
    """An energy that is used within a window, with a largest power.

    Attributes:
        name: Its name.
        energy_kwh: What it uses in all, above 0.
        p_max_kw: Its largest power.
        earliest_h, latest_h: The window, in hours from the start of the first period; to the end if no end is given.

    Raises:
        DeviceError: A value is out of its range.
    """

    kind: ClassVar[str] = "deferrable"

    name: str
    energy_kwh: float
    p_max_kw: float
    earliest_h: float = 0.0
    latest_h: float | None = None

    def __post_init__(self) -> None:
        self._number("energy_kwh", 0.0, above=True)
        self._number("p_max_kw", 0.0, above=True)
        self._number("earliest_h", 0.0)
        if self.latest_h is not None and not (np.isfinite(self.latest_h) and self.latest_h > self.earliest_h):
            problem = f"latest_h {self.latest_h:g} must be above earliest_h {self.earliest_h:g}"
            raise DeviceError(self.name, "latest_h", problem)

    def device(self, periods: int, dt_h: float) -> Store:
        """The store, empty at first and full in the end, whose level is what has been used.

        Raises:
            DeviceError: The window ends after the last period.
        """
        end_h = periods * dt_h
        latest_h = end_h if self.latest_h is None else self.latest_h
        if latest_h > end_h * (1 + 1e-9):
            problem = f"latest_h {latest_h:g} is after the last period, which ends at {end_h:g} h; lower it"
            raise DeviceError(self.name, "latest_h", problem)
        open_for = coverage(self.earliest_h, latest_h, periods, dt_h)
        last = int(np.flatnonzero(open_for)[-1]) if open_for.any() else periods - 1
        return Store(
            name=self.name,
            capacity_kwh=self.energy_kwh,
            p_charge_max_kw=self.p_max_kw * open_for,
            soc_min=(np.arange(periods) >= last).astype(float),
            soc_start=0.0,
            soc_end=1.0,
            throughput_cost_usd_per_kwh=0.0,
        )
