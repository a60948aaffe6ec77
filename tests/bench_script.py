"""The benchmark's rival: the same algorithms as a script has them, every problem rebuilt in cvxpy at each solve."""

from __future__ import annotations

from dataclasses import dataclass

import cvxpy as cp
import numpy as np

from gridbazaar.agents.household import Household
from gridbazaar.agents.trade_graph import TradeGraph
from gridbazaar.network.arrays import FloatArray
from gridbazaar.network.feeder import Feeder

PRIMAL_KW, DUAL_USD_PER_KWH = 0.1, 1e-5


@dataclass
class Answer:
    """What the script found."""

    elastic_kw: FloatArray
    dso_cost_usd: float
    clearings: int
    rounds: int


def script(
    feeder: Feeder,
    load_kw: FloatArray,
    load_kvar: FloatArray,
    homes: list[Household],
    graph: TradeGraph,
    regret_tolerance: float,
) -> Answer:
    """Algorithm 2 over Algorithm 1 (proximal order, residual balancing per pair and period) with cvxpy everywhere."""
    links, shape = len(graph.links), (len(homes), homes[0].periods)
    penalty, power = np.full((links, shape[1]), 1e-4), np.zeros((2 * links, shape[1]))
    trade, bid, elastic = np.zeros((links, shape[1])), np.zeros(shape), np.zeros(shape)
    price, lmp_before, rounds = np.zeros((links, shape[1])), np.zeros(shape), 0
    a, b = graph.forward, graph.backward
    delivered = np.zeros_like(power)
    for clearing in range(1, 100):
        cost, lmp = _clear(feeder, load_kw, load_kvar, homes, bid)
        change = (lmp - lmp_before)[graph.owner] + (lmp - lmp_before)[graph.partner]
        price, lmp_before = price + change[a] / 2, lmp
        for k in range(1, 1000):
            asked = np.zeros_like(power)
            for i, home in enumerate(homes):
                arcs = graph.arcs(i)
                rho, told = penalty[graph.link[arcs]], price[graph.link[arcs]]
                caps = graph.cap_kw[graph.link[arcs]]
                asked[arcs] = _share(home, caps, lmp[i], told, power[arcs], power[graph.reverse][arcs], rho)
            rounds, power = rounds + 1, asked
            moved = (power[a] - power[b]) / 2
            primal = np.abs(power[a] + power[b])
            dual = penalty * np.abs(moved - trade)
            price, trade = price + penalty * (power[a] + power[b]), moved
            if primal.max() <= PRIMAL_KW and dual.max() <= DUAL_USD_PER_KWH:
                break
            if k % 2 == 0:
                p, d = primal / PRIMAL_KW, dual / DUAL_USD_PER_KWH
                penalty = penalty * np.where(
                    (p > 3 * d) & (p > 1 / 3), 2.0, np.where((d > 3 * p) & (d > 1 / 3), 0.5, 1.0)
                )
        if clearing > 1:
            turnover = cost + float(np.abs(price * trade).sum())
            if _regret(homes, graph, lmp, price, delivered, bid, elastic) <= regret_tolerance * turnover:
                return Answer(elastic, cost, clearing, rounds)
        delivered = np.zeros_like(power)
        delivered[a], delivered[b] = trade, -trade
        for i, home in enumerate(homes):
            bid[i], elastic[i] = _deliver(home, lmp[i], delivered[graph.arcs(i)])
    raise RuntimeError("the script did not settle")


def _clear(
    feeder: Feeder, load_kw: FloatArray, load_kvar: FloatArray, homes: list[Household], bid: FloatArray
) -> tuple[float, FloatArray]:
    """(1)-(10), a constraint for each bus and line over all hours, per unit on 1 MVA; the cost and the LMPs."""
    at = [feeder.index(home.bus) for home in homes]
    demand = load_kw.copy()
    np.add.at(demand, at, bid)
    buses, hours, ohm = len(feeder.buses), load_kw.shape[1], feeder.base_kv**2
    p, q, current = (cp.Variable((buses, hours)) for _ in range(3))  # row n: the line that feeds bus n
    v = cp.Variable((buses, hours))
    machines = feeder.generators
    pg, qg = (cp.Variable((len(machines), hours)) for _ in range(2))
    limits = [p[0] == 0, q[0] == 0, current[0] == 0, v[0] == feeder.root_voltage_pu**2]
    active = []
    for n in range(buses):
        children = [k for k in range(buses) if feeder.parent[k] == n]
        here = [k for k, machine in enumerate(machines) if machine.bus == feeder.names[n]]
        r, x = feeder.r_ohm[n] / ohm, feeder.x_ohm[n] / ohm
        p_in, q_in = p[n] - r * current[n], q[n] - x * current[n]
        p_out, q_out = sum(p[k] for k in children), sum(q[k] for k in children)
        active.append(p_in + sum(pg[k] for k in here) - p_out == demand[n] / 1e3)
        limits.append(q_in + sum(qg[k] for k in here) - q_out == load_kvar[n] / 1e3)
        if n:
            m = feeder.parent[n]
            limits.append(v[n] == v[m] - 2 * (r * p[n] + x * q[n]) + (r**2 + x**2) * current[n])
            limits.append(cp.SOC(current[n] + v[m], cp.vstack([2 * p[n], 2 * q[n], current[n] - v[m]])))
            limits += [cp.abs(p[n]) <= feeder.p_max_kw[n] / 1e3]
            limits += [v[n] >= feeder.v_min_pu[n] ** 2, v[n] <= feeder.v_max_pu[n] ** 2]
    cost: cp.Expression = cp.Constant(0.0)
    for k, machine in enumerate(machines):
        limits += [pg[k] >= machine.p_min_kw / 1e3, pg[k] <= machine.p_max_kw / 1e3]
        limits += [qg[k] >= machine.q_min_kvar / 1e3, qg[k] <= machine.q_max_kvar / 1e3]
        cost += machine.a_usd_per_kw2h * 1e6 * cp.sum_squares(pg[k]) + machine.b_usd_per_kwh * 1e3 * cp.sum(pg[k])
    cp.Problem(cp.Minimize(cost), limits + active).solve(solver=cp.CLARABEL)
    return float(cost.value), np.array([-active[n].dual_value / 1e3 for n in at])


def _home(home: Household) -> tuple[cp.Variable, cp.Variable, cp.Expression, list[cp.Constraint]]:
    """Bid, elastic load, what they and the renewables leave to be bought from partners, and the limits."""
    bid, elastic, curtailed = (cp.Variable(home.periods) for _ in range(3))
    limits = [bid >= 0, bid <= home.bid_max_kw, curtailed >= 0, curtailed <= home.renewable_kw]
    limits += [elastic >= home.elastic_min_kw, elastic <= home.elastic_max_kw]
    return bid, elastic, home.fixed_kw + elastic - bid - home.renewable_kw + curtailed, limits


def _cost(home: Household, lmp: FloatArray, bid: cp.Variable, elastic: cp.Variable) -> cp.Expression:
    return lmp @ bid - home.beta_usd_per_kwh * cp.sum(elastic) + home.alpha_usd_per_kw2h * cp.sum_squares(elastic)


def _share(
    home: Household,
    cap_kw: FloatArray,
    lmp: FloatArray,
    price: FloatArray,
    own: FloatArray,
    partner: FloatArray,
    rho: FloatArray,
) -> FloatArray:
    """(20) with the proximal term."""
    bid, elastic, needed, limits = _home(home)
    trade = cp.Variable(own.shape)
    near = cp.square(trade + partner) + cp.square(trade - own)
    cost = _cost(home, lmp, bid, elastic) + cp.sum(cp.multiply(price, trade) + cp.multiply(rho / 2, near))
    limits += [cp.sum(trade, axis=0) == needed, cp.abs(trade) <= cap_kw[:, None]]
    cp.Problem(cp.Minimize(1e3 * cost), limits).solve(solver=cp.OSQP, eps_abs=1e-6, eps_rel=1e-6, max_iter=20_000)
    return np.asarray(trade.value)


def _deliver(home: Household, lmp: FloatArray, trade: FloatArray) -> tuple[FloatArray, FloatArray]:
    bid, elastic, needed, limits = _home(home)
    slack = cp.Variable(home.periods)
    limits.append(trade.sum(axis=0) + slack == needed)
    cost = _cost(home, lmp, bid, elastic) + 10.0 * cp.norm1(slack)
    cp.Problem(cp.Minimize(1e3 * cost), limits).solve(solver=cp.CLARABEL)
    return np.asarray(bid.value), np.asarray(elastic.value)


def _regret(
    homes: list[Household],
    graph: TradeGraph,
    lmp: FloatArray,
    price: FloatArray,
    trade: FloatArray,
    bids: FloatArray,
    elastic_kw: FloatArray,
) -> float:
    total = 0.0
    for i, home in enumerate(homes):
        arcs = graph.arcs(i)
        told, caps = price[graph.link[arcs]], graph.cap_kw[graph.link[arcs]]
        bid, elastic, needed, limits = _home(home)
        own = cp.Variable(trade[arcs].shape)
        limits += [cp.sum(own, axis=0) == needed, cp.abs(own) <= caps[:, None]]
        least = cp.Problem(
            cp.Minimize(1e3 * (_cost(home, lmp[i], bid, elastic) + cp.sum(cp.multiply(told, own)))), limits
        )
        least.solve(solver=cp.CLARABEL)
        now = lmp[i] @ bids[i] - home.utility_usd(elastic_kw[i]) + float((told * trade[arcs]).sum())
        total += now - float(least.value) / 1e3
    return total
