"""The clearing against the same equations written down again, in cvxpy, straight from (1)-(10)."""

import cvxpy as cp
import numpy as np
import pytest

S_KW = 1000.0  # 1 pu


def dispatch_by_cvxpy(case, t):
    """(1)-(10) of one period, bus by bus in per unit: cost in $/h, LMP, reactive price, p_gen, v."""
    feeder = case.feeder
    z_ohm = feeder.base_kv**2 * 1000 / S_KW
    i_a = S_KW / (np.sqrt(3) * feeder.base_kv)
    demand = (case.load_kw + case.bid_kw)[:, t] / S_KW
    q_demand = case.load_kvar[:, t] / S_KW
    buses = range(len(feeder.buses))
    flow_p, flow_q, current, v = (cp.Variable(len(feeder.buses)) for _ in range(4))
    p, q = cp.Variable(len(feeder.generators)), cp.Variable(len(feeder.generators))
    constraints = [v[0] == feeder.root_voltage_pu**2, flow_p[0] == 0, flow_q[0] == 0, current[0] == 0]
    balances = []
    for n in buses:
        r, x = feeder.r_ohm[n] / z_ohm, feeder.x_ohm[n] / z_ohm
        here = [g for g, generator in enumerate(feeder.generators) if generator.bus == feeder.names[n]]
        children = [k for k in buses if feeder.parent_index[k] == n]
        into_p = sum(p[g] for g in here) + flow_p[n] - r * current[n]
        into_q = sum(q[g] for g in here) + flow_q[n] - x * current[n]
        balances.append(
            (
                into_p == demand[n] + sum(flow_p[k] for k in children),  # (2)
                into_q == q_demand[n] + sum(flow_q[k] for k in children),  # (3)
            )
        )
        if n == 0:
            continue
        m, line, bus = feeder.parent_index[n], feeder.lines[n - 1], feeder.buses[n]
        constraints += [
            v[n] == v[m] - 2 * (r * flow_p[n] + x * flow_q[n]) + (r**2 + x**2) * current[n],  # (4)
            cp.SOC(current[n] + v[m], cp.hstack([2 * flow_p[n], 2 * flow_q[n], current[n] - v[m]])),  # (5)
            v[n] >= bus.v_min_pu**2,  # (6)
            v[n] <= bus.v_max_pu**2,
        ]
        if np.isfinite(line.i_max_a):
            constraints.append(current[n] <= (line.i_max_a / i_a) ** 2)
        if np.isfinite(line.p_max_kw):
            constraints.append(cp.abs(flow_p[n]) <= line.p_max_kw / S_KW)  # (7)
        if np.isfinite(line.q_max_kvar):
            constraints.append(cp.abs(flow_q[n]) <= line.q_max_kvar / S_KW)
    cost = 0
    for g, generator in enumerate(feeder.generators):
        constraints += [
            p[g] >= generator.p_min_kw / S_KW,  # (8)
            p[g] <= generator.p_max_kw / S_KW,
            q[g] >= generator.q_min_kvar / S_KW,
            q[g] <= generator.q_max_kvar / S_KW,
        ]
        a, b, c = generator.a_usd_per_kw2h, generator.b_usd_per_kwh, generator.c_usd_per_h
        cost += a * S_KW * cp.square(p[g]) + b * p[g] + c / S_KW  # (1), in 1000 $/h
    problem = cp.Problem(cp.Minimize(cost), [*constraints, *(row for pair in balances for row in pair)])
    problem.solve(cp.CLARABEL, tol_gap_abs=1e-10, tol_gap_rel=1e-10, tol_feas=1e-10)
    prices = np.array([[-float(row.dual_value) for row in pair] for pair in balances])
    return problem.value * S_KW, prices[:, 0], prices[:, 1], p.value * S_KW, np.sqrt(v.value)


CASES = {
    "as it is": lambda case: case.bids(b4=150, b13=100, b26=50),
    "line rating": lambda case: case.bids(b26=400.0).lines(l6_26={"p_max_kw": 950.0, "q_max_kvar": 600.0}),
    "voltage": lambda case: case.bids(b18=250.0).buses(v_min_pu=0.96),
    "current rating": lambda case: case.lines(l6_26={"i_max_a": 20.0}).generators(p_max_kw=4000.0, q_max_kvar=3000.0),
    "must run": lambda case: case.generators(p_min_kw=250.0, c_usd_per_h=3.0),
}


@pytest.mark.parametrize("name", CASES)
def test_clearing_is_the_optimum_of_the_equations(ieee33, name):
    case = CASES[name](ieee33.hours(3, 11))
    dispatch = case.clearing().clear(case.bid_kw)
    solved = [dispatch_by_cvxpy(case, t) for t in range(2)]
    cost, lmp, q_price, p_gen, v = (np.array(part).T for part in zip(*solved, strict=True))
    assert dispatch.value_usd == pytest.approx(cost.sum(), rel=1e-7)
    assert dispatch.lmp_usd_per_kwh == pytest.approx(lmp, abs=1e-5)
    assert dispatch.q_price_usd_per_kvarh == pytest.approx(q_price, abs=1e-5)
    assert dispatch.p_gen_kw == pytest.approx(p_gen, abs=0.05)
    assert dispatch.v_pu == pytest.approx(v, abs=1e-5)
