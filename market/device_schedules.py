"""What devices do in a schedule; private, for the person at the screen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ..network.arrays import BoolArray, FloatArray
from ..network.periods import When, spans
from .columns import Columns, each_period
from .messages import PrivateSchedules

_AT_ONCE = 1e-6  # of its largest power: less is no power


@dataclass(frozen=True, eq=False)
class DeviceSchedules:
    """What devices do.

    Attributes:
        names: Owner and name of each device, (device,).
        charge_kw, discharge_kw: What each takes and gives, both at least 0, (device, period).
        energy_kwh: What each holds at the end of a period, (device, period); nan where it holds nothing.
        injection_kw: What all of a prosumer give less what they take, (prosumer, period).
        cost_usd: What devices cost, such as wear, fuel and discomfort, (prosumer,).
        both_kw: What each does both ways at once though no device could, (device, period); None where all are stores,
            of which it is the lesser of charge and discharge.
    """

    names: tuple[tuple[str, str], ...]
    charge_kw: FloatArray
    discharge_kw: FloatArray
    energy_kwh: FloatArray
    injection_kw: FloatArray
    cost_usd: FloatArray
    both_kw: FloatArray | None = None

    @classmethod
    def of(cls, schedules: PrivateSchedules, names: Sequence[tuple[str, str]]) -> DeviceSchedules:
        """What schedules say of them."""
        flows = schedules.charge_kw, schedules.discharge_kw, schedules.energy_kwh
        return cls(tuple(names), *flows, schedules.devices_kw, schedules.devices_usd, schedules.both_kw)

    def flows_of(self, owner: str) -> tuple[FloatArray, FloatArray]:
        """What all devices of a prosumer give, and what they take, (period,) each, at least 0 and not offset."""
        own = [k for k, (name, _) in enumerate(self.names) if name == owner]
        return self.discharge_kw[own].sum(axis=0), self.charge_kw[own].sum(axis=0)

    def both_ways(self) -> dict[tuple[str, str], list[int]]:
        """In which periods, by index, a device charges and discharges at once and cannot; who never does is left out.

        Of a device with losses it pays where a kWh is worth less than nothing, or nothing, and no device could do it.
        """
        at_once = np.minimum(self.charge_kw, self.discharge_kw) if self.both_kw is None else self.both_kw
        largest = np.maximum(self.charge_kw, self.discharge_kw).max(axis=1, initial=0.0)
        found = [np.flatnonzero(row > _AT_ONCE * max(most, 1.0)) for row, most in zip(at_once, largest, strict=True)]
        return {name: periods.tolist() for name, periods in zip(self.names, found, strict=True) if periods.size}

    def doubts(self, when: When, worthless: Mapping[str, BoolArray]) -> list[str]:
        """The same in words, a sentence for each device; two where it does so for a reason at times, and without later.

        Args:
            when: A calendar, or the length of a period in hours.
            worthless: Whether a kWh is worth nothing or less, (period,), by owner.
        """
        told = []
        for (owner, name), periods in self.both_ways().items():
            told += [
                f"{name} of {owner} charges and discharges at once at {spans(those, when)}{why}; no device could: "
                "agents.exact_plan finds what its owner could do best instead"
                for why, wanted in ((", where a kWh is worth nothing or less", True), ("", False))
                if (those := [t for t in periods if bool(worthless[owner][t]) is wanted])
            ]
        return told

    def columns(self) -> Columns:
        """One row per device and period: prosumer, device, period from 1, charge_kw, discharge_kw, energy_kwh."""
        periods = self.charge_kw.shape[1]
        return {
            "prosumer": each_period([owner for owner, _ in self.names], periods),
            "device": each_period([name for _, name in self.names], periods),
            "period": np.tile(np.arange(1, periods + 1), len(self.names)),
            "charge_kw": self.charge_kw.ravel(),
            "discharge_kw": self.discharge_kw.ravel(),
            "energy_kwh": self.energy_kwh.ravel(),
        }
