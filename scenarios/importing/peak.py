"""How much of the given loads the network can carry: at its peak, a day of our own making stays within the limits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from ...network.ac_flow import RadialFlow
from ...network.arrays import BoolArray, FloatArray
from ...network.feeder import Feeder
from ...network.per_unit import amperes_per_pu
from .network import Network

STEP = 0.05


def fitting_peak(
    network: Network,
    feeder: Feeder,
    profiles: Mapping[str, Sequence[float]],
    load_profile: str,
    elastic_kw: Mapping[str, float],
) -> float:
    """The largest share of the loads, in steps of 0.05, with which no voltage or current breaks its limit.

    Args:
        network: The network as it was read.
        feeder: The same as a feeder.
        profiles: Values by period.
        load_profile: Profile of loads whose bus has none of its own.
        elastic_kw: By bus what elastic loads may draw there beside, at the loads as given.

    Returns:
        The share; 0 where there is none.
    """
    flow = RadialFlow(feeder)
    load, fed_in = injections(network, feeder, profiles, load_profile)
    for bus, most_kw in elastic_kw.items():
        load[feeder.index(bus)] += most_kw
    for tried in range(round(1 / STEP), 0, -1):
        share = tried * STEP
        drawn = (share * load - fed_in) / feeder.base_kw
        if within_limits(feeder, flow, drawn).all():
            return round(share, 2)
    return 0.0


def injections(
    network: Network, feeder: Feeder, profiles: Mapping[str, Sequence[float]], load_profile: str
) -> tuple[FloatArray, FloatArray]:
    """What loads draw and machines feed in, (bus, period) each, kW + j kvar."""
    periods = len(next(iter(profiles.values())))
    load, fed_in = np.zeros((2, len(feeder.buses), periods), dtype=complex)
    for bus in network.buses:
        factor = np.array(profiles[network.load_profiles.get(bus.name, load_profile)])
        load[feeder.index(bus.name)] = complex(bus.p_kw, bus.q_kvar) * factor
    for machine in network.machines:
        factor = np.array(profiles[machine.profile]) if machine.profile else np.ones(periods)
        fed_in[feeder.index(machine.generator.bus)] += machine.p_kw * factor + 1j * machine.q_kvar
    return load, fed_in


def within_limits(feeder: Feeder, flow: RadialFlow, drawn: FloatArray) -> BoolArray:
    """Whether the flow of each period exists and breaks no limit, (period,)."""
    found = flow.solve(drawn.real, drawn.imag)
    with np.errstate(invalid="ignore"):
        v_pu, ampere = np.sqrt(found.voltage), np.sqrt(found.current) * amperes_per_pu(feeder)[:, None]
        low, high, most = feeder.v_min_pu[:, None], feeder.v_max_pu[:, None], feeder.i_max_a[:, None]
        return found.solved & ((v_pu >= low) & (v_pu <= high) & (ampere <= most)).all(axis=0)
