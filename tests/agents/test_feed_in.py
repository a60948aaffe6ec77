"""Feed-in, fees and withdrawals in a prosumer's own problem, each against (20) written down again in cvxpy."""

from dataclasses import replace

import mesa
import numpy as np
import pytest

from gridbazaar.agents import Delivery, HouseholdError, Link, LinkError, PriceTaker, Prosumer, Subproblem

KINDS = {
    "feed-in": {"feed_in": True},
    "fees": {"fees": True},
    "feed-in and fees": {"feed_in": True, "fees": True},
    "withdrawals": {"withdrawals": True},
    "all": {"feed_in": True, "fees": True, "withdrawals": True},
}
both = pytest.mark.parametrize("kind", KINDS)


@pytest.fixture
def drawn(random_home):
    """A household, its problem, and what an oracle needs to know of its links."""

    def draw(seed, *, feed_in=False, fees=False, withdrawals=False, **shape):
        home, cap = random_home(seed, feed_in=feed_in, fees=fees, **shape)
        rng = np.random.default_rng([seed, 7])
        fee = fees * home.beta_usd_per_kwh * 0.2 * rng.uniform(0, 1, len(cap)) * rng.integers(0, 2, len(cap))
        known = {"fee": fee, "withdrawals": withdrawals}
        return home, cap, Subproblem(home, cap, fee, withdrawals=withdrawals), known

    return draw


def prices(seed, home, cap, *, withdrawals):
    """LMPs and sharing prices about right for a household; mark-ups where LMPs are paid on trades."""
    rng = np.random.default_rng([seed, 8])
    lmp = home.beta_usd_per_kwh * rng.uniform(-0.1, 1.1, home.periods)
    price = home.beta_usd_per_kwh * rng.uniform(-0.1, 1.1, (len(cap), home.periods))
    return lmp, price - lmp if withdrawals else price


def cost_of(home, problem, told, plan):
    """What a plan costs at a delivery, fees included: the order at the LMP, trades at their price, less the utility."""
    order = plan.withdrawal_kw if problem.withdrawals else plan.bid_kw
    paid = (told.lmp_usd_per_kwh * order).sum() + (told.price_usd_per_kwh * plan.trade_kw).sum()
    fees = home.grid_fee_usd_per_kwh * np.maximum(plan.bid_kw, 0) + home.feed_in_fee_usd_per_kwh * np.maximum(
        -plan.bid_kw, 0
    )
    shared = (problem.fee_usd_per_kwh[:, None] * np.abs(plan.trade_kw)).sum()
    utility = (home.beta_usd_per_kwh * plan.elastic_kw - home.alpha_usd_per_kw2h * plan.elastic_kw**2).sum()
    return home.dt_h * float(paid + fees.sum() + shared - utility)


def check_limits(home, plan, tolerance=1e-9):
    have = plan.bid_kw + home.renewable_kw - plan.curtailed_kw + plan.trade_kw.sum(axis=0)
    assert np.abs(have - home.fixed_kw - plan.elastic_kw).max() <= tolerance
    assert (plan.bid_kw >= -home.feed_in_max_kw).all()
    assert (plan.bid_kw <= home.bid_max_kw).all()


@both
@pytest.mark.parametrize("weight", [0.0, 1e-5, 1e-3])
def test_share_is_the_optimum_of_20(drawn, random_quote, optimum, kind, weight):
    for seed in range(4):
        home, cap, problem, known = drawn(seed, **KINDS[kind])
        quote = random_quote(seed, home, cap, 1e-4, proximal=True, bid_weight=weight)
        if known["withdrawals"]:
            quote = replace(quote, price_usd_per_kwh=quote.price_usd_per_kwh - quote.lmp_usd_per_kwh)
        value, best = optimum(home, cap, quote, **known)
        plan = problem.share(quote)
        size = home.bid_max_kw.max()
        check_limits(home, plan, 1e-4 * size)
        assert plan.trade_kw / size == pytest.approx(best.trade_kw / size, abs=1e-3)
        assert plan.elastic_kw / size == pytest.approx(best.elastic_kw / size, abs=1e-3)
        order = problem.order_kw(plan.bid_kw, plan.trade_kw)
        cost = cost_of(home, problem, quote, plan) + home.dt_h * float(
            (quote.penalty_usd_per_kw2h / 2 * (plan.trade_kw + quote.partner_kw) ** 2).sum()
            + (quote.proximal_usd_per_kw2h / 2 * (plan.trade_kw - quote.own_kw) ** 2).sum()
            + (quote.bid_weight_usd_per_kw2h / 2 * (order - quote.held_bid_kw) ** 2).sum()
        )
        assert cost == pytest.approx(value, rel=1e-5, abs=2e-5 * size * home.beta_usd_per_kwh)


@both
@pytest.mark.parametrize("shape", [{}, {"links": 0}, {"size_kw": 0.5}, {"size_kw": 1e5}, {"periods": 48}], ids=str)
def test_least_cost_is_the_optimum(drawn, optimum, kind, shape):
    for seed in range(3):
        home, cap, problem, known = drawn(seed, **KINDS[kind], **shape)
        lmp, price = prices(seed, home, cap, withdrawals=known["withdrawals"])
        told = Delivery(lmp, price, np.zeros_like(price))
        value, _ = optimum(home, cap, told, **known)
        size = home.beta_usd_per_kwh * home.dt_h * home.periods * (home.bid_max_kw.max() + home.renewable_kw.max())
        bound = problem.least_cost_usd(problem.paid(told))
        assert value - 2e-8 * size <= bound <= value + 1e-8 * size


@both
@pytest.mark.parametrize("seed", range(6))
def test_deliver_is_the_best_plan_with_these_trades(drawn, optimum, kind, seed):
    home, cap, problem, known = drawn(seed, **KINDS[kind])
    lmp, price = prices(seed, home, cap, withdrawals=known["withdrawals"])
    trade = 0.3 * cap[:, None] * np.random.default_rng([seed, 9]).uniform(-1, 1, price.shape)
    told = Delivery(lmp, price, trade)
    value, best = optimum(home, cap, told, given=True, **known)
    plan = problem.deliver(problem.paid(told))
    check_limits(home, plan)
    assert best is not None
    assert cost_of(home, problem, told, plan) == pytest.approx(value, rel=1e-6, abs=1e-4)
    assert plan.elastic_kw == pytest.approx(best.elastic_kw, abs=0.1)


@pytest.mark.parametrize("withdrawals", [False, True])
@pytest.mark.parametrize("lmp", [1e-7, 0.0, -1e-7])
@pytest.mark.parametrize("held_kw", [-90.0, -40.0, -11.0, 30.0])
def test_where_power_is_worth_nothing_the_held_bid_decides(home, optimum, lmp, held_kw, withdrawals):
    """10 kW of 100 cannot be used: between selling and curtailing them an LMP off by a hair does not jump."""
    household = home(renewable_kw=100.0, elastic_max_kw=60.0, feed_in_max_kw=80.0)
    problem = Subproblem(household, np.array([20.0]), withdrawals=withdrawals)
    trade = np.full((1, 2), -5.0)
    told = Delivery(np.full(2, lmp), np.zeros((1, 2)), trade, np.full(2, held_kw), np.full(2, 1e-3))
    plan = problem.deliver(problem.paid(told))
    _, best = optimum(household, problem.cap_kw, told, given=True, held=True, withdrawals=withdrawals)
    check_limits(household, plan)
    if 1e-3 < best.curtailed_kw[0] < 99.9:
        assert plan.bid_kw == pytest.approx(best.bid_kw, abs=0.02)
    else:  # at an end of the step, which is as near as it may come to the held bid
        assert plan.bid_kw == pytest.approx(np.clip(best.bid_kw, -5.0, None), abs=0.1)


def test_elsewhere_the_held_bid_changes_nothing(drawn):
    for seed in range(5):
        home, cap, problem, _ = drawn(seed, feed_in=True, fees=True)
        lmp, price = np.full(home.periods, 0.5 * home.beta_usd_per_kwh), np.zeros((len(cap), home.periods))
        free = Delivery(lmp, price, np.zeros_like(price))
        plan = problem.deliver(free)
        held = replace(free, held_bid_kw=plan.bid_kw, bid_weight_usd_per_kw2h=np.full(home.periods, 1e-4))
        assert np.array_equal(problem.deliver(held).powers, plan.powers)


@both
@pytest.mark.parametrize("seed", range(4))
def test_nobody_regrets_its_best_response(drawn, optimum, kind, seed):
    home, cap, problem, known = drawn(seed, **KINDS[kind])
    lmp, price = prices(seed, home, cap, withdrawals=known["withdrawals"])
    _, best = optimum(home, cap, Delivery(lmp, price, np.zeros_like(price)), **known)
    told = Delivery(lmp, price, best.trade_kw)
    fee, withdrawals = known["fee"], known["withdrawals"]
    prosumer = Prosumer(
        mesa.Model(rng=1), home, cap, PriceTaker(), np.random.default_rng(1), fee, withdrawals=withdrawals
    )
    bid, regret = prosumer.deliver(told)
    assert regret.usd == pytest.approx(0, abs=2e-4)
    order = prosumer.plan.withdrawal_kw if withdrawals else prosumer.plan.bid_kw
    assert bid.power_kw == pytest.approx(order, rel=1e-12, abs=1e-9)
    spent = cost_of(home, problem, told, prosumer.plan)
    other = Delivery(told.lmp_usd_per_kwh, told.price_usd_per_kwh, 0.5 * best.trade_kw)
    _, more = prosumer.deliver(other)
    least, _ = optimum(home, cap, told, **known)
    assert more.usd == pytest.approx(cost_of(home, problem, other, prosumer.plan) - least, rel=1e-5, abs=1e-4)
    assert spent <= cost_of(home, problem, other, prosumer.plan) + 1e-6


def test_a_missing_kwh_costs_what_it_would_cost_to_buy(home):
    """A schedule that lacks 4 kWh is charged for them at the LMP and the grid fee, where that is dearer."""
    household = home(elastic_min_kw=10.0, grid_fee_usd_per_kwh=0.2, dt_h=0.5)
    problem = Subproblem(household, np.array([200.0]))
    plan = problem.with_bid(
        problem.deliver(Delivery(np.full(2, 0.4), np.zeros((1, 2)), np.zeros((1, 2)))), np.full(2, 16.0)
    )
    assert plan.elastic_kw == pytest.approx([6.0, 6.0])
    utility = household.utility_usd(np.full(2, 10.0))
    kept = plan.kept_cost_usd(household, np.full(2, 0.4))
    assert kept == pytest.approx(2 * 0.5 * (0.6 * 16.0 + 0.6 * 4.0) - utility)


@pytest.mark.parametrize("key", ["grid_fee_usd_per_kwh", "feed_in_fee_usd_per_kwh", "feed_in_max_kw"])
@pytest.mark.parametrize("value", [-0.01, np.inf, np.nan])
def test_bad_tariffs_are_refused(home, key, value):
    with pytest.raises(HouseholdError, match=key):
        home(**{key: value})


@pytest.mark.parametrize("value", [-0.01, np.inf, np.nan])
def test_bad_fees_of_links_are_refused(value):
    with pytest.raises(LinkError, match="fee_usd_per_kwh"):
        Link("a", "b", 1.0, value)
