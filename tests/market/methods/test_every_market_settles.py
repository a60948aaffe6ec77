"""Whatever market comes: the default method settles it, at the joint optimum, and the certificate is never wrong.

`make methods` does the same for a hundred markets of full size and prints how all methods fare on them.
"""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from random_markets import random_market

from gridbazaar.market import EnergyMarket, MarketSettings, Method

SOLVER = 1e-6  # what the solvers of both sides leave, as a fraction of DSO cost and utility
TOLERANCE = 1e-5

few, many = (
    settings(max_examples=count, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
    for count in (4, 25)
)


def run(market, **chosen):
    """The result of a market, and the gap in welfare less fees and its certificate, of DSO cost and utility."""
    settings = MarketSettings(**{"network_use": "bids"} | chosen)
    built = EnergyMarket(market.clearing(), market.households, market.links, settings=settings)
    result, best = built.run(), market.optimum
    turnover = best.dso_cost_usd + best.utility_usd
    welfare = result.welfare_usd - result.dispatch.shortage_cost_usd - result.fees_usd
    gap = (best.welfare_usd - best.fees_usd - welfare) / turnover
    return result, gap, result.certificate.total_usd / turnover


def drawn(seed, network_use="bids", *, tariffs=False, buses=(5, 15), prosumers=(2, 5)):
    """A small market, the network carrying this, with feed-in and fees or without."""
    withdrawals = network_use == "withdrawals"
    return random_market(seed, buses=buses, prosumers=prosumers, feed_in=tariffs, fees=tariffs, withdrawals=withdrawals)


def check_that_it_settles(seed, network_use, tariffs):
    market = drawn(seed, network_use, tariffs=tariffs)
    result, gap, certified = run(market, regret_tolerance=TOLERANCE, network_use=network_use)
    assert result.settled, result.message
    assert certified <= TOLERANCE
    assert -SOLVER - beyond_limits(market, result) <= gap <= certified + SOLVER


def beyond_limits(market, result):
    """What elastic loads that trades push out of their limits may be worth, of DSO cost and utility."""
    kwh = result.max_violation_kw * result.dt_h * result.elastic_kw.size
    worth = kwh * max(home.beta_usd_per_kwh for home in market.households)
    return worth / (market.optimum.dso_cost_usd + market.optimum.utility_usd)


SEEDS = st.integers(1000, 10_000)
USES = st.sampled_from(["bids", "withdrawals"])
test_newton_settles_a_few_markets = few(given(SEEDS, USES, st.booleans())(check_that_it_settles))
test_newton_settles_every_market = pytest.mark.long(many(given(SEEDS, USES, st.booleans())(check_that_it_settles)))


@given(
    st.integers(1000, 10_000),
    st.sampled_from(list(Method)),
    st.sampled_from([{"max_rounds": 2}, {"max_rounds": 20}, {}]),
    st.integers(2, 4),
    USES,
    st.booleans(),
)
@few
def test_the_certificate_is_not_wrong(seed, method, limits, steps, network_use, tariffs):
    """However early it is stopped, whatever the method."""
    market = drawn(seed, network_use, tariffs=tariffs, buses=(5, 12), prosumers=(2, 4))
    limits = {**limits, "network_use": network_use, "max_iterations": steps, "regret_tolerance": 1e-9}
    _, gap, certified = run(market, method=method, **limits)
    assert gap <= certified + SOLVER


@pytest.mark.long
@given(
    SEEDS,
    st.sampled_from(list(Method)),
    st.sampled_from([{"max_rounds": 2}, {"max_rounds": 20}, {}]),
    st.integers(2, 4),
    USES,
    st.booleans(),
)
@many
def test_the_certificate_is_never_wrong(seed, method, limits, steps, network_use, tariffs):
    test_the_certificate_is_not_wrong.hypothesis.inner_test(seed, method, limits, steps, network_use, tariffs)


@pytest.mark.long
@pytest.mark.parametrize("method", ["admm", "newton"])
@pytest.mark.parametrize("seed", [7, 17])
def test_of_full_size(seed, method):
    result, gap, certified = run(random_market(seed), method=method, regret_tolerance=TOLERANCE)
    assert result.settled, result.message
    assert -SOLVER <= gap <= certified + SOLVER
