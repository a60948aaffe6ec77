"""What do prices and bids do to each other where nobody shares? Chosen periods side by side, all at once.

At fixed trades (none, as in Case 1) a bid is its prosumer's alone, and periods have nothing to do with each other. So a
period may stand here as often as there are bids to look at in it, and only those that still move need be cleared.
"""

from dataclasses import replace

import numpy as np

from ...agents.homes import Homes
from ...agents.household import Household
from ...agents.messages import Deliveries
from ...agents.problems import Problems
from ...network.arrays import BoolArray, FloatArray, IntArray
from ...network.clearing import Clearing
from ..files.scenario import Scenario

_SERIES = ("fixed_kw", "renewable_kw", "elastic_min_kw", "elastic_max_kw", "bid_max_kw", "feed_in_max_kw")
_STILL_KW = 1e-3
"""Bids that move by less than this have come to rest, or are back where they were two steps before."""
_WORTH = 0.8
"""Solvers are set up anew for what still moves when that is at most this part of what they are set up for."""


class AloneMarket:
    """The market of a scenario without sharing, in some of its periods, each of them a column."""

    def __init__(self, scenario: Scenario, periods: IntArray) -> None:
        """Take out the periods.

        Args:
            scenario: The scenario.
            periods: Which period each column is, by index, (column,).
        """
        whole = scenario.build_clearing()
        self._clearing = Clearing(
            whole.feeder,
            whole.load_kw[:, periods],
            whole.load_kvar[:, periods],
            whole.dt_h,
            whole.value_of_lost_load_usd_per_kwh,
            physics=whole.physics,
            p_gen_min_kw=whole.p_gen_min_kw[:, periods],
            p_gen_max_kw=whole.p_gen_max_kw[:, periods],
        )
        homes = [_only(home, periods) for home in scenario.build_households()]
        self._at = np.array([whole.feeder.index(home.bus) for home in homes])
        nothing = np.zeros(0)
        self._problems = Problems(
            Homes(homes, nothing, nothing, np.zeros(len(homes) + 1, dtype=np.intp)), withdrawals=False
        )

    def lmp_usd_per_kwh(self, bid_kw: FloatArray) -> FloatArray:
        """What the DSO announces for these bids, (prosumer, column) each."""
        return np.asarray(self._clearing.clear(self._by_bus(bid_kw)).lmp_usd_per_kwh[self._at])

    def lmp_per_bid(self, bid_kw: FloatArray) -> FloatArray:
        """The sensitivities d LMP_i / d p_b,j at these bids, (column, prosumer, prosumer), in $/kWh per kW.

        Exact, from the KKT system of the clearing: see `network.slopes`.
        """
        buses, place = np.unique(self._at, return_inverse=True)
        root = self._clearing.slope_roots(self._clearing.solve(self._by_bus(bid_kw)), buses)[:, place]
        return np.asarray(root @ root.transpose(0, 2, 1))

    def bid_kw(self, lmp_usd_per_kwh: FloatArray) -> FloatArray:
        """What prosumers bid at these LMPs, (prosumer, column) each."""
        nothing, none = np.zeros_like(lmp_usd_per_kwh), np.zeros((0, lmp_usd_per_kwh.shape[1]))
        return self._problems.deliver(Deliveries(lmp_usd_per_kwh, none, none, nothing, nothing)).bid_kw

    def _by_bus(self, bid_kw: FloatArray) -> FloatArray:
        at_bus = np.zeros_like(self._clearing.load_kw)
        np.add.at(at_bus, self._at, bid_kw)
        return at_bus


def steps_of_algorithm_2(
    scenario: Scenario, periods: IntArray, start_kw: FloatArray, moves: BoolArray, most: int
) -> FloatArray:
    """The bids that the paper's Algorithm 2 clears one after the other, (step, prosumer, column).

    Args:
        scenario: The scenario.
        periods: Which period each column is, by index, (column,).
        start_kw: The first bids, (prosumer, column).
        moves: Who answers to LMPs, (prosumer, column); all others rest.
        most: So many steps; what has come to rest before, or goes to and fro between two bids, is repeated.
    """
    steps = [start_kw]
    open_ = ready = np.arange(periods.size)
    market = AloneMarket(scenario, periods)
    while len(steps) < most and open_.size:
        now, before = steps[-1][:, ready], steps[-2:][0][:, ready]
        after = np.where(moves[:, ready], market.bid_kw(market.lmp_usd_per_kwh(now)), now)
        steps.append(steps[-2:][0].copy())
        steps[-1][:, ready] = after
        moved = np.minimum(np.abs(after - now).max(axis=0), np.abs(after - before).max(axis=0))
        open_ = ready[moved > _STILL_KW]
        if 0 < open_.size <= _WORTH * ready.size:
            ready, market = open_, AloneMarket(scenario, periods[open_])
    while len(steps) < most:
        steps.append(steps[-2:][0])
    return np.array(steps)


def _only(home: Household, periods: IntArray) -> Household:
    """A household in some of its periods."""
    return replace(home, **{key: getattr(home, key)[periods] for key in _SERIES})
