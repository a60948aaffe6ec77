"""How far an outer step goes: far along Newton's curves where all answer to them, else a part of the way."""

from typing import Any

import numpy as np
import pytest

from gridbazaar.agents import Behaviour
from gridbazaar.market import MessageFaults
from gridbazaar.market.hosting.lossy_channel import Absence


class Shy(Behaviour):
    """Answers in a way of its own."""

    def answer(self, quote: Any, problem: Any) -> Any:
        """What is best for it, as it happens; nobody can count on that."""
        return problem.share(quote)


@pytest.fixture
def after_two_clearings(ieee33_bazaar, open_market):
    """What a market is to agree to after its second clearing, as a part of what that left, and when it is tried."""

    def told(**how: Any) -> tuple[float, int]:
        market = open_market(ieee33_bazaar(), rng=1, regret_tolerance=1e-9, **how)
        while market.operator.state.clearings < 2:
            market.step()
        proof = market.proof
        allowed = proof._allowed_usd(market.platform) / proof.state.turnover_usd
        return proof.certificate().relative / allowed, proof.state.pace.due

    return told


def test_far_where_all_answer(after_two_clearings):
    part, due = after_two_clearings()
    assert part == pytest.approx(200)
    assert due == np.ceil(np.log(200) / 0.25)


@pytest.mark.parametrize("faults", [{"away": {"p1": Absence(2, 3)}}, {"loss": 0.1}, {"delay_rounds": 2}])
def test_messages_that_fail_change_nothing(after_two_clearings, faults):
    assert after_two_clearings(messages=MessageFaults(**faults))[0] == pytest.approx(200)


@pytest.mark.parametrize(
    "how",
    [
        {"method": "proximal_gradient"},
        {"behaviours": {"p2": Shy()}},
    ],
    ids=["another method", "another behaviour"],
)
def test_part_of_the_way_elsewhere(after_two_clearings, how):
    part, due = after_two_clearings(**how)
    assert part == pytest.approx(20)
    assert due == (2 if "behaviours" in how else 14)
