"""`share` finds the optimum of (20), whatever the prices, penalties, links and sizes."""

from dataclasses import replace

import numpy as np
import pytest

from gridbazaar.agents import Subproblem
from gridbazaar.agents.osqp_subproblem import OsqpSubproblem


@pytest.fixture(params=[Subproblem, OsqpSubproblem], ids=["exact", "osqp"])
def solved(request):
    """How (20) is solved."""
    return request.param


def worth(home, quote, plan):
    """The objective of (20) at a plan, in $."""
    penalty = quote.penalty_usd_per_kw2h / 2 * (plan.trade_kw + quote.partner_kw) ** 2
    proximal = quote.proximal_usd_per_kw2h / 2 * (plan.trade_kw - quote.own_kw) ** 2
    cost = plan.cost_usd(home, quote.lmp_usd_per_kwh) + plan.payment_usd(home, quote.price_usd_per_kwh)
    bid = quote.bid_weight_usd_per_kw2h / 2 * (plan.bid_kw - quote.held_bid_kw) ** 2
    return cost + home.dt_h * float((penalty + proximal).sum() + bid.sum())


def unbalance_kw(home, plan):
    have = plan.bid_kw + home.renewable_kw - plan.curtailed_kw + plan.trade_kw.sum(axis=0)
    return np.abs(have - home.fixed_kw - plan.elastic_kw).max()


@pytest.fixture
def same_as_cvxpy(optimum):
    """Plan and objective against cvxpy's, counted in the household's size."""

    def check(home, cap, quote, plan, tolerance=2e-5):
        value, best = optimum(home, cap, quote)
        size = max(home.bid_max_kw.max(), home.elastic_max_kw.max(), home.renewable_kw.max(), cap.max(initial=0))
        held = quote.bid_weight_usd_per_kw2h > 0  # elsewhere a bid and what is curtailed may change places
        bids = plan.bid_kw[held], best.bid_kw[held]
        for mine, theirs in ((plan.trade_kw, best.trade_kw), (plan.elastic_kw, best.elastic_kw), bids):
            assert mine / size == pytest.approx(theirs / size, abs=50 * tolerance)
        assert unbalance_kw(home, plan) <= tolerance * size
        assert worth(home, quote, plan) == pytest.approx(value, rel=1e-5, abs=tolerance * size * home.beta_usd_per_kwh)

    return check


@pytest.mark.parametrize("proximal", [True, False], ids=["proximal", "plain"])
@pytest.mark.parametrize("penalty", [1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 1e-1])
def test_any_penalty(solved, random_home, random_quote, same_as_cvxpy, penalty, proximal):
    for seed in range(4):
        home, cap = random_home(seed)
        quote = random_quote(seed, home, cap, penalty, proximal=proximal)
        same_as_cvxpy(home, cap, quote, solved(home, cap).share(quote))


@pytest.mark.parametrize("size_kw", [0.5, 10, 1e3, 1e5], ids="{} kW".format)
def test_any_size(solved, random_home, random_quote, same_as_cvxpy, size_kw):
    for seed in range(4):
        home, cap = random_home(seed, size_kw=size_kw)
        quote = random_quote(seed, home, cap, 0.03 / size_kw, proximal=True)
        same_as_cvxpy(home, cap, quote, solved(home, cap).share(quote))


@pytest.mark.parametrize(("links", "periods"), [(0, 1), (0, 24), (1, 1), (7, 2), (2, 96)])
def test_any_shape(solved, random_home, random_quote, same_as_cvxpy, links, periods):
    home, cap = random_home(3, links=links, periods=periods)
    quote = random_quote(3, home, cap, 1e-4, proximal=True)
    plan = solved(home, cap).share(quote)
    assert plan.trade_kw.shape == (links, periods)
    same_as_cvxpy(home, cap, quote, plan)


def test_one_solver_serves_many_quotes(solved, random_home, random_quote, same_as_cvxpy):
    """What an earlier quote left in the solver (weights, warm start) does not show in the next answer."""
    home, cap = random_home(5)
    problem = solved(home, cap)
    for seed, penalty in enumerate([1e-4, 1e-2, 1e-5, 1e-5, 1e-3]):
        quote = random_quote(seed, home, cap, penalty, proximal=seed % 2 == 0, bid_weight=[0.0, 1e-3, 1e-5][seed % 3])
        same_as_cvxpy(home, cap, quote, problem.share(quote))


@pytest.mark.parametrize("weight", [1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 1e-1])
def test_any_weight_on_leaving_the_held_bid(solved, random_home, random_quote, same_as_cvxpy, weight):
    for seed in range(4):
        home, cap = random_home(seed)
        quote = random_quote(seed, home, cap, 1e-4, proximal=True, bid_weight=weight)
        same_as_cvxpy(home, cap, quote, solved(home, cap).share(quote))


def test_every_period_has_a_weight_of_its_own(solved, random_home, random_quote, same_as_cvxpy):
    home, cap = random_home(2)
    quote = random_quote(2, home, cap, 1e-4, proximal=True)
    quote = replace(quote, bid_weight_usd_per_kw2h=np.array([0.0, 1e-6, 1e-3, 1e-1]))
    same_as_cvxpy(home, cap, quote, solved(home, cap).share(quote))


BINDING = {
    "dear": (5.0, lambda plan, home: np.allclose(plan.elastic_kw, home.elastic_min_kw, atol=1e-3)),
    "free": (-0.2, lambda plan, home: np.allclose(plan.curtailed_kw, home.renewable_kw, atol=1e-3)),
    "cheap": (0.01, lambda plan, home: np.allclose(plan.elastic_kw, home.elastic_max_kw, atol=1e-3)),
}


@pytest.mark.parametrize("name", BINDING)
def test_limits_bind(solved, home, random_quote, same_as_cvxpy, name):
    lmp, binds = BINDING[name]
    household, cap = home(elastic_min_kw=5.0), np.array([40.0])
    drawn = random_quote(0, household, cap, 1e-3, proximal=True)
    quote = replace(
        drawn,
        lmp_usd_per_kwh=np.full(2, lmp),
        price_usd_per_kwh=np.full((1, 2), lmp),
        own_kw=np.zeros((1, 2)),
        partner_kw=np.zeros((1, 2)),
        penalty_usd_per_kw2h=np.full((1, 2), 1e-3),
        proximal_usd_per_kw2h=np.full((1, 2), 1e-3),
    )
    plan = solved(household, cap).share(quote)
    assert binds(plan, household)
    same_as_cvxpy(household, cap, quote, plan)
