"""A device that is tried: laid out for some horizons, against a linear program, and in a small market."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.optimize import linprog

from ...agents.devices.device import Device, DeviceError
from ...agents.devices.device_block import DeviceBlock
from ...agents.household import Household
from ...market.energy_market import EnergyMarket
from ...market.hosting.options import Hosting
from ...network.arrays import FloatArray
from ..files.scenario import Scenario
from .trial import opened

if TYPE_CHECKING:
    from ...market.hosting.backend import Backend

_SEED = 5
DRAWS = 6
"""So many schedules are drawn, each a vertex for prices by chance."""


@dataclass(frozen=True)
class DeviceTrial:
    """Lays out a device, and opens markets in which one prosumer owns it.

    Attributes:
        make: What makes the device.
        scenario: The scenario.
        prosumer: Whose device it is; it has no other there.
    """

    make: Callable[[], Device]
    scenario: Scenario
    prosumer: str

    @classmethod
    def of(cls, make: Callable[[], Device], scenario: str = "", prosumer: str = "") -> DeviceTrial:
        """The trial of a device in a scenario (two_homes by default), as this prosumer's, or as the first one's.

        Raises:
            ScenarioError: There is no such scenario or prosumer.
        """
        return cls(make, *opened(scenario or "two_homes", prosumer))

    @cached_property
    def device(self) -> Device:
        """A new one."""
        return self.make()

    @property
    def dt_h(self) -> float:
        """Length of a period of the scenario in hours."""
        return self.scenario.dt_h

    def horizons(self) -> Iterator[tuple[int, DeviceBlock]]:
        """Numbers of periods, and what it is for so many: those of the scenario, and fewer where it takes fewer."""
        whole = self.scenario.periods
        for periods in sorted({1, 2, max(whole // 2, 1), whole}):
            try:
                yield periods, self.device.block(periods, self.dt_h)
            except DeviceError:
                if periods == whole:
                    raise

    @cached_property
    def block(self) -> DeviceBlock:
        """What it is for the periods of the scenario."""
        return self.device.block(self.scenario.periods, self.dt_h)

    @cached_property
    def schedules(self) -> list[FloatArray]:
        """What it would do at prices of energy by chance, (column, period) each; none if it can do nothing."""
        rng, block = np.random.default_rng(_SEED), self.block
        prices = rng.uniform(-1.0, 1.0, (DRAWS, block.periods))
        found = (cheapest(block, block.linear_usd_per_h - price * block.injection) for price in prices)
        return [columns for columns in found if columns is not None]

    def homes(self) -> list[Household]:
        """The households of the scenario, of which one owns the device."""
        homes = self.scenario.build_households()
        return [replace(home, devices=(self.make(),) if home.name == self.prosumer else ()) for home in homes]

    def market(self, backend: Backend | None = None, **settings: Any) -> EnergyMarket:
        """A market with it, at its beginning.

        Args:
            backend: Where prosumers live; in this process by default.
            settings: Those of the market that differ from the scenario's.
        """
        return EnergyMarket(
            self.scenario.build_clearing(),
            self.homes(),
            self.scenario.build_links(),
            settings=replace(self.scenario.build_settings(), **settings),
            rng=_SEED,
            hosting=Hosting(backend),
        )


def cheapest(block: DeviceBlock, price: FloatArray) -> FloatArray | None:
    """The columns that cost least at a price of each, (column, period); None if none keep all bounds and rows."""
    found = solved(block, price.ravel())
    return None if found is None else found.reshape(block.low.shape)


def solved(block: DeviceBlock, price: FloatArray, more: Any = None) -> FloatArray | None:
    """A vertex of the block's columns (HiGHS), flat; None if it is empty.

    Args:
        block: Bounds and rows.
        price: Of each column and of the variables that `more` adds, flat.
        more: Rows (matrix, low, high) over the columns and variables of at least 0 behind them.
    """
    import scipy.sparse as sp

    size = block.low.size
    rows, low, high = sp.csr_array(block.rows), block.row_low, block.row_high
    if more is not None:
        rows = sp.vstack([sp.hstack([rows, sp.csr_array((rows.shape[0], price.size - size))]), more[0]], format="csr")
        low, high = np.concatenate([low, more[1]]), np.concatenate([high, more[2]])
    equal, above, below = low == high, np.isfinite(high), np.isfinite(low)
    above, below = above & ~equal, below & ~equal
    bounds = [*zip(block.low.ravel().tolist(), block.high.ravel().tolist(), strict=True)]
    matrix: Any = sp.vstack([rows[above], -rows[below]], format="csr")
    found: Any = linprog(
        price,
        A_ub=matrix,
        b_ub=np.concatenate([high[above], -low[below]]),
        A_eq=rows[equal],
        b_eq=low[equal],
        bounds=[*bounds, *[(0.0, None)] * (price.size - size)],
    )
    return np.asarray(found.x) if found.success else None
