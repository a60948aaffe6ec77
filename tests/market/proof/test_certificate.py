"""The welfare that is missing is never more than the sum of the regrets, however early a run stopped."""

import numpy as np
import pytest

from gridbazaar.market import Certificate
from gridbazaar.market.proof.certificate import PhysicalProof
from gridbazaar.market.proof.conduct import EVERYBODY_TAKES_PRICES, Conduct

STOPPED = [
    *({"max_rounds": rounds, "max_iterations": steps} for rounds in (1, 3, 10) for steps in (2, 3, 6)),
    {"max_iterations": 2},
    {"max_iterations": 4},
    {"order": "gauss_seidel", "max_rounds": 1, "max_iterations": 3},
    {"case": 2, "max_iterations": 3},
    *(
        {"method": method, "max_rounds": 3, "max_iterations": 3}
        for method in ("plain", "damped", "proximal_gradient", "admm")
    ),
    {},
]


@pytest.fixture(scope="module")
def best(ieee33_bazaar, joint):
    return {alpha: joint(ieee33_bazaar(alpha)).welfare_usd for alpha in (1.0, 0.3)}


@pytest.mark.parametrize("settings", STOPPED, ids=str)
def test_bounds_the_welfare_gap(ieee33_run, best, settings):
    result = ieee33_run(**settings).result
    assert -1e-5 < best[1.0] - result.welfare_usd <= result.certificate.total_usd


def test_bounds_it_while_bids_cycle(ieee33_run, best):
    """With flat demand, and what the feeder cannot serve counted at the value of lost load."""
    result = ieee33_run(0.3, method="plain", max_iterations=12).result
    gap = best[0.3] - (result.welfare_usd - result.dispatch.shortage_cost_usd)
    assert 10 < gap <= result.certificate.total_usd


def test_is_not_vacuous(ieee33_run, best):
    """It shrinks with the gap: both fall by orders of magnitude as the run goes on."""
    early, late = (ieee33_run(method="plain", max_iterations=steps).result for steps in (2, 5))
    assert late.certificate.total_usd < early.certificate.total_usd / 20
    assert early.certificate.total_usd < 2 * (best[1.0] - early.welfare_usd)


def certificate(*regret, turnover=1e4, conduct=EVERYBODY_TAKES_PRICES, dso=0.0, **physics):
    return Certificate(("a", "b"), np.array(regret), dso, turnover, PhysicalProof(**physics), conduct)


SENTENCES = {
    "settled": (
        certificate(0.002, 0.001),
        "no prosumer could gain more than $0.002 by deviating (a); welfare within $0.003 (3.0e-07) of the optimum",
    ),
    "less than nothing": (
        certificate(-1e-9, -2e-9),
        "no prosumer could gain more than $0 by deviating (a); welfare within $0 (0.0e+00) of the optimum",
    ),
    "misbehaved": (
        certificate(0.0, 0.001, conduct=Conduct(("a",))),
        "no prosumer could gain more than $0.001 by deviating (b), by what each declares and believes: a acts on a "
        "behaviour of its own, which leaves no bound on the welfare",
    ),
    "acting otherwise": (
        certificate(12.0, 0.001, conduct=Conduct(("a",), ("a",))),
        "no prosumer could gain more than $0.001 by deviating (b), by what each declares and believes: a acts on a "
        "behaviour of its own, which leaves no bound on the welfare; a forgoes $12 by acting otherwise",
    ),
    "local": (
        certificate(0.002, 0.001, local="3 of 24 periods"),
        "no prosumer could gain more than $0.002 by deviating (a); 3 of 24 periods are at a local optimum of the AC "
        "problem: the bound is on deviations, not on the welfare",
    ),
    "no AC solution": (
        certificate(0.002, 0.001, doubt="in 1 of 24 periods the dispatch is no solution of the AC equations"),
        "no prosumer could gain more than $0.002 by deviating (a); welfare within $0.003 (3.0e-07) of the optimum; but "
        "in 1 of 24 periods the dispatch is no solution of the AC equations",
    ),
    "not yet": (
        certificate(np.nan, np.nan),
        "no certificate yet: no schedule has been delivered, cleared and held against the prices that followed",
    ),
    "cannot be held": (
        certificate(0.1, np.inf),
        "no certificate: the trades leave b no way to keep its elastic load in its limits",
    ),
}


@pytest.mark.parametrize("name", SENTENCES)
def test_sentence(name):
    given, sentence = SENTENCES[name]
    assert str(given) == sentence


def test_relative_to_the_turnover_that_the_market_sees(ieee33_run):
    result = ieee33_run().result
    payments = np.abs(result.payment_usd).sum() / 2
    assert result.certificate.turnover_usd == pytest.approx(result.dso_cost_usd + payments)
    assert result.certificate.relative == result.regret_usd.sum() / result.certificate.turnover_usd


def test_of_many_who_act_otherwise_the_first_are_named() -> None:
    names = tuple(f"h{k}" for k in range(2000))
    assert Conduct(names).acts == "h0, h1, h2 and 1,997 more act on behaviours of their own"
    assert Conduct(names[:3]).acts == "h0, h1 and h2 act on behaviours of their own"
    assert Conduct(names[:1]).acts == "h0 acts on a behaviour of its own"


def test_nothing_is_bounded_where_not_all_is_served() -> None:
    short = certificate(0.0, 0.0, short="2 of 24 periods, 14.1 kWh are missing")
    assert (short.bounds_optimum, short.bounds_welfare) == (False, False)
    said = "no certificate: what is asked for cannot be served (in 2 of 24 periods, 14.1 kWh are missing)"
    assert str(short) == said


def test_with_fees_the_optimum_is_bounded_and_the_welfare_is_not() -> None:
    told = {
        charged: Certificate(("a",), np.zeros(1), 0.0, 1.0, PhysicalProof(), charged=charged)
        for charged in (False, True)
    }
    assert [(one.bounds_optimum, one.bounds_welfare) for one in told.values()] == [(True, True), (True, False)]
    assert not certificate(0.0, 0.0, conduct=Conduct(("a",))).bounds_optimum
