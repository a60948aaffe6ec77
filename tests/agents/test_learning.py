"""Behaviours that learn from day to day, and those that have agreed what to declare."""

import numpy as np
import pytest

from gridbazaar.agents import Behaviour, Household
from gridbazaar.agents.behaviours.colluders import Colluders
from gridbazaar.agents.behaviours.learner import Learner


@pytest.fixture
def home():
    return Household("p1", "1", np.ones(2), np.zeros(2), 0.01, 0.4, np.zeros(2), np.full(2, 9.0), np.full(2, 20.0))


def day(learner, home, cost_usd, seed):
    learner.rng = np.random.default_rng(seed)
    declared = learner.declare(home)
    learner.learn(cost_usd(learner.percent))
    return declared


def test_a_learner_tries_everything_once_and_then_what_cost_least(home):
    learner = Learner(percents=[-5, 0, 5], explore=0.0)
    tried = set()
    for seed in range(3):
        day(learner, home, lambda percent: (percent - 5) ** 2, seed)
        tried.add(learner.percent)
    assert tried == {-5.0, 0.0, 5.0}
    declared = day(learner, home, lambda _: 0.0, 3)
    assert learner.percent == 5.0
    assert (declared.alpha_usd_per_kw2h, declared.beta_usd_per_kwh) == pytest.approx((0.0095, 0.38))


def test_a_learner_weighs_the_mean_of_the_days_not_the_last_one(home):
    learner = Learner(percents=[0, 5], explore=0.0)
    costs = {0.0: [10.0, 10.0], 5.0: [0.0, 30.0, 30.0]}
    seen = [day(learner, home, lambda percent: costs[percent].pop(0), seed) and learner.percent for seed in range(4)]
    assert sorted(seen[:2]) == [0.0, 5.0]
    assert seen[2:] == [5.0, 0.0]  # means are 10 and 0, then 10 and 15
    assert learner.mean_cost_usd[1] == pytest.approx(15.0)


def test_a_learner_explores_as_often_as_it_says(home):
    learner = Learner(percents=[0, 5], explore=0.4)
    seen = [day(learner, home, lambda percent: percent, seed) and learner.percent for seed in range(2000)]
    assert np.mean(np.array(seen) == 5.0) == pytest.approx(0.2, abs=0.03)  # half of what it explores


def test_a_learner_goes_on_from_what_it_has_saved(home):
    one, other = Learner(), Learner()
    for seed in range(7):
        day(one, home, lambda percent: percent**2, seed)
    other.restore_state(one.saved_state())
    for learner in (one, other):
        day(learner, home, lambda percent: percent**2, 7)
    assert one.saved_state() == other.saved_state()


def test_colluders_declare_what_was_agreed_for_them_and_others_the_truth(home):
    agreed = Colluders(percents={"p1": -10, "p2": 5})
    declared = agreed.declare(home)
    assert (declared.alpha_usd_per_kw2h, declared.beta_usd_per_kwh) == pytest.approx((0.011, 0.44))
    assert Colluders(percents={"p2": 5}).declare(home) is home


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda: Learner(percents=[]), r"percents \[\] must be one number at the least, and all below 100"),
        (lambda: Learner(percents=[5, 100]), r"percents \[5, 100\] must be one number at the least, and all below 100"),
        (lambda: Colluders(percents={"p1": 100}), "the percent of p1 is 100; it must be below 100"),
    ],
)
def test_percents_that_leave_nothing_are_refused(make, sentence):
    with pytest.raises(ValueError, match=f"^{sentence}$"):
        make()


def test_others_learn_nothing():
    assert Behaviour().learn(3.0) is None
    assert Behaviour().saved_state() == {}
