"""(20) on OSQP: set up once, updated in place ever after; for `market.subproblem: osqp`, and the oracle of the tests.

The program is that of `household_program`. The quadratic of (20) and the proximal term are one square:
rho (p + p_ji)² + sigma (p - p_ij)² has its minimum at `anchor = (sigma p_ij - rho p_ji) / (rho + sigma)` and the
curvature `rho + sigma`.
"""

from __future__ import annotations

import signal

import numpy as np
import osqp
import scipy.sparse as sp

from ..network.arrays import FloatArray
from ..network.errors import SolverError
from .household import Household
from .household_program import HouseholdProgram
from .messages import Quote
from .plan import Plan
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
        self._program = HouseholdProgram(household, cap_kw, self.fee_usd_per_kwh, withdrawals=withdrawals)
        self._size_kw, self._usd = float(self._row.homes.size_kw[0]), household.beta_usd_per_kwh
        self._weight = np.zeros((1 + self.links, self.periods))  # of the order and of the trades
        self._solver = self._set_up()
        rows = -(-self._program.low.size // self.periods)
        self.point = np.zeros((self._program.blocks + rows, self.periods))

    def share(self, quote: Quote) -> Plan:
        """The answer to a quote: argmin of (20), proximal term and cost of a changed order included."""
        penalty = quote.penalty_usd_per_kw2h + quote.proximal_usd_per_kw2h
        pull = quote.proximal_usd_per_kw2h * quote.own_kw - quote.penalty_usd_per_kw2h * quote.partner_kw
        weight = np.vstack([quote.bid_weight_usd_per_kw2h, penalty])
        if not np.array_equal(weight, self._weight):
            self._weight = weight
            self._solver.update(Px=self._curvature(weight))
        held = quote.bid_weight_usd_per_kw2h * quote.held_bid_kw
        prices = self._program.prices(quote.lmp_usd_per_kwh - held, quote.price_usd_per_kwh - pull)
        self._solver.update(q=prices / self._usd)
        return self._program.plan(self._solve() * self._size_kw)

    def _set_up(self) -> osqp.OSQP:
        program = self._program
        slots = (program.curved[:, None] * self.periods + np.arange(self.periods)).ravel()
        diagonal = np.zeros(program.blocks * self.periods)
        quadratic = sp.csc_matrix((diagonal[slots], (slots, slots)), shape=(diagonal.size, diagonal.size))
        quadratic.data[:] = self._curvature(self._weight)
        solver = osqp.OSQP()
        solver.setup(
            quadratic,
            diagonal,
            program.rows,
            program.low / self._size_kw,
            program.high / self._size_kw,
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

    def _curvature(self, weight: FloatArray) -> FloatArray:
        return self._program.curvature(weight) * (self._size_kw / self._usd)

    def _solve(self) -> FloatArray:
        """Solve from `point`, and from nothing else that was before: so that any process finds the same bits."""
        self._solver.update_settings(rho=_RHO)
        columns, rows = np.split(self.point, [self._program.blocks])
        self._solver.warm_start(columns.ravel(), rows.ravel()[: self._program.low.size])
        result = self._solver.solve(raise_error=False)
        if result.info.status == "interrupted":  # OSQP takes Ctrl-C for itself while it solves: hand it on, begin again
            signal.raise_signal(signal.SIGINT)
            return self._solve()
        if result.info.status not in _USABLE:
            raise SolverError(f"prosumer {self.household.name}: OSQP ended with '{result.info.status}'")
        unused = np.zeros(self.point.size - result.x.size - result.y.size)
        self.point = np.concatenate([result.x, result.y, unused]).reshape(-1, self.periods)
        return np.asarray(result.x)
