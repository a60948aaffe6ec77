"""The bound that regrets are measured against is never above the true optimum, and close below it."""

from dataclasses import replace

import numpy as np
import pytest

from gridbazaar.agents import Delivery, Subproblem


@pytest.fixture
def priced(random_home):
    def draw(seed, **shape):
        home, cap = random_home(seed, **shape)
        rng = np.random.default_rng([seed, 3])
        lmp, price = (home.beta_usd_per_kwh * rng.uniform(0, 1.2, s) for s in (home.periods, (len(cap), home.periods)))
        return home, cap, Delivery(lmp, price, np.zeros_like(price))

    return draw


@pytest.mark.parametrize("shape", [{}, {"links": 0}, {"size_kw": 0.5}, {"size_kw": 1e5}, {"periods": 48}], ids=str)
def test_tight_and_below(priced, optimum, shape):
    for seed in range(5):
        home, cap, delivery = priced(seed, **shape)
        value, _ = optimum(home, cap, delivery)
        size = home.beta_usd_per_kwh * home.dt_h * home.periods * (home.bid_max_kw.max() + home.renewable_kw.max())
        bound = Subproblem(home, cap).least_cost_usd(delivery)
        assert bound <= value + 1e-9 * size
        assert bound >= value - 2e-9 * size


def test_limits_that_are_as_good_as_none(priced, optimum):
    """A bid or a link of a gigawatt at a household changes the optimum, not how well it is known."""
    for seed in range(5):
        home, cap, delivery = priced(seed)
        home, cap = replace(home, bid_max_kw=np.full(home.periods, 1e6)), np.full(cap.size, 1e6)
        value, _ = optimum(home, cap, delivery)
        assert Subproblem(home, cap).least_cost_usd(delivery) == pytest.approx(value, rel=1e-7)


def test_counts_hours(priced):
    """The same problem with half the hours costs half."""
    home, cap, delivery = priced(2)
    half = replace(home, dt_h=home.dt_h / 2)
    assert Subproblem(half, cap).least_cost_usd(delivery) == pytest.approx(
        Subproblem(home, cap).least_cost_usd(delivery) / 2
    )
