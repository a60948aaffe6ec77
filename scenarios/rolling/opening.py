"""The scenarios of windows: each is an ordinary one, in which stores begin with what they hold."""

from __future__ import annotations

import numpy as np

from ...market.setup import graph_of
from ...network.arrays import FloatArray
from ..files.scenario import Scenario
from .forecasts import planned, spare_kw
from .stores import home_stores
from .windows import Window, windows_of


class Windows:
    """The windows of a scenario with a horizon, and what each begins with.

    Attributes:
        all: The windows, in order.
        homes: The households over the whole horizon, with their actual loads and renewables.
        graph: Who of them may trade with whom.
        paths: Their stores, household by household, in the order of results.
    """

    def __init__(self, scenario: Scenario) -> None:
        """Divide a scenario, whose horizon is checked (`check_horizon`)."""
        horizon = scenario.horizon
        assert horizon is not None
        self._scenario = scenario
        self.all = windows_of(horizon, scenario.periods, scenario.dt_h)
        self.homes = scenario.build_households()
        self.graph = graph_of(self.homes, scenario.build_links(), scenario.settings.case)
        self._stores = home_stores(self.homes, spare_kw(scenario, self.homes, self.graph), self.all)
        self.paths = [path for stores in self._stores for path in stores.paths]

    @property
    def begin_kwh(self) -> FloatArray:
        """What stores hold before the first window, (store,)."""
        return np.array([path.begin_kwh for path in self.paths])

    def name(self, window: Window) -> str:
        """Which it is, and from when to when: "window 2 of 3 (day 2, 00:00-24:00)"."""
        return f"window {window.number:,} of {len(self.all):,} ({window.span(self._scenario.when)})"

    def scenario(self, window: Window, levels_kwh: FloatArray) -> Scenario:
        """The scenario of a window whose stores begin with these levels, (store,)."""
        part = planned(self._scenario, window)
        if len(self.all) == 1 or not self.paths:
            return part
        homes = dict(part.prosumers)
        left_kwh = levels_kwh.tolist()
        for stores in self._stores:
            count = len(stores.paths)
            mine, left_kwh = left_kwh[:count], left_kwh[count:]
            for path, store in zip(stores.paths, stores.rows(window, mine), strict=True):
                row = homes[path.owner]
                homes[path.owner] = row.model_copy(update={"devices": {**row.devices, path.store.name: store}})
        return part.model_copy(update={"prosumers": homes})
