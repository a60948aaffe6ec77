"""Case 2: the planner plans with what prosumers declare and ask, so that it comes to what Algorithm 1 does."""

import numpy as np
import pytest

from gridbazaar.agents import Behaviour
from gridbazaar.agents.behaviours.loss_averse import LossAverse
from gridbazaar.agents.behaviours.shading import Shading
from gridbazaar.agents.behaviours.zero_intelligence import ZeroIntelligence


@pytest.mark.parametrize("make", [lambda: Shading(20), lambda: LossAverse(1.0), ZeroIntelligence])
def test_cases_2_and_3_agree_whatever_is_declared(make, ieee33_bazaar, open_market):
    planned, shared = (
        open_market(ieee33_bazaar(), behaviours={"p2": make()}, rng=5, case=case, regret_tolerance=1e-9).run()
        for case in (2, 3)
    )
    truth = open_market(ieee33_bazaar(), rng=5, case=2, regret_tolerance=1e-9).run()
    assert planned.settled
    assert np.abs(planned.elastic_kw - shared.elastic_kw).max() < 0.05
    assert np.abs(planned.lmp_usd_per_kwh - shared.lmp_usd_per_kwh).max() < 1e-5
    assert np.abs(planned.elastic_kw - truth.elastic_kw).max() > 5  # and it is not what the truth comes to


class ShadesMoreEachTime(Behaviour):
    """Declares worse each time it is asked: so it shows who asks it how often."""

    def __init__(self):
        self.asked = 0

    def declare(self, household):
        self.asked += 1
        return Shading(10 * self.asked).declare(household)


def test_a_behaviour_is_asked_once(ieee33_bazaar, open_market):
    behaviour = ShadesMoreEachTime()
    open_market(ieee33_bazaar(), behaviours={"p2": behaviour}, case=2)
    assert behaviour.asked == 1
