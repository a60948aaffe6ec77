"""What was delivered is judged before anybody commits to it, and a prosumer may go there a step at a time."""

from dataclasses import replace

import mesa
import numpy as np
import pytest

from gridbazaar.agents import Delivery, PriceTaker, Prosumer
from gridbazaar.agents.device_subproblem import DeviceSubproblem
from gridbazaar.agents.devices.store import Store

KINDS = ("bid_kw", "curtailed_kw", "elastic_kw", "trade_kw")


@pytest.fixture
def told(random_home):
    """A prosumer and two deliveries; it is committed to the first."""

    def draw(seed):
        home, cap = random_home(seed)
        rng = np.random.default_rng([seed, 6])
        shape = len(cap), home.periods
        deliveries = [
            Delivery(
                home.beta_usd_per_kwh * rng.uniform(0, 1.2, home.periods),
                home.beta_usd_per_kwh * rng.uniform(0, 1.2, shape),
                0.2 * cap[:, None] * rng.uniform(-1, 1, shape),
            )
            for _ in range(2)
        ]
        prosumer = Prosumer(mesa.Model(rng=1), home, cap, PriceTaker(), rng)
        prosumer.deliver(deliveries[0])
        prosumer.commit()
        return prosumer, *deliveries

    return draw


def unbalance_kw(home, plan):
    have = plan.bid_kw + home.renewable_kw - plan.curtailed_kw + plan.trade_kw.sum(axis=0)
    return np.abs(have - home.fixed_kw - plan.elastic_kw).max()


def test_a_delivery_commits_to_nothing(told):
    prosumer, _, second = told(1)
    before = prosumer.schedule
    bid, _ = prosumer.deliver(second)
    assert prosumer.schedule is before
    assert not np.allclose(bid.power_kw, before.bid_kw)
    assert np.array_equal(prosumer.commit().power_kw, bid.power_kw)
    assert np.array_equal(prosumer.schedule.trade_kw, second.trade_kw)


@pytest.mark.parametrize("step", [0.0, 0.25, 0.9])
@pytest.mark.parametrize("seed", range(4))
def test_a_step_of_the_way_keeps_the_balance(told, seed, step):
    """(13) and all limits are kept between two plans that keep them."""
    prosumer, _, second = told(seed)
    home, before = prosumer.household, prosumer.schedule
    prosumer.deliver(second)
    goal, bid = prosumer.plan, prosumer.commit(step)
    after = prosumer.schedule
    for kind in KINDS:
        one, other = getattr(before, kind), getattr(goal, kind)
        assert getattr(after, kind) == pytest.approx(one + step * (other - one))
    assert np.array_equal(bid.power_kw, after.bid_kw)
    assert unbalance_kw(home, after) < 1e-9
    assert after.violation_kw(home) <= max(before.violation_kw(home), goal.violation_kw(home)) + 1e-9


def test_step_by_step_it_arrives(told):
    prosumer, _, second = told(2)
    prosumer.deliver(second)
    for _ in range(60):
        prosumer.commit(0.5)
    assert prosumer.schedule.bid_kw == pytest.approx(prosumer.plan.bid_kw)
    assert prosumer.schedule.trade_kw == pytest.approx(second.trade_kw)


def test_a_bid_told_is_nobody_s_to_change(told):
    prosumer, _, second = told(1)
    bid, _ = prosumer.deliver(second)
    for each in (bid, prosumer.commit(0.5), prosumer.commit()):
        with pytest.raises(ValueError, match="read-only"):
            each.power_kw[0] = 1.0


@pytest.mark.parametrize("seed", range(4))
def test_the_regret_told_is_that_of_the_plan_not_of_the_schedule(told, optimum, seed):
    prosumer, _, second = told(seed)
    home = prosumer.household
    of_schedule = prosumer.regret(second).usd
    _, regret = prosumer.deliver(second)
    plan = prosumer.plan
    least, _ = optimum(home, prosumer.problem.cap_kw, second)
    spent = plan.cost_usd(home, second.lmp_usd_per_kwh) + plan.payment_usd(home, second.price_usd_per_kwh)
    assert regret.usd == pytest.approx(spent - least, rel=1e-6, abs=1e-6)
    assert prosumer.regret(second, plan) == regret
    assert prosumer.regret(second).usd == of_schedule
    assert abs(of_schedule - regret.usd) > 1e-3
    prosumer.commit()
    assert prosumer.regret(second) == regret


@pytest.mark.parametrize("seed", range(4))
def test_halfway_regrets_no_more_than_the_mean_of_both_ends(told, seed):
    """The cost of a plan at given prices is convex."""
    prosumer, _, second = told(seed)
    start = prosumer.regret(second).usd
    _, goal = prosumer.deliver(second)
    halfway = prosumer.regret(second, prosumer.schedule.towards(prosumer.plan, 0.5)).usd
    assert halfway <= (start + goal.usd) / 2 + 1e-9
    prosumer.commit(0.5)
    assert prosumer.regret(second).usd == pytest.approx(halfway)


def test_a_candidate_that_cannot_be_held_is_regretted_without_end(home):
    """It is refused before it is committed to, and the schedule stays what it was."""
    prosumer = Prosumer(mesa.Model(rng=1), home(), np.array([200.0]), PriceTaker(), np.random.default_rng(1))
    fine, beyond = (Delivery(np.full(2, 0.2), np.full((1, 2), 0.2), np.full((1, 2), trade)) for trade in (0.0, -150.0))
    prosumer.deliver(fine)
    prosumer.commit()
    _, regret = prosumer.deliver(beyond)
    assert regret.usd == np.inf
    assert np.isfinite(prosumer.regret(beyond).usd)


def test_halfway_between_charging_and_discharging_a_lossless_store_rests(home):
    """It charges in one plan and discharges in the other; its owner is as well off as with both."""
    store = Store(name="s", capacity_kwh=10.0, p_charge_max_kw=4.0, p_discharge_max_kw=4.0)
    own = replace(home(), devices=(store,))
    problem = DeviceSubproblem(own, np.zeros(0))
    cheap_at = [np.where(np.arange(own.periods) == t, 0.01, 0.2) for t in (0, 1)]
    none = np.zeros((0, own.periods))
    one, other = (problem.deliver(problem.paid(Delivery(lmp, none, none))) for lmp in cheap_at)
    plain, between = one.towards(other, 0.5), problem.between(one, other, 0.5)
    assert np.minimum(*plain.device[:2]).max() > 0.1
    assert np.minimum(*between.device[:2]).max() == 0.0
    injected = own.fleet.injection_kw
    np.testing.assert_allclose(injected(between.device), injected(plain.device), atol=1e-12)
    assert own.fleet.breach(between.device) < 1e-12
