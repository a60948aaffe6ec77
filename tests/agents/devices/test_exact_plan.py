"""A plan in which no device charges and discharges at once, where the convex problem burns power in a store."""

from dataclasses import replace

import cvxpy as cp
import numpy as np
import pytest

from gridbazaar.agents import Delivery, Household
from gridbazaar.agents.device_subproblem import DeviceSubproblem
from gridbazaar.agents.devices.battery import Battery
from gridbazaar.agents.exact_plan import exact_plan


@pytest.fixture
def home():
    """A home with a battery, and a few hours in which a kWh is worth less than nothing."""
    battery = Battery(
        name="battery", capacity_kwh=3.0, p_charge_max_kw=3.0, p_discharge_max_kw=3.0, soc_start=1.0, soc_end=1.0,
        efficiency_charge=0.8, efficiency_discharge=0.8, throughput_cost_usd_per_kwh=1e-3,
    )  # fmt: skip
    return Household(
        "a", "x", fixed_kw=np.full(4, 1.0), renewable_kw=np.zeros(4), alpha_usd_per_kw2h=0.05, beta_usd_per_kwh=0.3,
        elastic_min_kw=0.0, elastic_max_kw=2.0, bid_max_kw=20.0, devices=(battery,),
    )  # fmt: skip


LMP = np.array([0.1, -0.3, -0.2, 0.3])


def at_once_kw(plan):
    """What the battery charges and discharges at once, (period,)."""
    charge_kw, discharge_kw, _ = plan.device
    return np.minimum(charge_kw, discharge_kw)


def by_hand(home, lmp):
    """The least cost by one convex problem for each of the 2^4 ways in which the battery may go."""
    battery, costs = home.devices[0], []
    for ways in range(2**4):
        way = np.array([(ways >> t) & 1 for t in range(4)])
        bid, elastic = cp.Variable(4), cp.Variable(4)
        c, d, level = cp.Variable(4), cp.Variable(4), cp.Variable(5)
        cost = lmp @ bid + 0.05 * cp.sum_squares(elastic) - 0.3 * cp.sum(elastic) + 1e-3 * cp.sum(c + d)
        rules = [
            bid + d - c == 1.0 + elastic, bid >= 0, bid <= 20, elastic >= 0, elastic <= 2, c >= 0, c <= 3 * way, d >= 0,
            d <= 3 * (1 - way), level[0] == 3, level[-1] >= 3, level >= 0, level <= battery.capacity_kwh,
            level[1:] == level[:-1] + 0.8 * c - d / 0.8,
        ]  # fmt: skip
        problem = cp.Problem(cp.Minimize(cost), rules)
        problem.solve(cp.CLARABEL)
        costs.append(problem.value if problem.status == cp.OPTIMAL else np.inf)
    return min(costs)


def test_the_best_of_all_ways(home):
    found = exact_plan(home, Delivery(LMP, np.zeros((0, 4)), np.zeros((0, 4))), np.zeros(0))
    assert at_once_kw(found.plan).max() <= 3e-6
    assert found.cost_usd == pytest.approx(by_hand(home, LMP), abs=1e-6)
    assert found.bound_usd - 1e-8 <= found.cost_usd <= found.bound_usd + 1e-6
    assert found.plan.cost_usd(home, LMP) == pytest.approx(found.cost_usd, abs=1e-6)


def test_the_convex_problem_burns_power_and_says_so(home):
    delivery = Delivery(LMP, np.zeros((0, 4)), np.zeros((0, 4)))
    problem = DeviceSubproblem(home, np.zeros(0))
    plan = problem.deliver(delivery)
    assert at_once_kw(plan).max() > 3e-6
    assert plan.cost_usd(home, LMP) < by_hand(home, LMP) - 0.01
    assert problem.least_cost_usd(delivery) == pytest.approx(float(plan.cost_usd(home, LMP)), abs=1e-8)


def test_fees_and_trades_are_in_it(home):
    """Where no kWh is worth less than nothing the convex problem has the same optimum."""
    home = replace(home, grid_fee_usd_per_kwh=0.02, feed_in_fee_usd_per_kwh=0.01, feed_in_max_kw=np.full(4, 5.0))
    cap, fee = np.array([2.0]), np.array([0.01])
    prices = Delivery(np.abs(LMP), np.abs(LMP[None, ::-1]), np.zeros((1, 4)))
    found = exact_plan(home, prices, cap, fee / 2)
    assert found.cost_usd == pytest.approx(DeviceSubproblem(home, cap, fee).least_cost_usd(prices), abs=1e-7)
    assert np.abs(found.plan.trade_kw).max() > 1.0
