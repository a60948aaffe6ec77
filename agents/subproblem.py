"""The prosumer's own problem (20): set up once on OSQP, updated in place ever after.

Variables per period are the bid p_b, the curtailment c, the elastic load e and one trade p_j per link. With dt taken
out (it multiplies every term) the problem of one prosumer is

    min   LMP p_b + (weight/2) (p_b - held bid)² - (beta e - alpha e²)
          + sum_j [ pi_j p_j + (penalty_j/2) (p_j - anchor_j)² ]
    s.t.  p_b - c - e + sum_j p_j = p_fix - p_res                                              (13)
          0 <= p_b <= p_b_max, 0 <= c <= p_res, e_min <= e <= e_max, |p_j| <= cap_j            (14) (15) (17)

The quadratic of (20) and the proximal term are one square: rho (p + p_ji)² + sigma (p - p_ij)² has its minimum at
`anchor = (sigma p_ij - rho p_ji) / (rho + sigma)` and the curvature `penalty = rho + sigma`.
"""

from __future__ import annotations

import signal
from dataclasses import dataclass

import numpy as np
import osqp
import scipy.sparse as sp

from ..network.arrays import FloatArray
from ..network.errors import SolverError
from .household import Household
from .messages import Delivery, Quote

BID, CURTAILED, ELASTIC, TRADES = 0, 1, 2, slice(3, None)
"""Rows of the variables and their limits, (3 + links, period)."""

_RHO = 0.1  # OSQP's own penalty, which every solve starts from
_SMALLEST_KW = 1.0  # smaller households are scaled like this one: a millionth of it is exact enough for any
_USABLE = {"solved", "solved inaccurate", "maximum iterations reached"}
"""OSQP's outcomes that come with a point. A poor point can do no harm unseen: `deliver` balances what it makes of it,
and the bound of `least_cost_usd` holds for any multipliers, so that a poor answer shows as regret."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What a prosumer intends to do; private. Powers in kW.

    Attributes:
        bid_kw, curtailed_kw, elastic_kw: (period,).
        trade_kw: (link, period), > 0 buys.
    """

    bid_kw: FloatArray
    curtailed_kw: FloatArray
    elastic_kw: FloatArray
    trade_kw: FloatArray

    @classmethod
    def of(cls, powers: FloatArray) -> Plan:
        """The plan with these `powers`."""
        return cls(powers[BID], powers[CURTAILED], powers[ELASTIC], powers[TRADES])

    @property
    def powers(self) -> FloatArray:
        """All of it in one array: bid, curtailment, elastic load and trades, (3 + links, period)."""
        return np.vstack([self.bid_kw, self.curtailed_kw, self.elastic_kw, self.trade_kw])

    def towards(self, other: Plan, step: float) -> Plan:
        """The plan a step of the way, 0 to 1, to another one; between two plans that keep (13)-(17) all do."""
        kinds = ("bid_kw", "curtailed_kw", "elastic_kw", "trade_kw")
        return Plan(*((1 - step) * getattr(self, kind) + step * getattr(other, kind) for kind in kinds))

    def cost_usd(self, household: Household, lmp: FloatArray) -> float:
        """F_i of (11): what the bids cost at the LMP (period,), less the utility, in $. Trades are not in it."""
        return float(household.dt_h * (lmp * self.bid_kw).sum()) - household.utility_usd(self.elastic_kw)

    def kept_cost_usd(self, household: Household, lmp: FloatArray) -> float:
        """`cost_usd` of the plan with its elastic load held within the limits (14), never less than `cost_usd`'s worth.

        What the plan consumes above them is worth nothing; what it lacks below them costs the dearer of the first
        kWh's utility and the LMP (period,).
        """
        elastic = np.clip(self.elastic_kw, household.elastic_min_kw, household.elastic_max_kw)
        missing = np.maximum(elastic - self.elastic_kw, 0.0)
        dearest = np.maximum(household.beta_usd_per_kwh, lmp)
        bought = float(household.dt_h * (lmp * self.bid_kw + dearest * missing).sum())
        return max(bought - household.utility_usd(elastic), self.cost_usd(household, lmp))

    def payment_usd(self, household: Household, price: FloatArray) -> float:
        """What the trades cost at the sharing prices (link, period), in $; negative for a seller."""
        return float(household.dt_h * (price * self.trade_kw).sum())

    def violation_kw(self, household: Household) -> float:
        """By how much the elastic load leaves its limits (14); above 0 only where given trades leave no other way."""
        below = household.elastic_min_kw - self.elastic_kw
        above = self.elastic_kw - household.elastic_max_kw
        return float(max(0.0, below.max(), above.max()))


class Subproblem:
    """One prosumer's problem: (20) on OSQP while it shares; once trades or prices are given, exact and by the period.

    (20) is scaled by the prosumer's own size, so that a balcony panel and a plant are solved equally well.

    Attributes:
        household: The private data.
        cap_kw: Cap of each of its links, (link,).
        periods, links: How many it has.
        size_kw: Its largest load or forecast; limits of bids and links say nothing of its size.
        point: Where the next solve of (20) starts: the scaled variables and multipliers of the last one.
    """

    def __init__(self, household: Household, cap_kw: FloatArray, tolerance: float = 1e-6) -> None:
        """Set up the solvers.

        Args:
            household: The private data.
            cap_kw: Cap of each of its links, (link,).
            tolerance: Relative tolerance of the solver.

        Raises:
            HouseholdShortageError: The household cannot be balanced whatever the others do.
        """
        household.check_balance(float(cap_kw.sum()))
        self.household = household
        self.cap_kw = cap_kw
        self.periods, self.links = household.periods, cap_kw.size
        nothing = np.zeros(self.periods)
        cap = np.tile(cap_kw[:, None], self.periods)
        self._low = np.vstack([nothing, nothing, household.elastic_min_kw, -cap])
        self._high = np.vstack([household.bid_max_kw, household.renewable_kw, household.elastic_max_kw, cap])
        self._net = household.fixed_kw - household.renewable_kw
        own = household.fixed_kw, household.renewable_kw, household.elastic_max_kw
        self.size_kw = max(float(np.max(own)), _SMALLEST_KW)
        self._usd = household.beta_usd_per_kwh
        self._weight = np.zeros((1 + self.links, self.periods))  # of the bid and of the trades
        self._solver = self._set_up(tolerance)
        self.point = np.zeros(self._low.size), np.zeros(self._low.size + self.periods)

    def share(self, quote: Quote) -> Plan:
        """The answer to a quote: argmin of (20), proximal term and cost of a changed bid included."""
        penalty = quote.penalty_usd_per_kw2h + quote.proximal_usd_per_kw2h
        pull = quote.proximal_usd_per_kw2h * quote.own_kw - quote.penalty_usd_per_kw2h * quote.partner_kw
        weight = np.vstack([quote.bid_weight_usd_per_kw2h, penalty])
        if not np.array_equal(weight, self._weight):
            self._weight = weight
            self._solver.update(Px=self._curvature(weight))
        held = quote.bid_weight_usd_per_kw2h * quote.held_bid_kw
        self._solver.update(q=self._prices(quote.lmp_usd_per_kwh - held, quote.price_usd_per_kwh - pull))
        return self._plan(self._solve())

    def deliver(self, delivery: Delivery) -> Plan:
        """The best plan with the trades given: what the prosumer does once sharing has ended.

        With the trades given each period is one scalar problem: bid up to where the marginal utility is the LMP, and
        curtail what is worth nothing. The plan balances (13) exactly. Where the trades leave no way to do so within
        all limits, the elastic load leaves its own by as much as it must (`Plan.violation_kw`).
        """
        home, lmp, supply = self.household, delivery.lmp_usd_per_kwh, self._supply(delivery.trade_kw)
        slope = 2 * home.alpha_usd_per_kw2h
        wanted = np.clip((home.beta_usd_per_kwh - lmp) / slope, home.elastic_min_kw, home.elastic_max_kw)
        paid_to_take = np.where(lmp < 0, home.renewable_kw, 0.0)  # then renewables are curtailed to make room
        bid = np.clip(wanted + paid_to_take - supply, 0.0, home.bid_max_kw)
        free = np.clip(home.beta_usd_per_kwh / slope, home.elastic_min_kw, home.elastic_max_kw)
        return self._balanced(bid, delivery.trade_kw, free)

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
        """The least cost that this prosumer could reach alone at these prices, without penalty terms, in $.

        It is the maximum of the Lagrange dual in the multiplier s of (13), which no multiplier lifts above the true
        optimum: a regret that is measured against it is never too small. In each period the dual is concave in s,
        bends where a bid, curtailment or trade jumps from limit to limit, and is stationary between two bends where
        the elastic load takes up what the jumped ones leave; its maximum is at one of these points.
        """
        h = self.household
        sign = np.array([1.0, -1.0, *[1.0] * self.links])[:, None]  # of bid, curtailment and trades in (13)
        price = np.vstack([delivery.lmp_usd_per_kwh, np.zeros(self.periods), delivery.price_usd_per_kwh])
        bends = np.sort(-sign * price, axis=0)
        between = np.vstack([bends[:1] - 1.0, (bends[1:] + bends[:-1]) / 2, bends[-1:] + 1.0])
        rows = [BID, CURTAILED, *range(self._low.shape[0])[TRADES]]
        low, high = self._low[rows], self._high[rows]
        cheap = price + sign * between[:, None] < 0
        left = (sign * np.where(cheap, high, low)).sum(axis=1) - self._net
        shadow = np.vstack([bends, 2 * h.alpha_usd_per_kw2h * left - h.beta_usd_per_kwh])
        cost = price + sign * shadow[:, None]
        linear = np.minimum(cost * low, cost * high).sum(axis=1) - shadow * self._net
        worth = h.beta_usd_per_kwh + shadow
        elastic = np.clip(worth / (2 * h.alpha_usd_per_kw2h), h.elastic_min_kw, h.elastic_max_kw)
        dual = linear + h.alpha_usd_per_kw2h * elastic**2 - worth * elastic
        return float(h.dt_h * dual.max(axis=0).sum())

    def _set_up(self, tolerance: float) -> osqp.OSQP:
        diagonal = np.zeros(self._low.size)
        slots = np.delete(np.arange(self._low.size), np.s_[CURTAILED * self.periods : ELASTIC * self.periods])
        quadratic = sp.csc_matrix((diagonal[slots], (slots, slots)), shape=(diagonal.size, diagonal.size))
        quadratic.data[:] = self._curvature(self._weight)
        one = sp.identity(self.periods)
        balance = sp.hstack([one, -one, -one, *[one] * self.links])
        rows = sp.csc_matrix(sp.vstack([balance, sp.identity(diagonal.size)]))
        solver = osqp.OSQP()
        solver.setup(
            quadratic,
            diagonal,
            rows,
            self._bounds(self._low),
            self._bounds(self._high),
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

    def _curvature(self, weight: FloatArray) -> FloatArray:
        elastic = np.full(self.periods, 2 * self.household.alpha_usd_per_kw2h)
        return np.concatenate([weight[0], elastic, weight[1:].ravel()]) * (self.size_kw / self._usd)

    def _prices(self, lmp: FloatArray, price: FloatArray) -> FloatArray:
        beta = np.full(self.periods, self.household.beta_usd_per_kwh)
        return np.concatenate([lmp, np.zeros(self.periods), -beta, price.ravel()]) / self._usd

    def _bounds(self, limits: FloatArray) -> FloatArray:
        return np.concatenate([self._net, limits.ravel()]) / self.size_kw

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
        return Plan.of(np.clip(x.reshape(self._low.shape) * self.size_kw, self._low, self._high))
