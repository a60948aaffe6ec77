"""The periods of an imported scenario: profiles that the network brings along, or a day of our own making."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from ...network.arrays import FloatArray
from .network import Network, Remarks
from .powers import SUN

LOAD = "load"
_BASE, _MORNING, _EVENING = 0.45, 0.20, 0.50
_HUMP_H = 2.5

Profiles = Mapping[str, tuple[float, ...]]


@dataclass(frozen=True, slots=True)
class Hours:
    """Profiles, and which is whose.

    Attributes:
        profiles: Values by period.
        load_profile: Profile of loads whose bus has none of its own; "" where there are none.
        sun_profile: Profile of the prosumers' PV.
        dt_h: Length of a period, hours.
        remarks: What is ours of them.
    """

    profiles: Profiles
    load_profile: str
    sun_profile: str
    dt_h: float
    remarks: Remarks

    def scaled(self, network: Network, share: float) -> Hours:
        """The same with loads that are a share of what they are."""
        loads = {self.load_profile, *network.load_profiles.values()}
        scaled = {
            name: tuple(round(share * value, 6) for value in values) if name in loads else values
            for name, values in self.profiles.items()
        }
        return replace(self, profiles=scaled)


def hours_of(network: Network, periods: int) -> Hours:
    """The periods of a network.

    Args:
        network: The network.
        periods: How many periods a day of our own making has.
    """
    made = day(periods)
    if not network.profiles:
        sun = any(machine.profile == SUN for machine in network.machines)
        sentence = f"a day of {periods} periods of our own making: loads with a peak in the evening"
        remark = f"{sentence}, {'all PV' if sun else 'PV of prosumers'} with one at noon"
        return Hours(made, LOAD, SUN, 24 / periods, Remarks(defaults=(remark,)))
    pv = next((name for name in network.profiles if name.startswith("PV")), None)
    if pv:
        return Hours(network.profiles, "", pv, network.dt_h, Remarks(defaults=(f"PV of prosumers: profile {pv}",)))
    remark = "PV of prosumers: a profile of our own making, with a peak at noon"
    return Hours({**network.profiles, SUN: made[SUN]}, "", SUN, network.dt_h, Remarks(defaults=(remark,)))


def day(periods: int) -> Profiles:
    """Profiles of so many periods in 24 hours: `load` has a peak of 1 in the evening, `sun` one of 1 at noon."""
    hour = (np.arange(periods) + 0.5) * 24 / periods
    load = _BASE + _MORNING * _hump(hour, 7.5) + _EVENING * _hump(hour, 19.0)
    sun = np.maximum(0.0, np.sin((hour - 6) / 12 * np.pi))
    return {LOAD: _rounded(load / load.max()), SUN: _rounded(sun)}


def _hump(hour: FloatArray, at: float) -> FloatArray:
    return np.exp(-(((hour - at) / _HUMP_H) ** 2))


def _rounded(values: FloatArray) -> tuple[float, ...]:
    return tuple(float(value) for value in values.round(4))
