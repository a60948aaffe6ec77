"""What devices are planned to do at a round, or are committed to; private, for the person at the screen."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ...network.arrays import FloatArray

if TYPE_CHECKING:
    from ...agents.prosumer import Prosumer
    from ...market.result import Result


@dataclass(frozen=True, slots=True, eq=False)
class DeviceFlow:
    """What one device does.

    Attributes:
        owner, name: Whose it is, and what that calls it.
        charge_kw, discharge_kw: What it takes and gives, both at least 0, (period,).
        energy_kwh: What it holds at the end of a period, (period,); nan where it holds nothing.
    """

    owner: str
    name: str
    charge_kw: FloatArray
    discharge_kw: FloatArray
    energy_kwh: FloatArray


def planned(agent: Prosumer) -> list[DeviceFlow]:
    """What the devices of a prosumer are planned to do, in the order of its devices."""
    if not agent.household.devices:
        return []
    fleet = agent.household.fleet
    each = fleet.flows(agent.plan.device).transpose(1, 0, 2)
    return [DeviceFlow(agent.name, name, *flows) for name, flows in zip(fleet.names, each, strict=True)]


def committed(result: Result) -> list[DeviceFlow]:
    """What all devices are committed to in the schedule in force, in the order of their owners."""
    of = result.device_schedules
    rows = zip(of.names, of.charge_kw, of.discharge_kw, of.energy_kwh, strict=True)
    return [DeviceFlow(*names, *flows) for names, *flows in rows]
