"""A prosumer's private data: loads, forecast, utility, limits and tariffs, (11)-(17)."""

from __future__ import annotations

from dataclasses import dataclass, field
from math import isfinite
from typing import TYPE_CHECKING

import numpy as np

from ..network.arrays import FloatArray, frozen
from ..network.calendars import Calendar
from ..network.errors import InfeasibleError, InputError
from ..network.periods import When, period_name, spans
from .devices.device import Device, DeviceError

if TYPE_CHECKING:
    from .devices.fleet import Fleet  # which loads scipy, for whoever has devices


class HouseholdError(InputError):
    """A prosumer's data contradict each other.

    Attributes:
        prosumer: Its name.
        key: The value that is wrong.
        problem: The sentence, without the prosumer's name.
    """

    def __init__(self, prosumer: str, key: str, problem: str) -> None:
        super().__init__(prosumer, key, problem)
        self.prosumer, self.key, self.problem = prosumer, key, problem

    def __str__(self) -> str:
        return f"prosumer {self.prosumer}: {self.problem}"

    @classmethod
    def of_device(cls, prosumer: str, error: DeviceError) -> HouseholdError:
        """What is wrong with a device of this prosumer."""
        return cls(prosumer, f"devices.{error.device}.{error.key}", str(error))


class HouseholdShortageError(InfeasibleError):
    """A prosumer cannot balance a period (13) within its limits, whatever the others do.

    Attributes:
        prosumer: Its name.
        period: Index of the worst period.
        missing_kw: Power that is missing there.
        cap_kw: Sum of the caps of its links.
        household: Its data.
    """

    def __init__(self, prosumer: str, period: int, missing_kw: float, cap_kw: float, household: Household) -> None:
        super().__init__(prosumer, period, missing_kw, cap_kw, household)
        self.prosumer, self.period, self.missing_kw = prosumer, period, missing_kw
        self.cap_kw, self.household = cap_kw, household

    def __str__(self) -> str:
        home, t, missing = self.household, self.period, self.missing_kw
        need = home.fixed_kw[t] + home.elastic_min_kw[t]
        return (
            f"prosumer {self.prosumer}: {period_name(t, home.when)} needs {need:.4g} kW (fixed load plus "
            f"elastic_min_kw) and can get {need - missing:.4g} kW (renewables {home.renewable_kw[t]:.4g}, "
            f"bid_max_kw {home.bid_max_kw[t]:.4g}, links {self.cap_kw:.4g}): {missing:.4g} kW too little; "
            f"raise bid_max_kw or a link's cap_kw, or lower elastic_min_kw or the fixed load, by that much"
        )


class DeviceShortageError(InfeasibleError):
    """A prosumer's devices, or it with its devices, cannot keep their limits, whatever the others do.

    Attributes:
        prosumer: Its name.
        problem: The sentence, without the prosumer's name.
    """

    def __init__(self, prosumer: str, problem: str) -> None:
        super().__init__(prosumer, problem)
        self.prosumer, self.problem = prosumer, problem

    def __str__(self) -> str:
        return f"prosumer {self.prosumer}: {self.problem}"


class Valuation:
    """What plans are worth to a `Household`, or to each of many `Homes`: then series have an axis more in front."""

    __slots__ = ()
    dt_h: float
    alpha_usd_per_kw2h: FloatArray | float
    beta_usd_per_kwh: FloatArray | float
    elastic_min_kw: FloatArray
    elastic_max_kw: FloatArray
    grid_fee_usd_per_kwh: FloatArray | float
    feed_in_fee_usd_per_kwh: FloatArray | float

    def utility_usd(self, elastic_kw: FloatArray) -> FloatArray:
        """Utility (12) of an elastic load, summed over the periods, in $."""
        marginal = self.beta_usd_per_kwh - self.alpha_usd_per_kw2h * elastic_kw
        return np.asarray(self.dt_h * (elastic_kw * marginal).sum(axis=-1))

    def devices_usd(self, device: FloatArray) -> float:
        """What devices cost that do this, (column, period), in $: wear, fuel, discomfort; nobody has any here."""
        del device
        return 0.0

    def fees_usd(self, bid_kw: FloatArray) -> tuple[FloatArray, FloatArray]:
        """What bids cost beside the LMP, summed over the periods, in $: the grid fee, and the fee on feed-in."""
        bought = (self.grid_fee_usd_per_kwh * np.maximum(bid_kw, 0.0)).sum(axis=-1)
        sold = (self.feed_in_fee_usd_per_kwh * np.maximum(-bid_kw, 0.0)).sum(axis=-1)
        return np.asarray(self.dt_h * bought), np.asarray(self.dt_h * sold)


_SERIES = ("fixed_kw", "renewable_kw", "elastic_min_kw", "elastic_max_kw", "bid_max_kw", "feed_in_max_kw")
_FEES = ("grid_fee_usd_per_kwh", "feed_in_fee_usd_per_kwh")


@dataclass(frozen=True, slots=True, eq=False)
class Household(Valuation):
    """What one prosumer knows and nobody else does.

    Its utility of an elastic load e is `U(e) = beta e - alpha e²` $ per hour (12). Limits may vary by period: a number
    stands for all periods.

    Attributes:
        name, bus: Its name, and the bus of the feeder it is connected to.
        fixed_kw: Load that must be served, (period,).
        renewable_kw: Forecast of its own renewables, free to curtail, (period,).
        alpha_usd_per_kw2h, beta_usd_per_kwh: Utility (12), alpha > 0 and beta > 0.
        elastic_min_kw, elastic_max_kw: Limits of the elastic load (14), (period,).
        bid_max_kw: Largest bid to the distribution market (17), (period,).
        dt_h: Length of a period in hours.
        feed_in_max_kw: What it may sell to the distribution market at most, the other end of (17), (period,).
        grid_fee_usd_per_kwh, feed_in_fee_usd_per_kwh: What the DSO charges beside the LMP for each kWh that it buys
            from the distribution market, and sells to it; both at least 0.
        calendar: When the periods are; None where nobody knows.
        devices: Batteries, vehicles and whatever else ties its periods together; each with a name of its own.

    Raises:
        HouseholdError: A value is out of its range, limits are out of order, or a series has the wrong length.
    """

    name: str
    bus: str
    fixed_kw: FloatArray
    renewable_kw: FloatArray
    alpha_usd_per_kw2h: float
    beta_usd_per_kwh: float
    elastic_min_kw: FloatArray
    elastic_max_kw: FloatArray
    bid_max_kw: FloatArray
    dt_h: float = 1.0
    feed_in_max_kw: FloatArray = field(default_factory=lambda: np.zeros(1))
    grid_fee_usd_per_kwh: float = 0.0
    feed_in_fee_usd_per_kwh: float = 0.0
    calendar: Calendar | None = None
    devices: tuple[Device, ...] = ()
    _fleet: Fleet | None = field(init=False, repr=False, default=None)

    def __post_init__(self) -> None:
        if not (isinstance(self.name, str) and self.name):
            raise InputError(f"a household has {self.name!r} for a name; give it some text")
        given = [np.asarray(getattr(self, key), dtype=float) for key in _SERIES]
        periods = max(values.size for values in given)
        series = np.empty((len(_SERIES), periods))
        for row, (key, values) in enumerate(zip(_SERIES, given, strict=True)):
            if values.ndim > 1 or values.size not in (1, periods):
                problem = f"{key} has {values.size} values where other series have {periods}"
                raise HouseholdError(self.name, key, problem)
            series[row] = values
        if not (series.min() >= 0 and series.max() < np.inf):  # nan is neither
            self._refuse_values()
        for key, row in zip(_SERIES, frozen(series), strict=True):
            object.__setattr__(self, key, row)
        self._check_numbers()
        wrong = self.elastic_max_kw < self.elastic_min_kw
        if wrong.any():
            t = int(np.argmax(wrong))
            low, high = self.elastic_min_kw[t], self.elastic_max_kw[t]
            where = "" if wrong.all() else f" in {period_name(t, self.when)}"
            problem = f"elastic_max_kw {high:g} is below elastic_min_kw {low:g}{where}; swap or widen them"
            raise HouseholdError(self.name, "elastic_max_kw", problem)
        object.__setattr__(self, "devices", tuple(self.devices))
        if self.devices:
            self._lay_out_devices()

    def _lay_out_devices(self) -> None:
        names = [device.name for device in self.devices]
        twice = next((name for name in names if names.count(name) > 1), None)
        if twice is not None:
            raise HouseholdError(self.name, f"devices.{twice}", f"two devices have the name {twice}; rename one")
        from .devices.fleet import Fleet

        try:
            object.__setattr__(self, "_fleet", Fleet(self.devices, self.periods, self.dt_h))
        except DeviceError as error:
            raise HouseholdError.of_device(self.name, error) from error

    def _refuse_values(self) -> None:
        """Name the first series with a value that no power can have."""
        for key in _SERIES:
            values = np.asarray(getattr(self, key), dtype=float)
            if not np.isfinite(values).all():
                raise HouseholdError(self.name, key, f"{key} has a value that is not a finite number")
            if (values < 0).any():
                raise HouseholdError(self.name, key, f"{key} {values.min():g} must not be below 0")

    def _check_numbers(self) -> None:
        if not (isfinite(self.dt_h) and self.dt_h > 0):
            raise HouseholdError(self.name, "dt_h", f"dt_h {self.dt_h:g} must be a finite number of hours above 0")
        for key in ("alpha_usd_per_kw2h", "beta_usd_per_kwh"):
            value = getattr(self, key)
            if not (isfinite(value) and value > 0):
                raise HouseholdError(self.name, key, f"{key} {value:g} must be above 0: utility (12) must be concave")
        for key in _FEES:
            value = getattr(self, key)
            if not (isfinite(value) and value >= 0):
                raise HouseholdError(self.name, key, f"{key} {value:g} must be a finite number of at least 0")

    @property
    def periods(self) -> int:
        """Number of periods."""
        return self.fixed_kw.size

    @property
    def when(self) -> When:
        """When the periods are, for their names."""
        return self.calendar or self.dt_h

    @property
    def bid_min_kw(self) -> FloatArray:
        """Lowest bid to the distribution market (17): all that may be fed in, (period,)."""
        return 0.0 - self.feed_in_max_kw

    @property
    def fleet(self) -> Fleet:
        """Its devices, laid out for its periods."""
        from .devices.fleet import Fleet

        return Fleet((), self.periods, self.dt_h) if self._fleet is None else self._fleet

    @property
    def columns(self) -> int:
        """How many columns its devices have, see `fleet`."""
        return self._fleet.columns if self._fleet else 0

    def devices_usd(self, device: FloatArray) -> float:
        """What its devices cost that do this, (column, period), in $, such as wear, fuel and discomfort."""
        return self._fleet.cost_usd(device) if self._fleet else 0.0

    def device_unable(self) -> tuple[str, str] | None:
        """The first of its devices that cannot do what it must, whatever its owner does, and why; None if all can.

        Raises:
            HouseholdError: A device fails to say so.
        """
        try:
            return self._fleet.infeasibility(self.calendar) if self._fleet else None
        except DeviceError as error:
            raise HouseholdError.of_device(self.name, error) from error

    def check_balance(self, cap_kw: float) -> None:
        """Refuse a household that cannot balance some period (13), given the sum of its links' caps.

        Too much power is never a problem where there are no devices: renewables may be curtailed.

        Raises:
            HouseholdShortageError: Even with every limit at its best end, power is missing.
            DeviceShortageError: A device cannot keep its limits, or the household cannot with its devices.
            HouseholdError: A device fails to say whether it can.
        """
        if self._fleet:
            self._check_fleet(self._fleet, cap_kw)
            return
        most = self.renewable_kw + self.bid_max_kw + cap_kw
        missing = self.fixed_kw + self.elastic_min_kw - most
        worst = int(np.argmax(missing))
        if missing[worst] > 1e-9 * max(1.0, most[worst]):
            raise HouseholdShortageError(self.name, worst, float(missing[worst]), cap_kw, self)

    def _check_fleet(self, fleet: Fleet, cap_kw: float) -> None:
        """As `check_balance`, with devices."""
        from .devices.service import missing

        if unable := self.device_unable():
            raise DeviceShortageError(self.name, " ".join(unable))
        had = self.renewable_kw + self.bid_max_kw + cap_kw
        need = self.fixed_kw + self.elastic_min_kw
        found = missing(fleet, need - had, self.fixed_kw + self.elastic_max_kw + self.feed_in_max_kw + cap_kw)
        if found is None:
            return
        first, last = found.periods[0], found.periods[-1]
        if first == last:
            when, known = period_name(first, self.when), f" (loads of {need[first]:.4g} kW; renewables, bid_max_kw and "
            known += f"links bring {had[first]:.4g})"
        else:
            when, known = f"at least one period of {spans([*range(first, last + 1)], self.when)}", ""
        raise DeviceShortageError(
            self.name,
            f"{when} lacks {found.kw:.4g} kW, whatever its devices do{known}; raise bid_max_kw or a link's cap_kw, "
            "or lower what loads and devices need"
            if found.kw > 0
            else f"{when} has {-found.kw:.4g} kW too much, whatever its devices do; raise feed_in_max_kw or "
            "elastic_max_kw, or lower what its devices must give",
        )
