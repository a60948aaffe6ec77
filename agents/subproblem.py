"""The prosumer's own problem (20): set up once on OSQP, updated in place ever after.

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
from .least_cost import LeastCost
from .messages import Delivery, Quote
from .plan import BID, ELASTIC, TRADES, Plan

_RHO = 0.1  # OSQP's own penalty, which every solve starts from
_KNOWN = 1e-6  # $/kWh: LMPs next to nothing are known no better
_SMALLEST_KW = 1.0  # smaller households are scaled like this one: a millionth of it is exact enough for any
_USABLE = {"solved", "solved inaccurate", "maximum iterations reached"}
"""OSQP's outcomes that come with a point. A poor point can do no harm unseen: `deliver` balances what it makes of it,
and the bound of `least_cost_usd` holds for any multipliers, so that a poor answer shows as regret."""


class Subproblem:
    """One prosumer's problem: (20) on OSQP while it shares; once trades or prices are given, exact and by the period.

    (20) is scaled by the prosumer's own size, so that a balcony panel and a plant are solved equally well.

    Attributes:
        household: The private data.
        cap_kw: Cap of each of its links, (link,).
        fee_usd_per_kwh: Its own half of what a kWh on each of them costs beside its price, (link,).
        withdrawals: Whether its order to the DSO is what it withdraws, trades included, or its bid.
        periods, links: How many it has.
        size_kw: Its largest load or forecast; limits of bids and links say nothing of its size.
        point: Where the next solve of (20) starts: the scaled variables and multipliers of the last one.
    """

    def __init__(
        self,
        household: Household,
        cap_kw: FloatArray,
        fee_usd_per_kwh: FloatArray | None = None,
        *,
        withdrawals: bool = False,
        tolerance: float = 1e-6,
    ) -> None:
        """Set up the solvers.

        Args:
            household: The private data.
            cap_kw: Cap of each of its links, (link,).
            fee_usd_per_kwh: What a kWh on each of them costs both ends together beside its price, (link,); 0 by
                default.
            withdrawals: Whether its order to the DSO is what it withdraws, trades included, or its bid.
            tolerance: Relative tolerance of the solver.

        Raises:
            HouseholdShortageError: The household cannot be balanced whatever the others do.
        """
        household.check_balance(float(cap_kw.sum()))
        self.household, self.cap_kw, self.withdrawals = household, cap_kw, withdrawals
        self.fee_usd_per_kwh = np.zeros(cap_kw.size) if fee_usd_per_kwh is None else fee_usd_per_kwh / 2
        self.periods, self.links = household.periods, cap_kw.size
        self._least = LeastCost(household, cap_kw, self.fee_usd_per_kwh)
        nothing = np.zeros(self.periods)
        cap = np.tile(cap_kw[:, None], self.periods)
        self._low = np.vstack([household.bid_min_kw, nothing, household.elastic_min_kw, -cap])
        self._high = np.vstack([household.bid_max_kw, household.renewable_kw, household.elastic_max_kw, cap])
        self._net = household.fixed_kw - household.renewable_kw
        fees = [household.grid_fee_usd_per_kwh + household.feed_in_fee_usd_per_kwh, 0.0, 0.0, *self.fee_usd_per_kwh]
        self._split = np.flatnonzero(fees)  # rows of the variables that are bought and sold at different prices
        own = household.fixed_kw, household.renewable_kw, household.elastic_max_kw
        self.size_kw = max(float(np.max(own)), _SMALLEST_KW)
        self._usd = household.beta_usd_per_kwh
        self._weight = np.zeros((1 + self.links, self.periods))  # of the order and of the trades
        self._solver = self._set_up(tolerance)
        rows = 3 + self.links + self._split.size, 4 + self.links + 2 * self._split.size
        self.point = np.zeros(rows[0] * self.periods), np.zeros(rows[1] * self.periods)

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

    def order_kw(self, bid_kw: FloatArray, trade_kw: FloatArray) -> FloatArray:
        """What is asked of the DSO with a bid, (period,), and trades, (link, period): the bid or the withdrawal."""
        return np.asarray(bid_kw + trade_kw.sum(axis=0)) if self.withdrawals else bid_kw

    def paid(self, told: Delivery) -> Delivery:
        """What a delivery comes to where an order is a bid: the LMP of a trade is in its price, no trade in the order.

        `deliver`, `least_cost_usd` and what plans cost are for such a delivery, whatever an order is.
        """
        if not self.withdrawals:
            return told
        return Delivery(
            told.lmp_usd_per_kwh,
            told.price_usd_per_kwh + told.lmp_usd_per_kwh,
            told.trade_kw,
            told.held_bid_kw - told.trade_kw.sum(axis=0),
            told.bid_weight_usd_per_kw2h,
        )

    def deliver(self, delivery: Delivery) -> Plan:
        """The best plan with the trades given: what the prosumer does once sharing has ended.

        With the trades given each period is one scalar problem: buy up to where the marginal utility is the LMP and the
        grid fee, or sell down to where it is the LMP less the fee on feed-in, and curtail what is worth nothing. The
        plan balances (13) exactly. Where the trades leave no way to do so within all limits, the elastic load leaves
        its own by as much as it must (`Plan.violation_kw`).

        Where power is worth nothing, as much may be sold as curtailed, and an LMP that is off by a hair would decide
        for all or nothing. There the bid is held where the last quote held it.
        """
        home, supply = self.household, self._supply(delivery.trade_kw)
        buy, sell = self._prices_of_bids(delivery)
        bid = np.maximum(self._needed(buy, supply), 0.0) + np.minimum(self._needed(sell, supply), 0.0)
        bid = np.clip(self._held(bid, delivery, supply), home.bid_min_kw, home.bid_max_kw)
        return self._balanced(bid, delivery.trade_kw, self._consumed(np.zeros(self.periods)))

    def _prices_of_bids(self, delivery: Delivery) -> tuple[FloatArray, FloatArray]:
        """What a kWh costs that is bought of the DSO, and what one brings that is sold to it, (period,)."""
        home, lmp = self.household, delivery.lmp_usd_per_kwh
        return lmp + home.grid_fee_usd_per_kwh, lmp - home.feed_in_fee_usd_per_kwh

    def _consumed(self, price: FloatArray) -> FloatArray:
        """The elastic load whose marginal utility is this, (period,)."""
        home = self.household
        wanted = (home.beta_usd_per_kwh - price) / (2 * home.alpha_usd_per_kw2h)
        return np.clip(wanted, home.elastic_min_kw, home.elastic_max_kw)

    def _needed(self, price: FloatArray, supply: FloatArray) -> FloatArray:
        """The bid that this price calls for, (period,): below 0, renewables are curtailed to make room."""
        paid_to_take = np.where(price < 0, self.household.renewable_kw, 0.0)
        return self._consumed(price) + paid_to_take - supply

    def _held(self, bid: FloatArray, delivery: Delivery, supply: FloatArray) -> FloatArray:
        """The bid, moved across the step of the curtailment no further than a held one would be, (period,).

        The step is at the shadow price 0, from nothing curtailed to everything. There a held bid is at
        `held - price / weight`, with a price that is not known from nothing as nothing.
        """
        home, weight = self.household, delivery.bid_weight_usd_per_kw2h
        steps = (weight > 0) & (home.renewable_kw > 0)
        if not steps.any():
            return bid
        told = (price - np.clip(price, -_KNOWN, _KNOWN) for price in self._prices_of_bids(delivery))
        bought, sold = (delivery.held_bid_kw - price / np.where(steps, weight, 1.0) for price in told)
        held = np.clip(np.maximum(bought, 0.0) + np.minimum(sold, 0.0), home.bid_min_kw, home.bid_max_kw)
        low = self._needed(np.zeros(self.periods), supply)
        high = low + home.renewable_kw
        least = np.where(held < low, -np.inf, np.minimum(held, high))
        most = np.where(held > high, np.inf, np.maximum(held, low))
        return np.where(steps, np.clip(bid, least, most), bid)

    def with_bid(self, plan: Plan, bid: FloatArray) -> Plan:
        """The plan with another bid: what the bid adds or lacks is consumed or saved, the trades stay."""
        have = self._supply(plan.trade_kw) + bid - plan.curtailed_kw
        elastic = np.clip(have, self.household.elastic_min_kw, self.household.elastic_max_kw)
        return self._balanced(bid, plan.trade_kw, elastic)

    def _supply(self, trade: FloatArray) -> FloatArray:
        return np.asarray(trade.sum(axis=0) - self._net)

    def _balanced(self, bid: FloatArray, trade: FloatArray, elastic: FloatArray) -> Plan:
        have = self._supply(trade) + bid
        curtailed = np.clip(have - elastic, 0.0, self.household.renewable_kw)
        return Plan(bid, curtailed, have - curtailed, trade)

    def least_cost_usd(self, delivery: Delivery) -> float:
        """The least cost that this prosumer could reach alone at these prices, without penalty terms, in $; exact."""
        return self._least.usd(delivery)

    def sharing_fees_usd(self, plan: Plan) -> float:
        """Its own half of the fees of its trades, in $."""
        return float(self.household.dt_h * (self.fee_usd_per_kwh[:, None] * np.abs(plan.trade_kw)).sum())

    # --- (20) on OSQP ------------------------------------------------------------------------------------------------

    def _set_up(self, tolerance: float) -> osqp.OSQP:
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
            eps_abs=tolerance,
            eps_rel=tolerance,
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
        return np.concatenate([weight[0], elastic, weight[1:].ravel()]) * (self.size_kw / self._usd)

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
        return np.concatenate([self._net, limits.ravel(), split.ravel(), bought.ravel()]) / self.size_kw

    def _solve(self) -> FloatArray:
        """Solve from `point`, and from nothing else that was before: so that any process finds the same bits."""
        self._solver.update_settings(rho=_RHO)
        self._solver.warm_start(*self.point)
        result = self._solver.solve(raise_error=False)
        if result.info.status == "interrupted":  # OSQP takes Ctrl-C for itself while it solves: hand it on, begin again
            signal.raise_signal(signal.SIGINT)
            return self._solve()
        if result.info.status not in _USABLE:
            raise SolverError(f"prosumer {self.household.name}: OSQP ended with '{result.info.status}'")
        self.point = result.x.copy(), result.y.copy()
        return np.asarray(result.x)

    def _plan(self, x: FloatArray) -> Plan:
        """The plan that the scaled variables stand for, within its limits."""
        powers = x.reshape(-1, self.periods)[: len(self._low)] * self.size_kw
        if self.withdrawals:
            powers[BID] -= powers[TRADES].sum(axis=0)
        return Plan.of(np.clip(powers, self._low, self._high))
