"""A store of a third party's own, for others that do something wrong."""

from dataclasses import dataclass

from gridbazaar.agents.devices.store import Store


@dataclass(frozen=True, eq=False, kw_only=True)
class OwnStore(Store):
    """5 kWh that take and give 2 kW."""

    name: str = "mine"
    capacity_kwh: float = 5.0
    p_charge_max_kw: float = 2.0
    p_discharge_max_kw: float = 2.0
