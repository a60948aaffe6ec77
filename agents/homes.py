"""Many households side by side, in arrays."""

from __future__ import annotations

from collections.abc import Sequence
from copy import copy

import numpy as np

from ..network.arrays import FloatArray, IntArray
from .household import Household, Valuation
from .places import sums_by_owner

_SMALLEST_KW = 1.0  # a smaller household is out of its limits when it is so by a thousandth of this
_NUMBERS = 10  # of a home in a period, see `knapsack.share`


class Homes(Valuation):
    """The private data of some prosumers, and which arcs of the trade graph are theirs.

    Attributes:
        count, periods: How many prosumers and periods.
        cells: The numbers of each in each period, (prosumer, period, 10), see `knapsack.share`.
        everybody: All of them, by index, (prosumer,).
        cap_kw, fee_usd_per_kwh: Cap of each of their arcs, and their own half of its fee, (arc,).
        starts: Where the arcs of each begin, (prosumer + 1,).
        size_kw: The largest load or forecast of each, (prosumer,); limits of bids and links say nothing of it.
        net_kw, renewable_kw, elastic_min_kw, elastic_max_kw, bid_min_kw, bid_max_kw: As of `Household`, with net what
            is fixed less renewables, (prosumer, period).
        alpha_usd_per_kw2h, beta_usd_per_kwh, grid_fee_usd_per_kwh, feed_in_fee_usd_per_kwh: (prosumer, 1).
        dt_h: Length of a period in hours.
    """

    def __init__(
        self,
        households: Sequence[Household],
        cap_kw: FloatArray,
        fee_usd_per_kwh: FloatArray,
        starts: IntArray,
    ) -> None:
        """Put them side by side.

        Args:
            households: The private data; at least one, with periods alike.
            cap_kw: Cap of each of their arcs, (arc,), sorted by owner.
            fee_usd_per_kwh: What a kWh on each costs both ends together beside its price, (arc,).
            starts: Where the arcs of each begin, (prosumer + 1,).
        """
        self.count, self.periods, self.dt_h = len(households), households[0].periods, households[0].dt_h
        self.cap_kw, self.fee_usd_per_kwh, self.starts = cap_kw, fee_usd_per_kwh / 2, starts
        self.cells = np.empty((self.count, self.periods, _NUMBERS))
        for cell, home in zip(self.cells, households, strict=True):
            cell[:, 0], cell[:, 1] = home.fixed_kw - home.renewable_kw, home.renewable_kw
            cell[:, 2], cell[:, 3], cell[:, 4] = home.elastic_min_kw, home.elastic_max_kw, home.beta_usd_per_kwh
            cell[:, 5], cell[:, 6] = home.bid_min_kw, home.bid_max_kw
            cell[:, 7], cell[:, 8] = home.grid_fee_usd_per_kwh, home.feed_in_fee_usd_per_kwh
            cell[:, 9] = 2 * home.alpha_usd_per_kw2h
        (
            self.net_kw,
            self.renewable_kw,
            self.elastic_min_kw,
            self.elastic_max_kw,
            _,
            self.bid_min_kw,
            self.bid_max_kw,
        ) = (np.ascontiguousarray(self.cells[:, :, k]) for k in range(7))
        self.beta_usd_per_kwh, self.grid_fee_usd_per_kwh, self.feed_in_fee_usd_per_kwh, bend = (
            self.cells[:, :1, k] for k in (4, 7, 8, 9)
        )
        self.alpha_usd_per_kw2h = bend / 2
        own = (self.net_kw + self.renewable_kw, self.renewable_kw, self.elastic_max_kw)
        self.size_kw = np.maximum(np.max([series.max(axis=1) for series in own], axis=0), _SMALLEST_KW)
        self.everybody: IntArray = np.arange(self.count)
        self._sums = sums_by_owner(starts)

    def check_balance(self, households: Sequence[Household]) -> None:
        """Refuse households, these, that cannot balance some period (13): see `Household.check_balance`.

        Raises:
            HouseholdShortageError: Of the first that cannot.
        """
        caps = self.by_home(self.cap_kw)
        missing = (self.net_kw + self.elastic_min_kw - self.bid_max_kw).max(axis=1) - caps
        for i in np.flatnonzero(missing > 0).tolist():
            households[i].check_balance(float(caps[i]))

    def drawing_less(self, power_kw: FloatArray) -> Homes:
        """The same with a load that is less by so much, (prosumer, period)."""
        homes = copy(self)
        homes.cells = self.cells.copy()
        homes.net_kw = homes.cells[:, :, 0] = self.net_kw - power_kw
        return homes

    def arcs(self, prosumer: int) -> slice:
        """The arcs that a prosumer owns."""
        return slice(int(self.starts[prosumer]), int(self.starts[prosumer + 1]))

    def arcs_of(self, prosumers: IntArray) -> IntArray:
        """The arcs that these own, (arc,)."""
        first, links = self.starts[prosumers], self.starts[prosumers + 1] - self.starts[prosumers]
        return np.repeat(first - np.cumsum(links) + links, links) + np.arange(links.sum())

    def by_home(self, values: FloatArray) -> FloatArray:
        """Sums over the arcs of each, (prosumer, ...), of (arc, ...)."""
        return np.asarray(self._sums @ values)

    def owned(self, values: FloatArray) -> FloatArray:
        """What is of prosumers, (prosumer, period), as (arc, period)."""
        return np.repeat(values, np.diff(self.starts), axis=0)
