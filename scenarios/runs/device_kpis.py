"""What devices did in a run: energies through them, what stores lost, and who charged and discharged at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ...agents.devices.device import Device, Preset
from ...agents.devices.store import Store
from ...agents.household import Household
from ...market.result import Result, device_doubts
from ...network.arrays import FloatArray
from .amounts import counted, dollars, energy
from .json_values import number

_TRACE = 1e-6  # of the largest energy: less is nothing
_MOST = 1_000
"""Devices in kpis.json; devices.parquet has all."""


@dataclass(frozen=True, slots=True)
class DeviceEnergy:
    """What a device did over a run.

    Attributes:
        prosumer, name, kind: Whose it is, what it is called, and of what kind.
        charged_kwh, discharged_kwh: What it took from its owner, and gave back.
        level_change_kwh: What it holds at the end more than at the beginning; nan where that is not known.
        lost_kwh: Of a store that can give back: charged less discharged, less what it holds more, less what was used of
            it (by driving); nan of a load, and of what is no store.
    """

    prosumer: str
    name: str
    kind: str
    charged_kwh: float
    discharged_kwh: float
    level_change_kwh: float
    lost_kwh: float


def device_energies(result: Result, households: Sequence[Household]) -> list[DeviceEnergy]:
    """What each device did, in the order of the table `devices`."""
    owned = {(home.name, device.name): device for home in households for device in home.devices}
    found, schedules = [], result.device_schedules
    rows = zip(schedules.names, schedules.charge_kw, schedules.discharge_kw, schedules.energy_kwh, strict=True)
    for (prosumer, name), charge, discharge, level in rows:
        device = owned[prosumer, name]
        charged, discharged = (result.dt_h * float(power.sum()) for power in (charge, discharge))
        change, lost = np.nan, np.nan
        store = _store(device, charge.size, result.dt_h)
        if store is not None:
            change = float(level[-1]) - store.start_kwh if store.start_kwh is not None else 0.0
            used = result.dt_h * float(np.broadcast_to(store.drain_kw, charge.shape).sum())
            if np.any(np.asarray(store.p_discharge_max_kw) > 0):
                lost = charged - discharged - change - used
        found.append(DeviceEnergy(prosumer, name, device.kind, charged, discharged, change, lost))
    return found


def device_indicators(result: Result, households: Sequence[Household]) -> dict[str, Any]:
    """What `kpis.json` says of devices; nothing where there are none.

    `storage_losses_kwh` is what stores that can give back have lost, see `DeviceEnergy`; `device_cost_usd` what
    devices cost (wear, fuel, discomfort), part of the cost.
    """
    found = device_energies(result, households)
    if not found:
        return {}
    lost = np.array([one.lost_kwh for one in found])
    return {
        "charged_kwh": number(sum(one.charged_kwh for one in found)),
        "discharged_kwh": number(sum(one.discharged_kwh for one in found)),
        "storage_losses_kwh": number(float(np.nansum(lost))) if np.isfinite(lost).any() else None,
        "device_cost_usd": number(float(result.device_schedules.cost_usd.sum())),
        "devices": [
            {
                "prosumer": one.prosumer,
                "device": one.name,
                "kind": one.kind,
                "charged_kwh": number(one.charged_kwh),
                "discharged_kwh": number(one.discharged_kwh),
                "level_change_kwh": number(one.level_change_kwh),
                "lost_kwh": number(one.lost_kwh),
            }
            for one in found[:_MOST]
        ],
        "charging_while_discharging": device_doubts(result),
    }


def devices_said(result: Result) -> list[str]:
    """What a summary says of devices; nothing where there are none."""
    schedules = result.device_schedules
    if not schedules.names:
        return []
    taken, given = (result.dt_h * power.sum(axis=1) for power in (schedules.charge_kw, schedules.discharge_kw))
    cost = dollars(float(schedules.cost_usd.sum()), result.certificate.total_usd)
    return [
        f"{counted(len(schedules.names), 'device')}: {'; '.join(_flows_said(taken, given))}; what devices cost, part "
        f"of the welfare, {cost}",
        *device_doubts(result),
    ]


def _flows_said(taken: FloatArray, given: FloatArray) -> list[str]:
    """What devices took and gave, (device,) in kWh: those that do both apart from those that do one, or nothing."""
    least = _TRACE * max(float(taken.max()), float(given.max()), 1.0)
    takes, gives = taken > least, given > least
    both, only_take, only_give = takes & gives, takes & ~gives, gives & ~takes
    said = {
        f"took {energy(taken[both].sum())} kWh and gave back {energy(given[both].sum())} kWh": both,
        f"only took {energy(taken[only_take].sum())} kWh": only_take,
        f"only gave {energy(given[only_give].sum())} kWh": only_give,
        "did nothing": ~takes & ~gives,
    }
    return [f"{int(which.sum()):,} {words}" for words, which in said.items() if which.any()]


def injection_kw(result: Result) -> FloatArray | float:
    """What devices give less what they take, (prosumer, period); 0 where there are none."""
    return result.device_schedules.injection_kw if result.device_schedules.names else 0.0


def _store(device: Device, periods: int, dt_h: float) -> Store | None:
    """The store that a device is, or comes to; None of what is none."""
    found = device.device(periods, dt_h) if isinstance(device, Preset) else device
    return found if isinstance(found, Store) else None
