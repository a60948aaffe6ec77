"""A heat pump with what it heats: a buffer of water, or the building itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from ...network.periods import When, length_h
from .cures import OF_HEAT_PUMP
from .device import Preset
from .store import Series, Store


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class HeatPump(Preset):
    """A heat pump that charges a store of heat, from which a demand of heat is met.

    Heat is counted in kWh above the lowest temperature that is thought of: of a buffer with a heat capacity C in
    kWh/K, `capacity_kwh` is C (T_max - T_min) and the level C (T - T_min). A building is the same; what it loses grows
    with its level, at a rate of `loss_per_h` (its loss in kW/K over its heat capacity in kWh/K), and its loss at the
    lowest temperature is a demand of heat.

    Attributes:
        name: Its name.
        capacity_kwh: Heat that the store holds.
        p_max_kw: Its largest electric power; by period or for all, as all series.
        cop: Heat per electricity, above 0; by period.
        heat_demand_kw: What is taken from the store; by period.
        loss_per_h: Rate at which the store loses its heat, per hour.
        comfort_soc_min, comfort_soc_max: The band in which the level is to stay; by period.
        discomfort_usd_per_kwh_h: If given, the band may be left, and a kWh out of it costs so much per hour.
        soc_start, soc_end, cyclic: As of `Store`.
        throughput_cost_usd_per_kwh: Wear, per electric kWh.

    Raises:
        DeviceError: A value is out of its range.
    """

    kind: ClassVar[str] = "heat_pump"

    name: str
    capacity_kwh: float
    p_max_kw: Series
    cop: Series = 3.0
    heat_demand_kw: Series = 0.0
    loss_per_h: float = 0.0
    comfort_soc_min: Series = 0.0
    comfort_soc_max: Series = 1.0
    discomfort_usd_per_kwh_h: float | None = None
    soc_start: float | None = None
    soc_end: float | None = None
    cyclic: bool = False
    throughput_cost_usd_per_kwh: float = 0.0

    def __post_init__(self) -> None:
        for key in ("p_max_kw", "heat_demand_kw"):
            self._number(key, 0.0)
        self._number("cop", 0.0, above=True)
        for key in ("comfort_soc_min", "comfort_soc_max"):
            self._number(key, 0.0, 1.0)
        self.device(0, 1.0)  # the store refuses what is out of its range

    def device(self, periods: int, dt_h: float) -> Store:
        """The store of heat, which gives nothing back."""
        del dt_h
        keys = ("p_max_kw", "cop", "heat_demand_kw", "comfort_soc_min", "comfort_soc_max")
        series = {key: self._series(key, periods) if periods else getattr(self, key) for key in keys}
        return Store(
            name=self.name,
            capacity_kwh=self.capacity_kwh,
            p_charge_max_kw=series["p_max_kw"],
            efficiency_charge=series["cop"],
            drain_kw=series["heat_demand_kw"],
            loss_per_h=self.loss_per_h,
            soc_min=series["comfort_soc_min"],
            soc_max=series["comfort_soc_max"],
            discomfort_usd_per_kwh_h=self.discomfort_usd_per_kwh_h,
            soc_start=self.soc_start,
            soc_end=self.soc_end,
            cyclic=self.cyclic,
            throughput_cost_usd_per_kwh=self.throughput_cost_usd_per_kwh,
        )

    def infeasibility(self, periods: int, when: When) -> str:
        """As `Device.infeasibility`, in its own words."""
        return self.device(periods, length_h(when)).unable(periods, when, OF_HEAT_PUMP)
