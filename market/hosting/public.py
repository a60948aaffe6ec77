"""What the market knows of prosumers that live elsewhere."""

import numpy as np

from ...agents.mesa_library import mesa
from ...agents.platform import SharingPlatform
from ...network.arrays import FloatArray


class PublicProsumer(mesa.Agent):
    """The public side of a prosumer, as an agent of the market.

    It has the names of a `Prosumer` for what that has published, as far as it has arrived.

    Attributes:
        name, bus: Its name, and the bus of the feeder it is connected to.
    """

    def __init__(self, model: mesa.Model, platform: SharingPlatform, index: int, bus: str) -> None:
        """Show what is known of the prosumer with this index.

        Args:
            model: Its market, whose last round has the bids.
            platform: The platform of that market.
            index: Which prosumer it is.
            bus: The bus of the feeder it is connected to.
        """
        super().__init__(model)
        self._platform, self._index = platform, index
        self.name, self.bus = platform.graph.names[index], bus

    @property
    def power_kw(self) -> FloatArray:
        """The sharing powers that it offered last, (link, period)."""
        return np.asarray(self._platform.power_kw[self._platform.graph.arcs(self._index)])

    @property
    def bid_kw(self) -> FloatArray:
        """Its bid as it stands, (period,): beside its last offer, or once sharing has ended, of its schedule."""
        known = self.model.last or self.model
        return np.asarray(known.bid_kw[self._index])
