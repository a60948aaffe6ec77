"""(20) on OSQP: set up once, updated in place ever after; for `market.subproblem: osqp`, and the oracle of the tests.

Variables per period are the order x to the DSO, the curtailment c, the elastic load e and one trade p_j per link. With
dt taken out (it multiplies every term) the problem of one prosumer is

    min   LMP x + (weight/2) (x - held)² - (beta e - alpha e²) + fees(p_b) + sum_j fee_j |p_j|
          + sum_j [ pi_j p_j + (penalty_j/2) (p_j - anchor_j)² ]
    s.t.  p_b - c - e + sum_j p_j = p_fix - p_res                                              (13)
          -feed_in_max <= p_b <= p_b_max, 0 <= c <= p_res, e_min <= e <= e_max, |p_j| <= cap_j     (14) (15) (17)

The order is the bid, x = p_b, where the DSO clears for bids (the paper), and the withdrawal, x = p_b + sum_j p_j, where
trades load the wires; then pi_j is a mark-up on the LMP. So trades stand either in the balance row or in that of (17).
The quadratic of (20) and the proximal term are one square: rho (p + p_ji)² + sigma (p - p_ij)² has its minimum at
`anchor = (sigma p_ij - rho p_ji) / (rho + sigma)` and the curvature `penalty = rho + sigma`. A bid or trade p with fees
is split by one more variable s >= 0, p + s >= 0: p + s is bought and s sold.
"""

from __future__ import annotations

import signal

import numpy as np
import osqp
import scipy.sparse as sp

from ..network.arrays import FloatArray
from ..network.errors import SolverError
from .household import Household
from .messages import Quote
from .plan import BID, ELASTIC, TRADES, Plan
from .subproblem import Subproblem

_TOLERANCE = 1e-6  # relative to the prosumer's size and its marginal utility
_RHO = 0.1  # OSQP's own penalty, which every solve starts from
_USABLE = {"solved", "solved inaccurate", "maximum iterations reached"}
"""OSQP's outcomes that come with a point. A poor point can do no harm unseen: `deliver` balances what it makes of it,
and the bound of `least_cost_usd` is exact, so that a poor answer shows as regret."""


class OsqpSubproblem(Subproblem):
    """One prosumer's problem with (20) on OSQP; what is delivered and regretted is exact, as of a `Subproblem`.

    (20) is scaled by the prosumer's own size, so that a balcony panel and a plant are solved equally well.

    Attributes:
        point: Where the next solve of (20) starts: the scaled variables, then the multipliers of the last one,
            (row, period).
    """

    def __init__(
        self,
        household: Household,
        cap_kw: FloatArray,
        fee_usd_per_kwh: FloatArray | None = None,
        *,
        withdrawals: bool = False,
    ) -> None:
        """Set up the solver; arguments and errors as of `Subproblem`."""
        super().__init__(household, cap_kw, fee_usd_per_kwh, withdrawals=withdrawals)
        nothing = np.zeros(self.periods)
        cap = np.tile(cap_kw[:, None], self.periods)
        self._low = np.vstack([household.bid_min_kw, nothing, household.elastic_min_kw, -cap])
        self._high = np.vstack([household.bid_max_kw, household.renewable_kw, household.elastic_max_kw, cap])
        homes = self._row.homes
        self._net, self._size_kw = homes.net_kw[0], float(homes.size_kw[0])
        fees = [household.grid_fee_usd_per_kwh + household.feed_in_fee_usd_per_kwh, 0.0, 0.0, *self.fee_usd_per_kwh]
        self._split = np.flatnonzero(fees)  # rows of the variables that are bought and sold at different prices
        self._usd = household.beta_usd_per_kwh
        self._weight = np.zeros((1 + self.links, self.periods))  # of the order and of the trades
        self._solver = self._set_up()
        self._variables = 3 + self.links + self._split.size
        self.point = np.zeros((2 * self._variables + 1 + self._split.size, self.periods))

    def share(self, quote: Quote) -> Plan:
        """The answer to a quote: argmin of (20), proximal term and cost of a changed order included."""
        penalty = quote.penalty_usd_per_kw2h + quote.proximal_usd_per_kw2h
        pull = quote.proximal_usd_per_kw2h * quote.own_kw - quote.penalty_usd_per_kw2h * quote.partner_kw
        weight = np.vstack([quote.bid_weight_usd_per_kw2h, penalty])
        if not np.array_equal(weight, self._weight):
            self._weight = weight
            self._solver.update(Px=self._curvature(weight))
        held = quote.bid_weight_usd_per_kw2h * quote.held_bid_kw
        self._solver.update(q=self._prices(quote.lmp_usd_per_kwh - held, quote.price_usd_per_kwh - pull))
        return self._plan(self._solve())

    def _set_up(self) -> osqp.OSQP:
        blocks = 3 + self.links + self._split.size
        curved = [BID, ELASTIC, *range(3, 3 + self.links)]
        slots = (np.array(curved)[:, None] * self.periods + np.arange(self.periods)).ravel()
        diagonal = np.zeros(blocks * self.periods)
        quadratic = sp.csc_matrix((diagonal[slots], (slots, slots)), shape=(diagonal.size, diagonal.size))
        quadratic.data[:] = self._curvature(self._weight)
        rows = sp.csc_matrix(sp.kron(self._rows(), sp.identity(self.periods)))
        rows.sort_indices()
        low, high = self._low[self._split], self._high[self._split]
        solver = osqp.OSQP()
        solver.setup(
            quadratic,
            diagonal,
            rows,
            self._bounds(self._low, 0 * low, 0 * low),
            self._bounds(self._high, -low, high - low),
            verbose=False,
            eps_abs=_TOLERANCE,
            eps_rel=_TOLERANCE,
            max_iter=20_000,
            scaling=0,  # (20) is scaled already, and OSQP's own scaling would remember earlier prices
            rho=_RHO,
            check_termination=10,
            adaptive_rho_interval=20,
            eps_prim_inf=1e-10,  # narrow limits are no proof of infeasibility, which `check_balance` has ruled out
        )
        return solver

    def _rows(self) -> FloatArray:
        """The constraints of one period: balance (13), limits (17) (14) (15), splits; a column for each variable."""
        splits = self._split.size
        balance = np.array([1.0, -1.0, -1.0, *[1.0] * self.links, *[0.0] * splits])
        limits = np.eye(balance.size)
        if self.withdrawals:  # the order has the trades in it, the bid is what is left without them
            balance[3 : 3 + self.links] = 0.0
            limits[BID, 3 : 3 + self.links] = -1.0
        split = limits[self._split] + limits[3 + self.links :]
        return np.vstack([balance, limits, split])

    def _curvature(self, weight: FloatArray) -> FloatArray:
        elastic = np.full(self.periods, 2 * self.household.alpha_usd_per_kw2h)
        return np.concatenate([weight[0], elastic, weight[1:].ravel()]) * (self._size_kw / self._usd)

    def _prices(self, lmp: FloatArray, price: FloatArray) -> FloatArray:
        """The linear cost: fees are on the bid and on trades bought, and twice as much on what is split off as sold."""
        home, fee = self.household, self.fee_usd_per_kwh
        beta = np.full(self.periods, home.beta_usd_per_kwh)
        in_order = home.grid_fee_usd_per_kwh if self.withdrawals else 0.0
        sold = np.array([home.grid_fee_usd_per_kwh + home.feed_in_fee_usd_per_kwh, 0.0, 0.0, *(2 * fee)])[self._split]
        costs = [
            lmp + home.grid_fee_usd_per_kwh,
            np.zeros(self.periods),
            -beta,
            (price + (fee - in_order)[:, None]).ravel(),
            np.repeat(sold, self.periods),
        ]
        return np.concatenate(costs) / self._usd

    def _bounds(self, limits: FloatArray, split: FloatArray, bought: FloatArray) -> FloatArray:
        return np.concatenate([self._net, limits.ravel(), split.ravel(), bought.ravel()]) / self._size_kw

    def _solve(self) -> FloatArray:
        """Solve from `point`, and from nothing else that was before: so that any process finds the same bits."""
        self._solver.update_settings(rho=_RHO)
        self._solver.warm_start(*(part.ravel() for part in np.split(self.point, [self._variables])))
        result = self._solver.solve(raise_error=False)
        if result.info.status == "interrupted":  # OSQP takes Ctrl-C for itself while it solves: hand it on, begin again
            signal.raise_signal(signal.SIGINT)
            return self._solve()
        if result.info.status not in _USABLE:
            raise SolverError(f"prosumer {self.household.name}: OSQP ended with '{result.info.status}'")
        self.point = np.concatenate([result.x, result.y]).reshape(-1, self.periods)
        return np.asarray(result.x)

    def _plan(self, x: FloatArray) -> Plan:
        """The plan that the scaled variables stand for, within its limits."""
        powers = x.reshape(-1, self.periods)[: len(self._low)] * self._size_kw
        if self.withdrawals:
            powers[BID] -= powers[TRADES].sum(axis=0)
        return Plan.of(np.clip(powers, self._low, self._high))
