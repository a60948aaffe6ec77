"""What a device is: parameters, and what they add to the problem of whoever owns it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar

import numpy as np

from ...network.arrays import FloatArray, frozen
from ...network.errors import InputError
from ...network.periods import When, length_h
from .device_block import DeviceBlock


class DeviceError(InputError):
    """A device's data contradict each other.

    Attributes:
        device: Its name.
        key: The value that is wrong.
        problem: The sentence, without the device's name.
    """

    def __init__(self, device: str, key: str, problem: str) -> None:
        super().__init__(device, key, problem)
        self.device, self.key, self.problem = device, key, problem

    def __str__(self) -> str:
        return f"device {self.device}: {self.problem}"


class Device(ABC):
    """Something of one prosumer that couples its periods; nothing of it leaves its owner.

    A device is a frozen value. It does not know how many periods there are before it is asked.

    Attributes:
        kind: What scenario files call this kind of device.
        name: Its name, one among the devices of its owner.
    """

    kind: ClassVar[str]
    name: str

    @abstractmethod
    def block(self, periods: int, dt_h: float) -> DeviceBlock:
        """What it adds to its owner's problem.

        Args:
            periods: How many.
            dt_h: Length of a period in hours.

        Raises:
            DeviceError: A series has another number of periods.
        """

    @abstractmethod
    def mended(self, found: FloatArray, dt_h: float) -> FloatArray:
        """Columns next to these, (column, period), that keep all bounds and rows as exactly as floats can.

        What a solver finds keeps them to its tolerance; what is delivered is mended. It is asked only of a device
        that has no `infeasibility`.
        """

    @abstractmethod
    def infeasibility(self, periods: int, when: When) -> str:
        """Why no columns keep all bounds and rows, and the cure; empty if some do.

        The words follow the device's name: "needs 9 kWh by the end of period 7 (06:00-07:00) and can get 6; ...".

        Args:
            periods: How many.
            when: A calendar, or the length of a period in hours, see `length_h`; for `period_name`.
        """

    # --- for the kinds ---------------------------------------------------------------------------------------------

    def _number(self, key: str, low: float, high: float = np.inf, *, above: bool = False) -> None:
        """Refuse a number or series that is not finite or out of `low` to `high` (`above`: equal to `low`, too)."""
        values = np.asarray(getattr(self, key), dtype=float)
        if values.ndim > 1 or values.size == 0:
            raise DeviceError(self.name, key, f"{key} must be a number, or a series of one number for each period")
        if not np.isfinite(values).all():
            raise DeviceError(self.name, key, f"{key} has a value that is not a finite number")
        worst = float(values.min())
        if worst < low or (above and worst == low):
            word = "above" if above else "at least"
            raise DeviceError(self.name, key, f"{key} {worst:g} must be {word} {low:g}")
        if values.max() > high:
            raise DeviceError(self.name, key, f"{key} {values.max():g} must be at most {high:g}")

    def _series(self, key: str, periods: int) -> FloatArray:
        """A parameter as a series, (period,), of its own or of one number for all periods."""
        values = np.asarray(getattr(self, key), dtype=float)
        if values.size not in (1, periods):
            problem = f"{key} has {values.size} values, but there are {periods} periods; give one, or one for each"
            raise DeviceError(self.name, key, problem)
        return frozen(np.broadcast_to(values.ravel(), periods))


class Preset(Device):
    """A device that is a `Store` (or anything else) under other parameters."""

    @abstractmethod
    def device(self, periods: int, dt_h: float) -> Device:
        """What it comes to.

        Raises:
            DeviceError: A series has another number of periods.
        """

    def block(self, periods: int, dt_h: float) -> DeviceBlock:
        """As `Device.block`."""
        return self.device(periods, dt_h).block(periods, dt_h)

    def mended(self, found: FloatArray, dt_h: float) -> FloatArray:
        """As `Device.mended`."""
        return self.device(found.shape[1], dt_h).mended(found, dt_h)

    def infeasibility(self, periods: int, when: When) -> str:
        """As `Device.infeasibility`."""
        return self.device(periods, length_h(when)).infeasibility(periods, when)
