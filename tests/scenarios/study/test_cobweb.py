"""Slopes and cobwebs against finite differences and the market itself; what is traced against the run."""

from __future__ import annotations

import numpy as np
import pytest

import gridbazaar.scenarios as gb
from gridbazaar.agents import Behaviour
from gridbazaar.agents.messages import Delivery
from gridbazaar.agents.plan import Plan
from gridbazaar.market import Case, EnergyMarket
from gridbazaar.market.rounds import Phase
from gridbazaar.scenarios.study.alone import AloneMarket, steps_of_algorithm_2
from gridbazaar.scenarios.study.cobweb import equilibrium_alone
from gridbazaar.scenarios.study.findings import Study
from gridbazaar.scenarios.study.tracing import trace

STEPS = 12


class Rests(Behaviour):
    """Bids the same whatever it is told."""

    def __init__(self, bid_kw: np.ndarray) -> None:
        self.bid_kw = bid_kw

    def bid(self, delivery: Delivery, plan: Plan) -> np.ndarray:
        return self.bid_kw


def cleared_bids(behaviours: dict[str, Behaviour], first_kw: np.ndarray) -> np.ndarray:
    """The bids that a market without sharing clears by the paper's fixed point, (step, prosumer, period)."""
    alone = gb.load("ieee33").changed(
        case=Case.NO_SHARING, method="plain", max_iterations=STEPS, regret_tolerance=1e-12
    )
    market = EnergyMarket(
        alone.build_clearing(),
        alone.build_households(),
        alone.build_links(),
        settings=alone.build_settings(),
        behaviours=behaviours,
    )
    market.bid_kw = first_kw
    steps = []
    while market.running:
        if market.phase is Phase.CLEARING:
            steps.append(market.bid_kw)
        market.step()
    return np.array(steps)


def test_steps_are_those_of_the_market_that_moves_all_together() -> None:
    scenario = gb.load("ieee33")
    start = np.zeros((3, 24))
    found = steps_of_algorithm_2(scenario, np.arange(24), start, np.ones((3, 24), dtype=bool), STEPS)
    np.testing.assert_allclose(found, cleared_bids({}, start), atol=0.05)


def test_steps_are_those_of_the_market_in_which_one_moves() -> None:
    scenario = gb.load("ieee33")
    rest = equilibrium_alone(scenario).bid_kw
    start = rest.copy()
    start[1] = 0.0
    periods = np.array([0, 18, 18, 23])
    moves = np.zeros((3, 4), dtype=bool)
    moves[1] = True
    found = steps_of_algorithm_2(scenario, periods, start[:, periods], moves, STEPS)
    market = cleared_bids({"p1": Rests(rest[0]), "p3": Rests(rest[2])}, start)
    market = np.concatenate([market, np.repeat(market[-1:], STEPS - len(market), axis=0)])
    np.testing.assert_allclose(found, market[:, :, periods], atol=0.05)


def test_slopes_are_those_of_finite_differences() -> None:
    scenario = gb.load("ieee33")
    rest = equilibrium_alone(scenario).bid_kw
    market = AloneMarket(scenario, np.arange(24))
    found = market.lmp_per_bid(rest)
    for j in range(3):
        ends = []
        for sign in (0.5, -0.5):
            moved = rest.copy()
            moved[j] += sign
            ends.append(market.lmp_usd_per_kwh(moved))
        by_difference = (ends[0] - ends[1]).T
        # half a kW may cross a kink in some hours; elsewhere the two agree to some thousandths
        close = np.isclose(found[:, :, j], by_difference, rtol=0.02, atol=2e-7)
        assert close.all(axis=1).sum() >= 22


def test_predictions_are_right_where_no_limit_is_near(paper: Study) -> None:
    steady, flat = paper.slopes
    assert steady.ratio.max() < 1
    assert steady.alone_converges.all()
    assert flat.ratio.max() > 1
    assert not flat.alone_converges.all()


def test_of_many_prosumers_and_hours_those_with_the_largest_ratios_are_tried(paper: Study) -> None:
    from gridbazaar.scenarios.study.cobweb import _largest

    assert _largest(np.array([0.1, 0.9, 0.3, 0.8]), 2).tolist() == [1, 3]
    assert paper.slopes[0].movers.tolist() == [0, 1, 2]


def test_a_cobweb_stands_on_its_curves(paper: Study) -> None:
    for cobweb in (paper.steady, paper.cycling):
        assert cobweb is not None
        # each next bid is a point of the demand curve, which is vertical where a bid or a load stands at a limit
        asked = np.interp(cobweb.steps_usd_per_kwh[:-1], cobweb.demand_lmp_usd_per_kwh, cobweb.demand_kw)
        np.testing.assert_allclose(asked, cobweb.steps_kw[1:], atol=0.1)
        # the curves cross at the bid of the equilibrium
        lmp = np.interp(cobweb.rest_kw, cobweb.bid_kw, cobweb.lmp_usd_per_kwh)
        bid = np.interp(lmp, cobweb.demand_lmp_usd_per_kwh, cobweb.demand_kw)
        assert abs(bid - cobweb.rest_kw) < 0.02 * np.ptp(cobweb.bid_kw)
    assert paper.steady is not None
    assert paper.cycling is not None
    assert abs(np.diff(paper.steady.steps_kw))[-1] < 0.1
    assert abs(np.diff(paper.cycling.steps_kw))[-1] > 1


def test_what_is_traced_is_what_the_run_says() -> None:
    scenario = gb.load("ieee33")
    market = scenario.market()
    rounds = []
    found = trace(market, scenario.build_settings())
    other = scenario.market()
    result = other.run(rounds.append)
    deliveries = {r.iteration: r.outer_error for r in rounds if r.phase is Phase.DELIVERY}
    np.testing.assert_array_equal(found.outer_error, list(deliveries.values()))
    assert found.regret_usd[-1] == result.certificate.total_usd
    assert found.allowed_usd[-1] == 1e-6 * result.certificate.turnover_usd
    assert np.isnan(found.regret_usd[0])  # the first step is not certified
    assert found.proven_in == result.outer_iterations
    assert found.excess[-1] == pytest.approx(result.certificate.relative / 1e-6)
    np.testing.assert_array_equal(found.dso_cost_usd, [r.dso_cost_usd for r in rounds if r.phase is Phase.CLEARING])
    assert found.primal_kw.size == result.sharing_rounds[-2]
