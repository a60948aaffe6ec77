"""The system operator agent."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from ..network.arrays import FloatArray, IntArray, frozen
from ..network.cleared_period import ClearedPeriod
from ..network.clearing import Clearing
from ..network.dispatch import Dispatch
from ..network.near_limits import NearLimits
from ..network.tangent import Tangent
from .mesa_library import mesa
from .messages import Asks, Sale
from .operator_state import ElasticClearing, OperatorState
from .places import living


class SystemOperator(mesa.Agent):
    """The DSO: owns the feeder, clears (1)-(10) for the bids, and announces to each prosumer the LMP of its bus.

    Attributes:
        clearing: The distribution market on its feeder.
        connection: Bus index of each prosumer, (prosumer,).
        buses: The buses with a prosumer, (bus,).
        place: Which of `buses` each prosumer is at, (prosumer,).
        first: The first prosumer at each of `buses`, (bus,).
        state: All that it remembers.
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
        self.buses, self.first, self.place = np.unique(self.connection, return_index=True, return_inverse=True)
        self._living = living(self.place, self.buses.size)
        self.state = OperatorState()

    def clear(self, bid_kw: FloatArray) -> Dispatch:
        """Algorithm 2, line 5: the optimal dispatch for the bids, (prosumer, period)."""
        starts = self.state.tangents
        periods = self._solved(bid_kw, starts)
        dispatch = self.clearing.dispatch(periods)
        self.state = replace(
            self.state,
            clearings=self.state.clearings + 1,
            bid_kw=bid_kw,
            dispatch=dispatch,
            periods=periods,
            starts=starts,
            tangents=tuple(period.tangent for period in periods),
        )
        return dispatch

    def foreseen(self, bid_kw: FloatArray) -> Dispatch:
        """The dispatch that these bids, (prosumer, period), would have; nothing is cleared or remembered."""
        if self.state.dispatch is not None and np.array_equal(bid_kw, self.bid_kw):
            return self.state.dispatch
        return self.clearing.dispatch(self._solved(bid_kw, self.state.tangents))

    def _solved(self, bid_kw: FloatArray, starts: Sequence[Tangent | None]) -> tuple[ClearedPeriod, ...]:
        at_bus = np.zeros((len(self.clearing.feeder.buses), bid_kw.shape[1]))
        at_bus[self.buses] = self.by_bus(bid_kw)
        return self.clearing.solve(at_bus, starts)

    def sell(self, asks: Asks) -> Sale:
        """What the DSO would rather sell than the bids, and at which LMPs: min V(w) - price w + weight |w - bid|²/2.

        By how much the LMPs leave the price, over the weight, w leaves the bid. w is weighed at the mean of the prices
        at a bus, by 1 / weight.
        """
        free = self.by_bus(1 / asks.weight_usd_per_kw2h)
        price = self.by_bus(asks.price_usd_per_kwh / asks.weight_usd_per_kw2h) / free
        tangents = list(self.state.tangents) or [None] * self.clearing.periods
        chosen, cleared = self.clearing.solve_elastic(
            asks.periods,
            self.buses,
            price,
            1 / free,
            self.by_bus(asks.bid_kw),
            [tangents[t] for t in asks.periods],
        )
        dispatch = self.clearing.dispatch(cleared)
        sale = ElasticClearing(asks.periods, chosen, self.clearing.values_usd(cleared), dispatch)
        for t, period in zip(asks.periods, cleared, strict=True):
            tangents[t] = period.tangent
        count = self.state.elastic_clearings + 1
        self.state = replace(self.state, elastic_clearings=count, sale=sale, sold=cleared, tangents=tuple(tangents))
        return Sale(dispatch.lmp_usd_per_kwh[self.connection], self.clearing.concavity(cleared, self.buses))

    def stand_by_sale(self, periods: IntArray) -> float:
        """Hold on to the prices of the last sale in these periods, and say what the DSO regrets of the bids at them.

        A sale's LMPs are a gradient of V at what was sold, so min_w [V(w) - LMP w] is known without another clearing.
        The rest of the dispatch stays that of the bids, which were cleared last.

        Returns:
            V(bids) - LMP bids - min_w [V(w) - LMP w] over these periods, in $, solver noise below zero left out; 0 and
            nothing done if there was no sale of exactly these periods.
        """
        sale = self.state.sale
        if sale is None or not np.array_equal(sale.periods, periods):
            return 0.0
        lmp = sale.dispatch.lmp_usd_per_kwh[self.buses]
        worth = self.clearing.dt_h * (lmp * (self.by_bus(self.bid_kw)[:, periods] - sale.sold_kw)).sum(axis=0)
        regret = self.values_usd[periods] - sale.values_usd - worth
        self.state = replace(self.state, dispatch=self.cleared.with_prices_of(sale.dispatch, periods))
        return float(np.maximum(regret, 0.0).sum())

    def by_bus(self, values: FloatArray) -> FloatArray:
        """Sums over the prosumers of each of `buses`, (bus, period), of (prosumer, period)."""
        return np.asarray(self._living @ values)

    @property
    def bid_kw(self) -> FloatArray:
        """The bids last cleared, (prosumer, period); call `clear` first."""
        assert self.state.bid_kw is not None, "nothing has been cleared"
        return self.state.bid_kw

    @property
    def cleared(self) -> Dispatch:
        """The last clearing; call `clear` first."""
        assert self.state.dispatch is not None, "nothing has been cleared"
        return self.state.dispatch

    @property
    def oversold(self) -> bool:
        """Whether bids ask for more than the feeder carries in a period whose LMPs say nothing of that.

        At a kink, bids that are not quite what the DSO would sell may be short by a little.
        """
        dispatch = self.cleared
        short = dispatch.short_periods
        prices = np.vstack([dispatch.lmp_usd_per_kwh, dispatch.q_price_usd_per_kvarh])[:, short]
        return bool((np.abs(prices).max(axis=0) < 0.99 * dispatch.value_of_lost_load_usd_per_kwh).any())

    @property
    def short_periods(self) -> IntArray:
        """The periods in which the last clearing is short, in order."""
        return np.array(sorted(self.cleared.short_periods), dtype=np.intp)

    @property
    def values_usd(self) -> FloatArray:
        """V of the bids last cleared, (period,) in $."""
        return self.clearing.values_usd(self.state.periods)

    def slope_roots(self) -> FloatArray:
        """How LMPs follow bids at the last clearing, between `buses`, by factors: see `Clearing.slope_roots`."""
        return self.clearing.slope_roots(self.state.periods, self.buses)

    def slopes_and_limits(self, at_sale: IntArray) -> tuple[FloatArray, NearLimits]:
        """The same while no limit is in the way, and the limits near to binding: see `Clearing.slopes_and_limits`.

        Args:
            at_sale: In which periods they are those of what it would have sold when it was asked last.
        """
        periods = list(self.state.periods)
        if self.state.sale and at_sale.size:
            sold = dict(zip(self.state.sale.periods.tolist(), self.state.sold, strict=True))
            for t in at_sale:
                periods[t] = sold[int(t)]
        return self.clearing.slopes_and_limits(periods, self.buses)

    def announce(self) -> FloatArray:
        """The LMP of every prosumer's bus, (prosumer, period); call `clear` first."""
        return self.lmps_of(self.cleared)

    def lmps_of(self, dispatch: Dispatch) -> FloatArray:
        """The same of another dispatch."""
        return frozen(dispatch.lmp_usd_per_kwh[self.connection])

    def restore(self, state: OperatorState) -> None:
        """Go on from a `state`, of this operator or of one of the same feeder."""
        periods = state.periods
        if state.bid_kw is not None and not periods:
            periods = self._solved(state.bid_kw, state.starts)  # to the same bits: clearings remember nothing
        self.state = replace(state, periods=periods)
