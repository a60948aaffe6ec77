"""Is the scenario the network that was imported? Power flows of both, bus by bus."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import dataclass
from math import isfinite
from typing import TYPE_CHECKING

import numpy as np

from ...network.ac_flow import RadialFlow
from ...network.arrays import FloatArray
from ..errors import ScenarioError, refuse
from .elements import called
from .pandapower_flow import solve
from .pandapower_reading import Read
from .powers import LOADS, by_voltage

if TYPE_CHECKING:
    from ..files.scenario import Scenario

WITHIN_PU = 1e-4
"""Voltages of both must agree so closely."""
LIGHT = 0.4
"""Share of the loads in the second power flow."""
WARNED_PU = 1e-3
"""A larger difference in the second power flow is told of with its reason."""
SHOWN = 3
"""So many elements are named in a sentence."""


@dataclass(frozen=True, slots=True)
class Proof:
    """How closely voltages agree.

    Attributes:
        buses: Names of the buses of the original that the scenario has, one for each.
        original_pu: Voltage of each in pandapower's power flow of the original.
        scenario_pu: Voltage of each in gridbazaar's power flow of the scenario, read back from its files.
        light_pu: The largest difference when loads are 0.4 times as large, nan where there is no such flow: what was
            taken for constant power follows the voltage in the original.
        apart: What the original has and neither power flow: its storage.
        following: What follows the voltage in the original and is held constant in the scenario.
    """

    buses: tuple[str, ...]
    original_pu: FloatArray
    scenario_pu: FloatArray
    light_pu: float
    apart: tuple[str, ...] = ()
    following: tuple[str, ...] = ()

    @property
    def largest_pu(self) -> float:
        """The largest difference at the loads as given."""
        return float(np.abs(self.original_pu - self.scenario_pu).max())

    @property
    def farthest(self) -> str:
        """The bus where it is."""
        return self.buses[int(np.abs(self.original_pu - self.scenario_pu).argmax())]

    def sentence(self) -> str:
        """What it says, in one line."""
        light = f"{rounded_up(self.light_pu)} pu at {LIGHT:.0%} of the loads" if isfinite(self.light_pu) else ""
        count = f"{len(self.buses):,} buses" if len(self.buses) != 1 else "the one bus"
        less = f" of the original less what is left out: {_listed(self.apart)}" if self.apart else ""
        within = f"voltages of {count} within {rounded_up(self.largest_pu)} pu of pandapower's power flow{less}"
        return f"{within} (limit {WITHIN_PU:g}){', ' if light else ''}{light}"

    def warning(self) -> str:
        """What somebody must know who changes the loads, and why, in a sentence; "" if there is nothing."""
        if not self.light_pu > WARNED_PU:
            return ""
        sentence = f"at {LIGHT:.0%} of the loads voltages are up to {rounded_up(self.light_pu)} pu from the original's"
        if not self.following:
            return f"{sentence}: what is taken for constant power follows the voltage there"
        return f"{sentence}, where these follow the voltage, and are held constant here: {_listed(self.following)}"


def _listed(elements: tuple[str, ...]) -> str:
    """The first of some elements, and how many more there are."""
    more = f" and {len(elements) - SHOWN:,} more" if len(elements) > SHOWN else ""
    return ", ".join(elements[:SHOWN]) + more


def prove(read: Read, scenario: Scenario) -> Proof:
    """Hold the scenario against the network that it was made of.

    Args:
        read: The network, and what it was read from.
        scenario: The scenario, loaded from the files that were written.

    Raises:
        ScenarioError: Voltages differ by more than 1e-4 pu; it names the bus.
    """
    names = list(read.bus_names.values())
    original_pu = read.original.res_bus["vm_pu"].reindex(list(read.bus_names)).to_numpy(dtype=float)
    scenario_pu = _voltages(read, scenario, 1.0, names)
    light_pu = _light(read, scenario, names)
    proof = Proof(
        tuple(names), original_pu, scenario_pu, light_pu, read.apart, by_voltage(read.original, read.bus_names)
    )
    if not proof.largest_pu <= WITHIN_PU:  # nan: no flow here
        bus = list(read.bus_names)[int(np.argmax(np.nan_to_num(np.abs(original_pu - scenario_pu), nan=np.inf)))]
        sentence = f"{called(read.original, 'bus', bus)}: {read.original.res_bus['vm_pu'][bus]:.6f} pu in pandapower"
        here = scenario_pu[names.index(read.bus_names[bus])]
        cure = f"more than {WITHIN_PU:g} apart; the import is refused: is an element there out of the ordinary?"
        raise refuse(read.network.title, "", f"{sentence}, {here:.6f} pu in the scenario, {cure}")
    return proof


def _voltages(read: Read, scenario: Scenario, share: float, names: list[str]) -> FloatArray:
    """Voltages in the scenario when its loads are a share of what they are, prosumers' fixed loads with them."""
    feeder = scenario.build_feeder()
    drawn = share * (feeder.p_kw + 1j * feeder.q_kvar)
    for prosumer in scenario.prosumers.values():
        drawn[feeder.index(prosumer.bus)] += share * prosumer.fixed_peak_kw
    for machine in read.network.machines:
        drawn[feeder.index(machine.generator.bus)] -= complex(machine.p_kw, machine.q_kvar)
    drawn /= feeder.base_kw
    flow = RadialFlow(feeder).solve(drawn.real[:, None], drawn.imag[:, None])
    return np.sqrt(flow.voltage[[feeder.index(name) for name in names], 0])


def _light(read: Read, scenario: Scenario, names: list[str]) -> float:
    """The largest difference when loads are light; what is not a load of the original stays as it is."""
    net = deepcopy(read.original)
    for table in LOADS:
        net[table]["scaling"] *= LIGHT
    try:
        solve(net, read.network.title)
    except ScenarioError:  # what it is held against at the loads as given has a power flow
        return float("nan")
    original_pu = net.res_bus["vm_pu"].reindex(list(read.bus_names)).to_numpy(dtype=float)
    return float(np.abs(original_pu - _voltages(read, scenario, LIGHT, names)).max())


def rounded_up(pu: float) -> str:
    """A difference with one digit, rounded up."""
    if pu <= 0:
        return "1e-16"
    place = 10.0 ** np.floor(np.log10(pu))
    return f"{np.ceil(pu / place - 1e-9) * place:.0e}"
