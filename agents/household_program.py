"""A prosumer's problem as a quadratic program: its columns, rows and bounds, for whichever solver.

Columns per period are the order x to the DSO, the curtailment c, the elastic load e and one trade p_j per link; then
what is split off as sold, s, of each of these that has fees; then the columns d of devices. With dt taken out (it
multiplies every term), and with the prices and weights of whoever asks, the problem of one prosumer is

    min   price x + (weight/2) x² - (beta e - alpha e²) + fees(p_b)
          + sum_j [ price_j p_j + (weight_j/2) p_j² + fee_j |p_j| ] + cost(d)
    s.t.  p_b - c - e + sum_j p_j + injection d = p_fix - p_res                              (13)
          -feed_in_max <= p_b <= p_b_max, 0 <= c <= p_res, e_min <= e <= e_max, |p_j| <= cap_j     (14) (15) (17)
          bounds and rows of d

The order is the bid, x = p_b, where the DSO clears for bids (the paper), and the withdrawal, x = p_b + sum_j p_j, where
trades load the wires; then price_j is a mark-up on the LMP. So trades stand either in the balance row or in that of
(17). A bid or trade p with fees is split by one more variable s >= 0, p + s >= 0: p + s is bought and s sold.
"""

from __future__ import annotations

import numpy as np
import scipy.sparse as sp

from ..network.arrays import FloatArray, IntArray
from .household import Household
from .plan import BID, ELASTIC, TRADES, Plan


class HouseholdProgram:
    """The data of the program; column k in period t is element `k * periods + t`, and so are rows but for the last.

    Attributes:
        household: Whose it is.
        periods, blocks: How many periods, and columns per period, there are.
        rows: The constraints: balance, limits, splits, then bounds and rows of devices, (row, column).
        low, high: Their bounds in kW, or in units of a device's own, (row,).
        curved: The columns per period that may have a quadratic cost.
    """

    def __init__(
        self, household: Household, cap_kw: FloatArray, fee_usd_per_kwh: FloatArray, *, withdrawals: bool = False
    ) -> None:
        """Lay it out.

        Args:
            household: The private data.
            cap_kw: Cap of each of its links, (link,).
            fee_usd_per_kwh: Its own half of what a kWh on each of them costs beside its price, (link,).
            withdrawals: Whether its order to the DSO is what it withdraws, trades included, or its bid.
        """
        self.household, self.periods = household, household.periods
        self._withdrawals, self._fee = withdrawals, fee_usd_per_kwh
        self._links, self._fleet = cap_kw.size, household.fleet
        nothing = np.zeros(self.periods)
        cap = np.tile(cap_kw[:, None], self.periods)
        self._low = np.vstack([household.bid_min_kw, nothing, household.elastic_min_kw, -cap])
        self._high = np.vstack([household.bid_max_kw, household.renewable_kw, household.elastic_max_kw, cap])
        fees = [household.grid_fee_usd_per_kwh + household.feed_in_fee_usd_per_kwh, 0.0, 0.0, *fee_usd_per_kwh]
        self._split = np.flatnonzero(fees)  # rows of the variables that are bought and sold at different prices
        self._plain = 3 + self._links + self._split.size
        self.blocks = self._plain + self._fleet.columns
        bent = self._plain + np.flatnonzero(self._fleet.quadratic_usd_per_h.any(axis=1))
        self.curved: IntArray = np.array([BID, ELASTIC, *range(3, 3 + self._links), *bent])
        self.rows = self._tied()
        low, high = self._low[self._split], self._high[self._split]
        self.low = self._bounds(self._low, 0 * low, 0 * low, self._fleet.low, self._fleet.row_low)
        self.high = self._bounds(self._high, -low, high - low, self._fleet.high, self._fleet.row_high)

    def curvature(self, weight: FloatArray) -> FloatArray:
        """The second derivative of the cost in the `curved` columns, (curved * period,).

        Args:
            weight: Of the order, then of the trades, (1 + link, period).
        """
        elastic = np.full(self.periods, 2 * self.household.alpha_usd_per_kw2h)
        bent = 2 * self._fleet.quadratic_usd_per_h[self.curved[2 + self._links :] - self._plain]
        return np.concatenate([weight[0], elastic, weight[1:].ravel(), bent.ravel()])

    def prices(self, lmp: FloatArray, price: FloatArray) -> FloatArray:
        """The linear cost: fees are on the bid and on trades bought, and twice as much on what is split off as sold.

        Args:
            lmp: What a kWh of the order costs, (period,).
            price: What one of each trade costs beside that, (link, period).
        """
        home, fee = self.household, self._fee
        beta = np.full(self.periods, home.beta_usd_per_kwh)
        in_order = home.grid_fee_usd_per_kwh if self._withdrawals else 0.0
        sold = np.array([home.grid_fee_usd_per_kwh + home.feed_in_fee_usd_per_kwh, 0.0, 0.0, *(2 * fee)])[self._split]
        costs = [
            lmp + home.grid_fee_usd_per_kwh,
            np.zeros(self.periods),
            -beta,
            (price + (fee - in_order)[:, None]).ravel(),
            np.repeat(sold, self.periods),
            self._fleet.linear_usd_per_h.ravel(),
        ]
        return np.concatenate(costs)

    def plan(self, columns: FloatArray) -> Plan:
        """The plan that columns stand for, (block * period,), each power within its limits."""
        powers = columns.reshape(-1, self.periods)
        own = powers[: len(self._low)].copy()
        if self._withdrawals:
            own[BID] -= own[TRADES].sum(axis=0)
        device = np.clip(powers[self._plain :], self._fleet.low, self._fleet.high)
        return Plan.of(np.vstack([np.clip(own, self._low, self._high), device]), len(device))

    @property
    def limits(self) -> tuple[FloatArray, FloatArray]:
        """Least and most of all columns, (block, period) each; of the order, where that is the bid."""
        sold = -self._low[self._split]
        least = np.vstack([self._low, 0 * sold, self._fleet.low])
        return least, np.vstack([self._high, sold, self._fleet.high])

    @property
    def first_device(self) -> int:
        """The first column of devices."""
        return self._plain

    def device(self, columns: FloatArray) -> FloatArray:
        """The columns of devices of these, (column, period)."""
        return columns.reshape(-1, self.periods)[self._plain :]

    def _tied(self) -> sp.csc_matrix:
        periods, size = self.periods, self._fleet.columns * self.periods
        plain = sp.csr_array(sp.kron(self._one_period(), sp.identity(periods)))
        cell = np.arange(size)
        injected = sp.csr_array((self._fleet.injection.ravel(), (cell % periods, cell)), (plain.shape[0], size))
        own = sp.csr_array(sp.vstack([sp.eye_array(size), self._fleet.rows], format="csr"))
        nothing = sp.csr_array((own.shape[0], plain.shape[1]))
        rows = sp.csc_matrix(sp.block_array([[plain, injected], [nothing, own]]))
        rows.eliminate_zeros()
        rows.sort_indices()
        return rows

    def _one_period(self) -> FloatArray:
        """The constraints of one period: balance (13), limits (17) (14) (15), splits; a column for each variable."""
        splits = self._split.size
        balance = np.array([1.0, -1.0, -1.0, *[1.0] * self._links, *[0.0] * splits])
        limits = np.eye(balance.size)
        if self._withdrawals:  # the order has the trades in it, the bid is what is left without them
            balance[3 : 3 + self._links] = 0.0
            limits[BID, 3 : 3 + self._links] = -1.0
        split = limits[self._split] + limits[3 + self._links :]
        return np.vstack([balance, limits, split])

    def _bounds(self, *of: FloatArray) -> FloatArray:
        net = self.household.fixed_kw - self.household.renewable_kw
        return np.concatenate([net, *(part.ravel() for part in of)])
