"""Regret: what a prosumer's schedule costs it more than the best it could do alone at the same prices."""

import mesa
import numpy as np
import pytest

from gridbazaar.agents import Delivery, PriceTaker, Prosumer


@pytest.fixture
def delivered(random_home):
    """A prosumer with some trades delivered, and the delivery."""

    def draw(seed, trades=0.2):
        home, cap = random_home(seed)
        rng = np.random.default_rng([seed, 4])
        shape = len(cap), home.periods
        lmp, price = (home.beta_usd_per_kwh * rng.uniform(0, 1.2, s) for s in (home.periods, shape))
        told = Delivery(lmp, price, trades * cap[:, None] * rng.uniform(-1, 1, shape))
        prosumer = Prosumer(mesa.Model(rng=1), home, cap, PriceTaker(), rng)
        prosumer.deliver(told)
        prosumer.commit()
        return prosumer, told

    return draw


@pytest.mark.parametrize("seed", range(6))
def test_regret_is_the_cost_above_the_best_response(delivered, optimum, seed):
    prosumer, told = delivered(seed)
    home, plan = prosumer.household, prosumer.schedule
    best, _ = optimum(home, prosumer.problem.cap_kw, told)
    spent = plan.cost_usd(home, told.lmp_usd_per_kwh) + plan.payment_usd(home, told.price_usd_per_kwh)
    assert prosumer.regret(told).usd == pytest.approx(spent - best, rel=1e-6, abs=1e-6)
    assert prosumer.regret(told).usd > 0.1


@pytest.mark.parametrize("seed", range(4))
def test_nobody_regrets_its_best_response(delivered, optimum, seed):
    prosumer, told = delivered(seed)
    _, best = optimum(prosumer.household, prosumer.problem.cap_kw, told)
    at_best = Delivery(told.lmp_usd_per_kwh, told.price_usd_per_kwh, best.trade_kw)
    _, regret = prosumer.deliver(at_best)
    prosumer.commit()
    assert prosumer.regret(at_best).usd == pytest.approx(0, abs=1e-4)
    assert regret == prosumer.regret(at_best)


def test_a_schedule_that_cannot_be_held_is_regretted_without_end(home):
    """Trades that make it sell what it has not would look cheap: its unserved load costs it nothing in (11)."""
    prosumer = Prosumer(mesa.Model(rng=1), home(), np.array([200.0]), PriceTaker(), np.random.default_rng(1))
    told = Delivery(np.full(2, 0.2), np.full((1, 2), 0.2), np.full((1, 2), -150.0))
    _, regret = prosumer.deliver(told)
    prosumer.commit()
    assert regret.usd == np.inf
    assert prosumer.regret(told).usd == np.inf
