"""The central problems: what one planner who knows everything would find.

The market itself calls `LowerLayer` for Case 2 and nothing else here; `equilibrium` is the oracle that a run is held
against (model: the fixed point of Algorithm 2 is the optimum of one convex problem). Both are written in cvxpy straight
from the equations and share no code with the agents or the clearing.
"""

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import cvxpy as cp
import numpy as np

from ...agents.household import Household
from ...agents.trade_graph import TradeGraph
from ...network.arrays import FloatArray
from ...network.errors import SolverError
from ...network.feeder import Feeder
from .device_variables import DeviceVariables

_CAREFUL_STEPS = (0.95, 0.8)  # as in network.solver: Clarabel's own 0.99 can end close to the surface of a cone


class _Households:
    """All households in one block of variables: (12)-(17), and what they order from the DSO: bids or withdrawals."""

    def __init__(
        self,
        households: Sequence[Household],
        graph: TradeGraph,
        *,
        withdrawals: bool,
        spread_usd_per_kwh: FloatArray | float = 0.0,
    ) -> None:
        shape = (len(households), households[0].periods)
        links = len(graph.links)
        self.bid, self.elastic, self.curtailed = (cp.Variable(shape) for _ in range(3))
        bought = np.zeros((len(households), 2 * links))
        bought[graph.owner, np.arange(2 * links)] = 1.0
        self.balances: list[Any] = []
        self.arcs = cp.Variable((2 * links, shape[1])) if links else None
        self.devices = DeviceVariables(households)
        arcs_kw = bought @ self.arcs if self.arcs is not None else np.zeros(shape)
        of = {
            key: np.array([getattr(h, key) for h in households])
            for key in ("fixed_kw", "renewable_kw", "elastic_min_kw", "elastic_max_kw", "bid_max_kw", "feed_in_max_kw")
        }
        self.order = self.bid + arcs_kw if withdrawals else self.bid
        self.feed_in_max_kw = of["feed_in_max_kw"]
        self.constraints: list[Any] = [
            self.bid + of["renewable_kw"] - self.curtailed + arcs_kw + self.devices.injection_kw
            == of["fixed_kw"] + self.elastic,
            self.curtailed >= 0,
            self.curtailed <= of["renewable_kw"],
            self.elastic >= of["elastic_min_kw"],
            self.elastic <= of["elastic_max_kw"],
            self.bid >= -of["feed_in_max_kw"],
            self.bid <= of["bid_max_kw"],
            *self.devices.constraints,
        ]
        self.reciprocity: Any = None
        if self.arcs is not None:
            cap = np.broadcast_to(graph.cap_kw[graph.link][:, None], (2 * links, shape[1]))
            self.reciprocity = self.arcs[graph.forward] + self.arcs[graph.backward] == 0
            self.constraints += [self.arcs <= cap, self.arcs >= -cap, self.reciprocity]
        alpha = np.array([h.alpha_usd_per_kw2h for h in households])[:, None]
        beta = np.array([h.beta_usd_per_kwh for h in households])[:, None]
        linear = cp.sum(cp.multiply(np.broadcast_to(beta, shape), self.elastic))
        square = cp.sum(cp.square(cp.multiply(np.broadcast_to(np.sqrt(alpha), shape), self.elastic)))
        self.utility = linear - square  # (12), per hour of period
        self.graph = graph
        spread = np.broadcast_to(spread_usd_per_kwh, len(households))[graph.owner]
        self.fees = self._fees(households, graph.fee_usd_per_kwh[graph.link] / 2 + spread)  # per hour of period

    @property
    def private(self) -> Any:
        """What prosumers weigh beside LMPs, sharing prices and utility, per hour of period."""
        return self.fees + self.devices.cost

    def _fees(self, households: Sequence[Household], half: FloatArray) -> Any:
        """What bids and trades (half of it at each end) cost beside LMPs and sharing prices; 0 without fees."""
        grid, feed_in = (
            np.array([[getattr(h, key)] for h in households]) * np.ones(self.bid.shape)
            for key in ("grid_fee_usd_per_kwh", "feed_in_fee_usd_per_kwh")
        )
        fees: Any = 0.0
        if grid.any() or feed_in.any():
            fees += cp.sum(cp.multiply(grid, cp.pos(self.bid)) + cp.multiply(feed_in, cp.neg(self.bid)))
        if self.arcs is not None and half.any():
            fees += cp.sum(cp.multiply(half[:, None] * np.ones(self.arcs.shape), cp.abs(self.arcs)))
        return fees

    def trade_kw(self) -> FloatArray:
        """Trades by link, exactly reciprocal, (link, period)."""
        if self.arcs is None:
            return np.zeros((0, self.bid.shape[1]))
        power = np.asarray(self.arcs.value)
        return np.asarray((power[self.graph.forward] - power[self.graph.backward]) / 2)

    def price(self, scale: float) -> FloatArray:
        """Sharing prices: the duals of (16), (link, period)."""
        if self.reciprocity is None:
            return np.zeros((0, self.bid.shape[1]))
        return np.asarray(self.reciprocity.dual_value) / scale


class Planned(NamedTuple):
    """What a central planner finds.

    Attributes:
        trade_kw, price_usd_per_kwh: Trades and prices, (link, period).
        bid_kw: What is ordered from the DSO: bids, or withdrawals, (prosumer, period).
        cost_usd: Sum of F_i with all fees and what devices cost, in $; where trades load the wires, at the LMPs of the
            withdrawals.
    """

    trade_kw: FloatArray
    price_usd_per_kwh: FloatArray
    bid_kw: FloatArray
    cost_usd: float


class LowerLayer:
    """All prosumers' problems solved as one quadratic program at given LMPs (Case 2)."""

    _SCALE = 1e3  # $/MWh: the size at which the solver's tolerances mean what they say

    def __init__(
        self,
        households: Sequence[Household],
        graph: TradeGraph,
        *,
        withdrawals: bool = False,
        spread_usd_per_kwh: FloatArray | float = 0.0,
    ) -> None:
        """Compile the problem once; LMPs are its parameter, of bids or of withdrawals.

        Args:
            households: The prosumers, as they declare themselves.
            graph: Who may trade with whom.
            withdrawals: Whether orders to the DSO are what prosumers withdraw, or their bids.
            spread_usd_per_kwh: What each asks beside the price for a kWh that it trades, (prosumer,).
        """
        self._block = _Households(households, graph, withdrawals=withdrawals, spread_usd_per_kwh=spread_usd_per_kwh)
        self._withdrawals = withdrawals
        shape = self._block.bid.shape
        self._price, self._root = cp.Parameter(shape), cp.Parameter(shape, nonneg=True)
        cost = cp.sum(cp.multiply(self._price, self._block.order)) - self._block.utility + self._block.private
        cost += cp.sum_squares(cp.multiply(self._root, self._block.order))
        self._problem = cp.Problem(cp.Minimize(self._SCALE * cost), self._block.constraints)
        self._dt_h = households[0].dt_h

    def solve(
        self,
        lmp_usd_per_kwh: FloatArray,
        held_kw: FloatArray | float = 0.0,
        weight_usd_per_kw2h: FloatArray | float = 0,
    ) -> Planned:
        """The optimum at the given LMPs and cost of changing orders, `weight (order - held)²/2`; (prosumer, period).

        Raises:
            SolverError: The solver found no optimum.
        """
        self._price.value = lmp_usd_per_kwh - weight_usd_per_kw2h * held_kw
        self._root.value = np.sqrt(np.broadcast_to(weight_usd_per_kw2h, lmp_usd_per_kwh.shape) / 2)
        _solve(self._problem, "the central lower-layer problem")
        order = np.asarray(self._block.order.value)
        if not self._withdrawals:
            order = np.maximum(order, 0.0 - self._block.feed_in_max_kw)
        private = _value(self._block.private) - float(self._block.utility.value)
        cost = self._dt_h * (float((lmp_usd_per_kwh * order).sum()) + private)
        return Planned(self._block.trade_kw(), self._block.price(self._SCALE), order, cost)


@dataclass(frozen=True, slots=True)
class Equilibrium:
    """The joint optimum. Costs, elastic loads and LMPs are unique; bids and trades need not be.

    Attributes:
        welfare_usd: Total utility less what devices cost and the DSO's cost.
        dso_cost_usd, utility_usd: Two of its parts.
        fees_usd: What price takers pay in fees; what is largest is the welfare less these.
        elastic_kw, bid_kw, withdrawal_kw: (prosumer, period).
        lmp_usd_per_kwh: (bus, period), in the feeder's order of buses.
        voltage_pu: (bus, period).
        devices_usd: What devices cost, such as wear, fuel and discomfort, no part of the other two.
    """

    welfare_usd: float
    dso_cost_usd: float
    utility_usd: float
    fees_usd: float
    elastic_kw: FloatArray
    bid_kw: FloatArray
    withdrawal_kw: FloatArray
    lmp_usd_per_kwh: FloatArray
    voltage_pu: FloatArray
    devices_usd: float


def equilibrium(
    feeder: Feeder,
    load_kw: FloatArray,
    load_kvar: FloatArray,
    households: Sequence[Household],
    graph: TradeGraph,
    *,
    withdrawals: bool = False,
    p_limits_kw: tuple[FloatArray, FloatArray] | None = None,
    spread_usd_per_kwh: FloatArray | float = 0.0,
) -> Equilibrium:
    """The equilibrium as one convex problem: min cost - utility + fees over (2)-(10), (13)-(17), bids as variables.

    Fees are transfers and no part of the welfare, but price takers weigh them, so the fixed point is the optimum of a
    problem that has them.

    Args:
        feeder: The network.
        load_kw, load_kvar: Load of every bus without the prosumers' bids, (bus, period).
        households: The prosumers.
        graph: Who may trade with whom.
        withdrawals: Whether the network carries what prosumers withdraw, trades included, or only their bids (10).
        p_limits_kw: What generators can do at least and at most, (generator, period) each; by the tables if not given.
        spread_usd_per_kwh: What each asks beside the price for a kWh that it trades, (prosumer,).

    Raises:
        SolverError: The solver found no optimum.
    """
    block = _Households(households, graph, withdrawals=withdrawals, spread_usd_per_kwh=spread_usd_per_kwh)
    at_bus = np.zeros((len(feeder.buses), len(households)))
    at_bus[[feeder.index(h.bus) for h in households], np.arange(len(households))] = 1.0
    grid = Grid(feeder, load_kw + at_bus @ block.order, load_kvar, p_limits_kw)
    dt_h = households[0].dt_h
    problem = cp.Problem(cp.Minimize(grid.cost - block.utility + block.private), block.constraints + grid.constraints)
    _solve(problem, "the joint problem")
    cost, utility, devices = (dt_h * _value(part) for part in (grid.cost, block.utility, block.devices.cost))
    bought = np.zeros_like(block.bid.value)
    np.add.at(bought, graph.owner[graph.forward], block.trade_kw())
    np.add.at(bought, graph.owner[graph.backward], -block.trade_kw())
    return Equilibrium(
        utility - cost - devices,
        cost,
        utility,
        dt_h * _value(block.fees),
        np.asarray(block.elastic.value),
        np.asarray(block.bid.value),
        np.asarray(block.bid.value) + bought,
        grid.lmp_usd_per_kwh(),
        np.sqrt(np.asarray(grid.voltage.value)),
        devices,
    )


class Grid:
    """Branch-flow constraints (2)-(8) for all periods at once, per unit."""

    def __init__(
        self,
        feeder: Feeder,
        demand_kw: Any,
        demand_kvar: FloatArray,
        p_limits_kw: tuple[FloatArray, FloatArray] | None = None,
    ) -> None:
        base = self.base_kw = feeder.base_kw
        buses, periods = demand_kvar.shape
        lines = np.arange(1, buses)
        parent = list(feeder.parent_index[1:])
        ohm = feeder.line_kv[1:, None] ** 2 / (base / 1e3)
        r, x = (np.asarray(z)[1:, None] / ohm for z in (feeder.r_ohm, feeder.x_ohm))
        charging = 0.5e-6 * feeder.b_us[1:, None] * ohm
        p, q, current = (cp.Variable((buses - 1, periods)) for _ in range(3))
        self.voltage = cp.Variable((buses, periods))
        machines = feeder.generators
        pg, qg = (cp.Variable((len(machines), periods)) for _ in range(2))
        into, out_of = np.zeros((buses, buses - 1)), np.zeros((buses, buses - 1))
        into[lines, lines - 1] = 1.0
        out_of[parent, lines - 1] = 1.0
        placed = np.zeros((buses, len(machines)))
        placed[[feeder.index(g.bus) for g in machines], np.arange(len(machines))] = 1.0
        up = cp.multiply(np.repeat(feeder.tap[1:, None] ** -2, periods, 1), self.voltage[parent])
        loss_p, loss_q = cp.multiply(np.repeat(r, periods, 1), current), cp.multiply(np.repeat(x, periods, 1), current)
        drop = cp.multiply(np.repeat(r, periods, 1), p) + cp.multiply(np.repeat(x, periods, 1), q)
        self.active_balance = into @ (p - loss_p) - out_of @ p + placed @ pg == demand_kw / base  # (2)
        charged = cp.multiply(np.repeat((into + out_of) @ charging, periods, 1), self.voltage)
        flat = [cp.vec(e, order="F") for e in (2 * p, 2 * q, current - up)]
        self.constraints: list[Any] = [
            self.active_balance,
            into @ (q - loss_q) - out_of @ q + placed @ qg + charged == demand_kvar / base,  # (3)
            self.voltage[lines] == up - 2 * drop + cp.multiply(np.repeat(r**2 + x**2, periods, 1), current),  # (4)
            cp.SOC(cp.vec(current + up, order="F"), cp.vstack(flat)),  # (5)
            current >= 0,
            self.voltage[0] == feeder.root_voltage_pu**2,
        ]
        self._limit(self.voltage, np.asarray(feeder.v_min_pu) ** 2, np.asarray(feeder.v_max_pu) ** 2)  # (6)
        amps = base / (np.sqrt(3) * feeder.line_kv[1:])
        self._limit(current, np.full(buses - 1, -np.inf), (feeder.i_max_a[1:] / amps) ** 2)  # (6)
        self._limit(p, -feeder.p_max_kw[1:] / base, feeder.p_max_kw[1:] / base)  # (7)
        self._limit(q, -feeder.q_max_kvar[1:] / base, feeder.q_max_kvar[1:] / base)  # (7)
        for power, keys in ((pg, ("p_min_kw", "p_max_kw")), (qg, ("q_min_kvar", "q_max_kvar"))):  # (8)
            bounds = [np.array([getattr(g, key) for g in machines]) for key in keys]
            if power is pg and p_limits_kw is not None:
                bounds = list(p_limits_kw)
            self._limit(power, *(bound / base for bound in bounds))
        a = np.array([g.a_usd_per_kw2h for g in machines])
        b = np.array([g.b_usd_per_kwh for g in machines])
        fixed = periods * sum(g.c_usd_per_h for g in machines)
        square = cp.sum(cp.square(cp.multiply(np.sqrt(a)[:, None] * base * np.ones((1, periods)), pg)))
        self.cost = square + cp.sum((b * base) @ pg) + fixed  # (1), per hour of period

    def lmp_usd_per_kwh(self) -> FloatArray:
        """The LMPs, (bus, period): duals of (2), after the problem was solved with a cost in $ per hour of period."""
        return np.asarray(-self.active_balance.dual_value / self.base_kw)

    def _limit(self, variable: Any, low: FloatArray, high: FloatArray) -> None:
        for bound, sign in ((low, -1.0), (high, 1.0)):
            limit = np.asarray(bound) if np.ndim(bound) == 2 else np.repeat(bound[:, None], variable.shape[1], 1)
            rows = np.flatnonzero(np.isfinite(limit).all(axis=1))
            if rows.size:
                self.constraints.append(sign * variable[rows] <= sign * limit[rows])


def _value(expression: Any) -> float:
    """The value of an expression, or of a plain number."""
    return float(getattr(expression, "value", expression))


def _solve(problem: cp.Problem, what: str) -> None:
    """Solve it to the same bits, whatever was solved before, in smaller steps where larger ones end inaccurately."""
    _try(problem)
    if problem.status == cp.OPTIMAL_INACCURATE and not any(_is_solved(problem, part) for part in _CAREFUL_STEPS):
        _try(problem)  # what there is
    if problem.status not in (cp.OPTIMAL, cp.OPTIMAL_INACCURATE):
        raise SolverError(f"{what} ended with '{problem.status}'")


def _is_solved(problem: cp.Problem, step: float) -> bool:
    """Whether it can be solved in steps that go so far towards the surface of a cone."""
    try:
        _try(problem, max_step_fraction=step)
    except cp.error.SolverError:
        return False
    return bool(problem.status == cp.OPTIMAL)


def _try(problem: cp.Problem, **settings: float) -> None:
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Solution may be inaccurate", category=UserWarning)
        problem.solve(solver=cp.CLARABEL, warm_start=False, **settings)
