"""`deliver` makes of given trades a plan that balances (13) to the last digit, and the best one."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridbazaar.agents import Delivery, Subproblem

SEEDS = st.integers(0, 2**32 - 1)


@pytest.fixture(scope="module")
def told(random_home):
    """A household, its problem, and a delivery with trades of `share` of their caps."""

    def draw(seed, share):
        home, cap = random_home(seed)
        rng = np.random.default_rng([seed, 2])
        shape = len(cap), home.periods
        lmp, price = home.beta_usd_per_kwh * rng.uniform(0, 1.2, home.periods), rng.uniform(0, 0.3, shape)
        trade = share * cap[:, None] * rng.uniform(-1, 1, shape)
        return home, Subproblem(home, cap), Delivery(lmp, price, trade)

    return draw


def unbalance_kw(home, plan):
    have = plan.bid_kw + home.renewable_kw - plan.curtailed_kw + plan.trade_kw.sum(axis=0)
    return np.abs(have - home.fixed_kw - plan.elastic_kw).max()


def check_limits(home, plan):
    assert (plan.bid_kw >= 0).all()
    assert (plan.bid_kw <= home.bid_max_kw).all()
    assert (plan.curtailed_kw >= 0).all()
    assert (plan.curtailed_kw <= home.renewable_kw).all()


@given(seed=SEEDS, share=st.floats(0, 1))
def test_balances_whatever_the_trades(told, seed, share):
    home, problem, delivery = told(seed, share)
    plan = problem.deliver(delivery)
    assert unbalance_kw(home, plan) < 1e-9
    assert np.array_equal(plan.trade_kw, delivery.trade_kw)
    check_limits(home, plan)


@pytest.mark.parametrize("seed", range(8))
def test_is_the_best_plan_with_these_trades(told, optimum, seed):
    home, problem, delivery = told(seed, 0.3)
    value, best = optimum(home, problem.cap_kw, delivery, given=True)
    assert best is not None
    plan = problem.deliver(delivery)
    payment = plan.payment_usd(home, delivery.price_usd_per_kwh)
    assert plan.violation_kw(home) < 1e-9
    assert plan.cost_usd(home, delivery.lmp_usd_per_kwh) + payment == pytest.approx(value, rel=1e-6, abs=1e-4)
    assert plan.elastic_kw == pytest.approx(best.elastic_kw, abs=0.1)


@pytest.mark.parametrize(
    ("trade", "elastic", "violation"), [(-100.0, -10.0, 10.0), (150.0, 120.0, 70.0), (-90.0, 0.0, 0.0)]
)
def test_trades_that_leave_no_way(home, trade, elastic, violation):
    """Selling what it has not, or buying what it cannot use, goes to the elastic load's account."""
    household = home(renewable_kw=20.0)
    problem = Subproblem(household, np.array([200.0]))
    shape = 1, household.periods
    plan = problem.deliver(Delivery(np.full(2, 0.2), np.full(shape, 0.2), np.full(shape, trade)))
    assert plan.elastic_kw == pytest.approx(elastic)
    assert plan.violation_kw(household) == pytest.approx(violation, abs=1e-6)
    assert unbalance_kw(household, plan) < 1e-9
    check_limits(household, plan)


@given(seed=SEEDS, share=st.floats(0, 1), bid=st.floats(0, 1))
def test_another_bid_is_consumed_or_saved(told, seed, share, bid):
    home, problem, delivery = told(seed, share)
    before = problem.deliver(delivery)
    after = problem.with_bid(before, bid * home.bid_max_kw)
    assert np.array_equal(after.bid_kw, bid * home.bid_max_kw)
    assert np.array_equal(after.trade_kw, before.trade_kw)
    assert unbalance_kw(home, after) < 1e-9
    check_limits(home, after)


def test_a_plan_s_own_bid_changes_nothing(told):
    _, problem, delivery = told(1, 0.5)
    plan = problem.deliver(delivery)
    same = problem.with_bid(plan, plan.bid_kw)
    assert same.elastic_kw == pytest.approx(plan.elastic_kw)
    assert same.curtailed_kw == pytest.approx(plan.curtailed_kw)
