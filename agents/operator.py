"""The system operator agent."""

from collections.abc import Sequence

import mesa
import numpy as np

from ..network.clearing import Clearing
from ..network.dispatch import Dispatch
from .arrays import FloatArray, IntArray, frozen


class SystemOperator(mesa.Agent):
    """The DSO: owns the feeder, clears (1)-(10) for the bids, and announces to each prosumer the LMP of its bus.

    Attributes:
        clearing: The distribution market on its feeder.
        connection: Bus index of each prosumer, (prosumer,).
    """

    def __init__(self, model: mesa.Model, clearing: Clearing, buses: Sequence[str]) -> None:
        """Take over the feeder.

        Args:
            model: The market.
            clearing: The distribution market on its feeder.
            buses: The bus of each prosumer.

        Raises:
            FeederError: A prosumer's bus is not on the feeder.
        """
        super().__init__(model)
        self.clearing = clearing
        self.connection: IntArray = np.array([clearing.feeder.index(bus) for bus in buses], dtype=np.intp)
        self._dispatch: Dispatch | None = None

    def clear(self, bid_kw: FloatArray) -> Dispatch:
        """Algorithm 2, line 5: the optimal dispatch for the bids, (prosumer, period)."""
        at_bus = np.zeros((len(self.clearing.feeder.buses), bid_kw.shape[1]))
        np.add.at(at_bus, self.connection, bid_kw)
        self._dispatch = self.clearing.clear(at_bus)
        return self._dispatch

    @property
    def cleared(self) -> Dispatch:
        """The last clearing; call `clear` first."""
        assert self._dispatch is not None, "nothing has been cleared"
        return self._dispatch

    def announce(self) -> FloatArray:
        """The LMP of every prosumer's bus, (prosumer, period); call `clear` first."""
        return frozen(self.cleared.lmp_usd_per_kwh[self.connection])
