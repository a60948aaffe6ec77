"""An electric vehicle: a battery that is away now and then."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import floor
from typing import ClassVar

import numpy as np

from ...network.arrays import FloatArray
from ...network.periods import When, length_h, period_name
from .device import DeviceError, Preset
from .level_chain import coverage
from .store import Store


@dataclass(frozen=True, slots=True, kw_only=True)
class Trip:
    """A time in which a vehicle is away.

    Attributes:
        leaves_h, returns_h: When, in hours from the start of the first period; it may leave before, or return later.
        energy_kwh: What it uses on the way, evenly.
        soc_needed: What it must have when it leaves at the least, as a fraction of the capacity; in any case it leaves
            with what it uses on the way above `soc_min`.
    """

    leaves_h: float
    returns_h: float
    energy_kwh: float = 0.0
    soc_needed: float = 0.0


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Ev(Preset):
    """An electric vehicle with trips; with `p_discharge_max_kw` above 0 it gives back (V2G, V2H).

    In a period in which it is away for a part, it charges with that part less of its power. What it needs when it
    leaves, it has at the end of the last period before it leaves.

    Attributes:
        name, capacity_kwh, p_charge_max_kw, p_discharge_max_kw, efficiency_charge, efficiency_discharge, loss_per_h,
            soc_min, soc_max, soc_start, soc_end, cyclic, throughput_cost_usd_per_kwh: As of `Store`; one number each.
            Where a trip is in progress at the end, `soc_end` is by default `soc_start` less what of that is used on it.
        trips: When it is away, in any order; no two at once.

    Raises:
        DeviceError: A value is out of its range, or trips overlap.
    """

    kind: ClassVar[str] = "ev"

    name: str
    capacity_kwh: float
    p_charge_max_kw: float
    p_discharge_max_kw: float = 0.0
    trips: tuple[Trip, ...] = ()
    efficiency_charge: float = 0.92
    efficiency_discharge: float = 0.92
    loss_per_h: float = 0.0
    soc_min: float = 0.1
    soc_max: float = 1.0
    soc_start: float | None = None
    soc_end: float | None = None
    cyclic: bool = False
    throughput_cost_usd_per_kwh: float = 1e-4

    def __post_init__(self) -> None:
        object.__setattr__(self, "trips", tuple(sorted(self.trips, key=lambda trip: trip.leaves_h)))
        self._number("efficiency_charge", 0.0, 1.0, above=True)
        for number, trip in enumerate(self.trips, start=1):
            self._check(f"trip {number}", trip)
        for before, after in zip(self.trips, self.trips[1:], strict=False):
            if after.leaves_h < before.returns_h:
                problem = f"a trip leaves at {after.leaves_h:g} h, before the one before returns ({before.returns_h:g})"
                raise DeviceError(self.name, "trips", f"{problem}; let no two be at once")
        self.device(1, 1.0)  # the store refuses what is out of its range

    def _check(self, which: str, trip: Trip) -> None:
        if not (np.isfinite([trip.leaves_h, trip.returns_h]).all() and trip.leaves_h < trip.returns_h):
            problem = f"{which} leaves at {trip.leaves_h:g} h and returns at {trip.returns_h:g}; it must return later"
            raise DeviceError(self.name, "trips", problem)
        most = self.capacity_kwh * (self.soc_max - self.soc_min)
        if not 0 <= trip.energy_kwh <= most:
            problem = f"{which} uses {trip.energy_kwh:g} kWh; a full battery has {most:g} between soc_min and soc_max"
            raise DeviceError(self.name, "trips", f"{problem}; use 0 to {most:g}")
        if not 0 <= trip.soc_needed <= self.soc_max:
            problem = f"{which} has soc_needed {trip.soc_needed:g}; it must be 0 to soc_max {self.soc_max:g}"
            raise DeviceError(self.name, "trips", problem)

    def device(self, periods: int, dt_h: float) -> Store:
        """The store: no power while away, a drain on the way, a level when it leaves."""
        home, drain_kw, low = np.ones(periods), np.zeros(periods), np.full(periods, float(self.soc_min))
        for trip in self.trips:
            away = coverage(trip.leaves_h, trip.returns_h, periods, dt_h)
            home = home - away
            drain_kw += away * trip.energy_kwh / (trip.returns_h - trip.leaves_h)
            last = _last_before(trip, dt_h)
            if (last == -1 and self.cyclic) or 0 <= last < periods:  # what a cyclic one ends with, it begins with
                low[last] = max(low[last], self._needed(trip))
        store = Store(
            name=self.name,
            capacity_kwh=self.capacity_kwh,
            p_charge_max_kw=self._at_home(self.p_charge_max_kw, home),
            p_discharge_max_kw=self._at_home(self.p_discharge_max_kw, home),
            efficiency_charge=self.efficiency_charge,
            efficiency_discharge=self.efficiency_discharge,
            loss_per_h=self.loss_per_h,
            soc_min=low,
            soc_max=self.soc_max,
            soc_start=self.soc_start,
            soc_end=self.soc_end,
            cyclic=self.cyclic,
            throughput_cost_usd_per_kwh=self.throughput_cost_usd_per_kwh,
            drain_kw=drain_kw,
        )
        on_the_way = next((trip for trip in self.trips if trip.leaves_h < periods * dt_h < trip.returns_h), None)
        if on_the_way is None or self.soc_end is not None or store.start_kwh is None:
            return store
        left_kwh = store.left_kwh(periods, dt_h, first=max(_last_before(on_the_way, dt_h) + 1, 0))
        return replace(store, soc_end=max(left_kwh / self.capacity_kwh, self.soc_min))

    def infeasibility(self, periods: int, when: When) -> str:
        """As `Device.infeasibility`: what leaves in the first period needs to begin with enough."""
        store = self.device(periods, length_h(when))
        for trip in self.trips:
            asked = self._needed(trip) * self.capacity_kwh
            begins = store.start_kwh
            if begins is not None and _last_before(trip, length_h(when)) == -1 and begins < asked * (1 - 1e-9):
                return (
                    f"needs {asked:.4g} kWh when it leaves in {period_name(0, when)} and begins with {begins:.4g}; "
                    "raise soc_start, let it leave later, or lower what it needs"
                )
        return store.infeasibility(periods, when)

    def _needed(self, trip: Trip) -> float:
        """The level that it leaves with at the least, as a fraction of the capacity."""
        needed = max(trip.soc_needed, self.soc_min + trip.energy_kwh / self.capacity_kwh)
        return min(needed, self.soc_max)  # which rounding alone puts it above

    @staticmethod
    def _at_home(power_kw: float, home: FloatArray) -> FloatArray:
        return np.asarray(power_kw * np.maximum(home, 0.0))


def _last_before(trip: Trip, dt_h: float) -> int:
    """The last period before a vehicle leaves, by index: -1 if it leaves in the first one."""
    return floor(trip.leaves_h / dt_h + 1e-9) - 1
