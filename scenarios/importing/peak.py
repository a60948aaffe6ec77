"""How much of the given loads the network can carry: at its peak, a day of our own making stays within the limits."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from ...network.ac_flow import RadialFlow
from ...network.arrays import BoolArray, ComplexArray
from ...network.feeder import Feeder
from ...network.per_unit import amperes_per_pu
from .hours import Hours
from .network import Network

STEP = 0.05


def fitting_peak(network: Network, feeder: Feeder, hours: Hours, elastic_kw: Mapping[str, float]) -> float:
    """The largest share of the loads, in steps of 0.05, with which no voltage or current breaks its limit.

    Args:
        network: The network as it was read.
        feeder: The same as a feeder.
        hours: Its profiles.
        elastic_kw: By bus what elastic loads may draw there beside, at the loads as given.

    Returns:
        The share; 0 where there is none.
    """
    flow = RadialFlow(feeder)
    load, fed_in = injections(network, feeder, hours)
    for bus, most_kw in elastic_kw.items():
        load[feeder.index(bus)] += most_kw
    for tried in range(round(1 / STEP), 0, -1):
        share = tried * STEP
        if within_limits(feeder, flow, (share * load - fed_in) / feeder.base_kw).all():
            return round(share, 2)
    return 0.0


def injections(network: Network, feeder: Feeder, hours: Hours) -> tuple[ComplexArray, ComplexArray]:
    """What loads draw and machines feed in, (bus, period) each, kW + j kvar."""
    constant = np.ones(len(next(iter(hours.profiles.values()))))
    load, fed_in = np.zeros((2, len(feeder.buses), constant.size), dtype=complex)
    for bus in network.buses:
        profile = network.load_profiles.get(bus.name, hours.load_profile)
        load[feeder.index(bus.name)] = complex(bus.p_kw, bus.q_kvar) * np.array(hours.profiles.get(profile, constant))
    for machine in network.machines:
        factor = np.array(hours.profiles.get(machine.profile, constant))
        fed_in[feeder.index(machine.generator.bus)] += machine.p_kw * factor + 1j * machine.q_kvar
    return load, fed_in


def within_limits(feeder: Feeder, flow: RadialFlow, drawn: ComplexArray) -> BoolArray:
    """Whether the flow of each period exists and breaks no limit, (period,)."""
    found = flow.solve(drawn.real, drawn.imag)
    with np.errstate(invalid="ignore"):
        v_pu, ampere = np.sqrt(found.voltage), np.sqrt(found.current) * amperes_per_pu(feeder)[:, None]
        low, high, most = feeder.v_min_pu[:, None], feeder.v_max_pu[:, None], feeder.i_max_a[:, None]
        return found.solved & ((v_pu >= low) & (v_pu <= high) & (ampere <= most)).all(axis=0)
