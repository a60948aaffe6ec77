"""The bound that regrets are measured against is never above the true optimum, and close below it."""

from dataclasses import replace

import numpy as np
import osqp
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


def test_a_bound_however_poor_the_solver(priced, optimum, monkeypatch):
    """OSQP stopped after a few iterations is wrong, and the bound is still one."""
    solve = osqp.OSQP.solve

    def hasty(self, **options):
        self.update_settings(max_iter=3)
        return solve(self, **options)

    loose = 0
    for seed in range(5):
        home, cap, delivery = priced(seed)
        value, _ = optimum(home, cap, delivery)
        with monkeypatch.context() as patch:
            patch.setattr(osqp.OSQP, "solve", hasty)
            bound = Subproblem(home, cap).least_cost_usd(delivery)
        assert bound <= value + 1e-7
        loose += bound < value - 1e-3
    assert loose


def test_counts_hours(priced):
    """The same problem with half the hours costs half."""
    home, cap, delivery = priced(2)
    half = replace(home, dt_h=home.dt_h / 2)
    assert Subproblem(half, cap).least_cost_usd(delivery) == pytest.approx(
        Subproblem(home, cap).least_cost_usd(delivery) / 2
    )
