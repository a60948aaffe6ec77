"""The system operator agent."""

from collections.abc import Sequence
from dataclasses import dataclass

import mesa
import numpy as np

from ..network.clearing import Clearing
from ..network.dispatch import Dispatch
from ..network.infeasibility.diagnosis import short_periods
from ..network.period_solver import ClearedPeriod
from .arrays import FloatArray, IntArray, frozen


@dataclass(frozen=True, slots=True)
class ElasticClearing:
    """What the DSO would have sold in some periods: (bus, period) in kW, V of that by period, and its prices."""

    periods: IntArray
    sold_kw: FloatArray
    values_usd: FloatArray
    dispatch: Dispatch


class SystemOperator(mesa.Agent):
    """The DSO: owns the feeder, clears (1)-(10) for the bids, and announces to each prosumer the LMP of its bus.

    Attributes:
        clearing: The distribution market on its feeder.
        connection: Bus index of each prosumer, (prosumer,).
        buses: The buses with a prosumer, (bus,).
        place: Which of `buses` each prosumer is at, (prosumer,).
        clearings, elastic_clearings: How often it has cleared for bids so far, and with elastic bids.
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
        self.buses, self.place = np.unique(self.connection, return_inverse=True)
        self.first: IntArray = np.array(
            [int(np.argmax(self.place == b)) for b in range(self.buses.size)], dtype=np.intp
        )
        self.clearings = self.elastic_clearings = 0
        self._dispatch: Dispatch | None = None
        self._sale: ElasticClearing | None = None
        self._periods: tuple[ClearedPeriod, ...] = ()

    def clear(self, bid_kw: FloatArray) -> Dispatch:
        """Algorithm 2, line 5: the optimal dispatch for the bids, (prosumer, period)."""
        at_bus = np.zeros((len(self.clearing.feeder.buses), bid_kw.shape[1]))
        np.add.at(at_bus, self.connection, bid_kw)
        self._periods = self.clearing.solve(at_bus)
        self._dispatch = self.clearing.dispatch(self._periods)
        self.clearings += 1
        return self._dispatch

    def sell(
        self, periods: IntArray, price_usd_per_kwh: FloatArray, weight_usd_per_kw2h: FloatArray, bid_kw: FloatArray
    ) -> FloatArray:
        """What the DSO would rather sell than the bids, and at which LMPs: min V(w) - price w + weight |w - bid|²/2.

        Args:
            periods: In which periods, (period,).
            price_usd_per_kwh: (prosumer, period) for these; w is weighed at the mean of those at a bus, by 1 / weight.
            weight_usd_per_kw2h, bid_kw: (prosumer, period) for these, weights above 0.

        Returns:
            The LMPs, (prosumer, period): by how much they leave the price, over the weight, w leaves the bid.
        """
        free = self.by_bus(1 / weight_usd_per_kw2h)
        chosen, cleared = self.clearing.solve_elastic(
            periods,
            self.buses,
            self.by_bus(price_usd_per_kwh / weight_usd_per_kw2h) / free,
            1 / free,
            self.by_bus(bid_kw),
        )
        self.elastic_clearings += 1
        self._sale = ElasticClearing(
            periods, chosen, self.clearing.values_usd(cleared), self.clearing.dispatch(cleared)
        )
        return self._sale.dispatch.lmp_usd_per_kwh[self.connection]

    def stand_by_sale(self, periods: IntArray, bid_kw: FloatArray) -> float:
        """Hold on to the prices of the last sale in these periods, and say what the DSO regrets of the bids at them.

        A sale's LMPs are a gradient of V at what was sold, so min_w [V(w) - LMP w] is known without another clearing.
        The rest of the dispatch stays that of the bids, (prosumer, period), which were cleared last.

        Returns:
            V(bids) - LMP bids - min_w [V(w) - LMP w] over these periods, in $, solver noise below zero left out; 0 and
            nothing done if there was no sale of exactly these periods.
        """
        sale = self._sale
        if sale is None or not np.array_equal(sale.periods, periods):
            return 0.0
        lmp = sale.dispatch.lmp_usd_per_kwh[self.buses]
        worth = self.clearing.dt_h * (lmp * (self.by_bus(bid_kw)[:, periods] - sale.sold_kw)).sum(axis=0)
        regret = self.values_usd[periods] - sale.values_usd - worth
        self._dispatch = self.cleared.with_prices_of(sale.dispatch, periods)
        return float(np.maximum(regret, 0.0).sum())

    def by_bus(self, bid_kw: FloatArray) -> FloatArray:
        """Sums over the prosumers of each of `buses`, (bus, period), of (prosumer, period)."""
        total = np.zeros((self.buses.size, bid_kw.shape[1]))
        np.add.at(total, self.place, bid_kw)
        return total

    @property
    def cleared(self) -> Dispatch:
        """The last clearing; call `clear` first."""
        assert self._dispatch is not None, "nothing has been cleared"
        return self._dispatch

    @property
    def oversold(self) -> bool:
        """Whether bids ask for more than the feeder carries in a period whose LMPs say nothing of that.

        At a kink, bids that are not quite what the DSO would sell may be short by a little.
        """
        dispatch = self.cleared
        short = short_periods(dispatch)
        prices = np.vstack([dispatch.lmp_usd_per_kwh, dispatch.q_price_usd_per_kvarh])[:, short]
        return bool((np.abs(prices).max(axis=0) < 0.99 * dispatch.value_of_lost_load_usd_per_kwh).any())

    @property
    def values_usd(self) -> FloatArray:
        """V of the bids last cleared, (period,) in $."""
        return self.clearing.values_usd(self._periods)

    def slopes(self) -> FloatArray:
        """How LMPs follow bids at the last clearing, between `buses`, (period, bus, bus) in $/kWh per kW."""
        return self.clearing.slopes(self._periods, self.buses)

    def announce(self) -> FloatArray:
        """The LMP of every prosumer's bus, (prosumer, period); call `clear` first."""
        return frozen(self.cleared.lmp_usd_per_kwh[self.connection])
