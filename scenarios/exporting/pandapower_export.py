"""The network of a saved run in pandapower, with the dispatch of a period, limits and costs, or with all periods.

exported = PandapowerExport(run)
net = exported.net(18)                 # the dispatch of period 19, as a pandapowerNet
net = exported.net(18, profiles=True)  # and all others as profiles, for pandapower's run_timeseries

Loads are called "load BUS", prosumers (loads, too) and generators by their names. The first generator at the root is
pandapower's external grid, all others are static generators that an optimal power flow may control.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from math import inf
from typing import Any

import numpy as np

from ...network.arrays import BoolArray, FloatArray
from ...network.feeder import Feeder
from ...network.pandapower_net import import_pandapower, pandapower_net
from ..reporting.stored_run import StoredRun
from .bus_powers import BusPowers


@dataclass(frozen=True, slots=True, eq=False)
class Elements:
    """Loads or static generators: names, buses, and powers by period.

    Attributes:
        table: Their table in pandapower.
        names: What each is called.
        buses: The index of the bus of each.
        powers: By pandapower's column, MW or Mvar, (element, period).
    """

    table: str
    names: list[str]
    buses: list[int]
    powers: dict[str, FloatArray]

    def at(self, t: int) -> dict[str, FloatArray]:
        """The powers of one period."""
        return {column: values[:, t] for column, values in self.powers.items()}

    def varying(self) -> Iterator[tuple[str, FloatArray]]:
        """The columns that are not the same in all periods."""
        return ((column, values) for column, values in self.powers.items() if (values != values[:, :1]).any())


class PandapowerExport:
    """A saved run on its way to pandapower.

    Attributes:
        run: The run.
        powers: What stands at its buses.

    Raises:
        InputError: pandapower is missing.
    """

    def __init__(self, run: StoredRun) -> None:
        self.power = import_pandapower("--to pandapower")
        self.run = run
        self.powers = BusPowers.of(run)
        self.feeder: Feeder = run.feeder

    def net(self, t: int, *, profiles: bool = False) -> Any:
        """The network with the dispatch of period t (from 0), and with that of all others as profiles if asked for."""
        net = pandapower_net(self.power, self.feeder, self.run.scenario.feeder.frequency_hz)
        net.name = self.run.title
        for elements in self.elements:
            self._add(net, elements, t)
        self._grid(net, t)
        self._costs(net)
        if profiles:
            for elements in self.elements:
                _add_profiles(net, elements)
        return net

    def set_period(self, net: Any, t: int) -> None:
        """Put the dispatch of another period into a network that this has made."""
        for elements in self.elements:
            for column, values in elements.at(t).items():
                net[elements.table][column] = values

    @cached_property
    def elements(self) -> tuple[Elements, ...]:
        """The loads and the static generators; pandapower's tables have them in this order."""
        return tuple(each for each in (self._loads, self._generators) if each.names)

    @property
    def _loads(self) -> Elements:
        powers, feeder = self.powers, self.feeder
        drawing = np.flatnonzero((powers.load_kw != 0).any(axis=1) | (powers.load_kvar != 0).any(axis=1))
        homes = [feeder.index(bus) for bus in self.run.homes.values()]
        p_kw = np.vstack([powers.load_kw[drawing], powers.prosumer_kw])
        q_kvar = np.vstack([powers.load_kvar[drawing], np.zeros_like(powers.prosumer_kw)])
        names = [*(f"load {feeder.names[n]}" for n in drawing), *self.run.names]
        return Elements("load", names, [*map(int, drawing), *homes], {"p_mw": p_kw / 1e3, "q_mvar": q_kvar / 1e3})

    @property
    def _generators(self) -> Elements:
        """All generators but the grid, and what was not served as something that feeds in."""
        powers, feeder, own = self.powers, self.feeder, self._static
        short = powers.short_buses
        machines = [feeder.generators[k] for k in own]
        p_kw, missing = powers.p_gen_kw[own], powers.unserved_kw[short]
        columns = {
            "p_mw": np.vstack([p_kw, missing]) / 1e3,
            "q_mvar": np.vstack([powers.q_gen_kvar[own], powers.unserved_kvar[short]]) / 1e3,
            "min_p_mw": np.vstack([powers.p_gen_min_kw[own], missing]) / 1e3,
            "max_p_mw": np.vstack([powers.p_gen_max_kw[own], missing]) / 1e3,
        }
        names = [*(machine.name for machine in machines), *(f"unserved {feeder.names[n]}" for n in short)]
        buses = [*(int(feeder.generator_bus[k]) for k in own), *map(int, short)]
        return Elements("sgen", names, buses, columns)

    @property
    def _grid_machine(self) -> int | None:
        """The generator that is pandapower's external grid: the first one at the root."""
        return next((k for k, n in enumerate(self.feeder.generator_bus) if n == 0), None)

    @property
    def _static(self) -> list[int]:
        """The generators that are static ones in pandapower."""
        return [k for k in range(len(self.feeder.generators)) if k != self._grid_machine]

    def _add(self, net: Any, elements: Elements, t: int) -> None:
        columns = elements.at(t)
        if elements.table == "load":
            self.power.create_loads(net, elements.buses, name=elements.names, **columns)
            return
        machines = [self.feeder.generators[k] for k in self._static]
        fixed = len(elements.names) - len(machines)  # what was not served cannot be dispatched
        limits = {
            "min_q_mvar": [*(_mvar(machine.q_min_kvar) for machine in machines), *[np.nan] * fixed],
            "max_q_mvar": [*(_mvar(machine.q_max_kvar) for machine in machines), *[np.nan] * fixed],
            "controllable": [True] * len(machines) + [False] * fixed,
        }
        self.power.create_sgens(net, elements.buses, name=elements.names, **columns, **limits)

    def _grid(self, net: Any, t: int) -> None:
        """What the external grid is called and bounded by; one where no generator stands at the root feeds nothing."""
        k = self._grid_machine
        if k is None:
            net.ext_grid["name"] = f"root {self.feeder.root}"
            return
        machine = self.feeder.generators[k]
        net.ext_grid["name"] = machine.name
        net.ext_grid["min_p_mw"] = self.powers.p_gen_min_kw[k, t] / 1e3
        net.ext_grid["max_p_mw"] = self.powers.p_gen_max_kw[k, t] / 1e3
        net.ext_grid["min_q_mvar"], net.ext_grid["max_q_mvar"] = _mvar(machine.q_min_kvar), _mvar(machine.q_max_kvar)

    def _costs(self, net: Any) -> None:
        """(1) per MW, in $ where pandapower says eur."""
        places = {k: ("sgen", row) for row, k in enumerate(self._static)}
        if self._grid_machine is not None:
            places[self._grid_machine] = ("ext_grid", 0)
        for k, (table, row) in sorted(places.items()):
            machine = self.feeder.generators[k]
            self.power.create_poly_cost(
                net,
                row,
                table,
                cp0_eur=machine.c_usd_per_h,
                cp1_eur_per_mw=1e3 * machine.b_usd_per_kwh,
                cp2_eur_per_mw2=1e6 * machine.a_usd_per_kw2h,
            )


def _mvar(limit_kvar: float) -> float:
    """A limit of reactive power; none is no number to pandapower."""
    return float("nan") if abs(limit_kvar) == inf else limit_kvar / 1e3


def _add_profiles(net: Any, elements: Elements) -> None:
    """What varies as profiles, with time steps from 0, and what puts them into the network step by step."""
    import pandas as pd
    from pandapower.control import ConstControl
    from pandapower.timeseries import DFData

    for column, values in elements.varying():
        moving: BoolArray = (values != values[:, :1]).any(axis=1)
        rows = [int(row) for row in np.flatnonzero(moving)]
        source = DFData(pd.DataFrame(values[rows].T, columns=rows))
        ConstControl(net, elements.table, column, element_index=rows, profile_name=rows, data_source=source)
