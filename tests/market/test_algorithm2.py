"""Algorithm 2 ends at the joint optimum: elastic loads, LMPs at all buses, the DSO's cost, and little to regret."""

import numpy as np
import pytest

from gridbazaar.market import Outcome

RUNS = {
    "proximal_jacobi": {},
    "gauss_seidel": {"order": "gauss_seidel"},
    "case 2": {"case": 2},
}


@pytest.fixture(scope="module")
def optimum(ieee33_bazaar, joint):
    return joint(ieee33_bazaar())


@pytest.fixture(params=RUNS)
def settings(request):
    return RUNS[request.param]


def distances(result, optimum):
    """Regret by turnover, elastic loads in kW, LMPs in $/kWh, DSO cost in $."""
    turnover = result.dso_cost_usd + result.utility_usd.sum()
    return (
        result.regret_usd.sum() / turnover,
        np.abs(result.elastic_kw - optimum.elastic_kw).max(),
        np.abs(result.dispatch.lmp_usd_per_kwh - optimum.lmp_usd_per_kwh).max(),
        abs(result.dso_cost_usd - optimum.dso_cost_usd),
    )


def test_tight_tolerances(ieee33_run, optimum, settings):
    result = ieee33_run(tight=True, **settings).result
    regret, elastic, lmp, cost = distances(result, optimum)
    assert result.outcome is Outcome.SETTLED
    assert regret < 1e-9
    assert elastic < 0.1
    assert lmp < 1e-5
    assert cost < 0.15


def test_default_tolerances(ieee33_run, optimum, settings):
    result = ieee33_run(**settings).result
    regret, elastic, lmp, cost = distances(result, optimum)
    assert result.outcome is Outcome.SETTLED
    assert result.message == "settled: nobody gains by deviating"
    assert regret < 1e-4
    assert elastic < 1
    assert lmp < 1e-3
    assert cost < 3


def test_what_is_settled_obeys_the_limits(ieee33_run, settings):
    result = ieee33_run(**settings).result
    dispatch, feeder = result.dispatch, result.feeder
    assert dispatch.max_cone_gap < 1e-6
    assert (dispatch.v_pu >= feeder.v_min_pu[:, None] - 1e-6).all()
    assert (dispatch.v_pu <= feeder.v_max_pu[:, None] + 1e-6).all()
    assert dispatch.unserved_kw.max() < 1e-3
    assert result.max_violation_kw < 1e-6


def test_steeper_demand_needs_no_more_iterations(ieee33_run):
    """Figure 9, with the lower layer solved exactly, and with Algorithm 1 while its own residuals do not matter."""
    for settings in ({"case": 2}, {"regret_tolerance": 1e-6}):
        steps = [ieee33_run(alpha, method="plain", **settings).result.outer_iterations for alpha in (1.0, 1.5, 2.0)]
        assert steps == sorted(steps, reverse=True)
        assert steps[0] > steps[-1]


def test_flat_demand_never_settles_by_the_plain_method_and_says_so(ieee33_run):
    """(28) fails at 0.3 alpha: bids jump to and fro."""
    result = ieee33_run(0.3, method="plain", max_iterations=12).result
    assert result.outcome is Outcome.ITERATION_LIMIT
    assert not result.settled
    start, end = result.message.split(" (market.regret_tolerance 1e-06); bids move by ")
    assert start.startswith("not settled: Algorithm 2 reached market.max_iterations 12 with a regret of ")
    assert "bids of p1, p2 and p3 swap at " in end
    assert ", period 2: LMPs turn more than demand does (28), or jump at a limit; use market.method newton" in end
    assert float(end.split("%", maxsplit=1)[0]) > 10


@pytest.mark.parametrize(("method", "last"), [("plain", 3), ("newton", 0)])
def test_the_limit_of_rounds_is_kept(ieee33_run, method, last):
    """A curve's bids are certified by the clearing itself, fixed LMPs by the sharing prices that follow."""
    result = ieee33_run(method=method, max_rounds=3, max_iterations=6).result
    assert result.sharing_rounds == [*[3] * 5, last]
    assert result.outer_iterations == 6


def test_ends_as_soon_as_the_regret_is_within_tolerance(ieee33_run):
    run = ieee33_run()
    relative = [r.regret_usd / run.result.certificate.turnover_usd for r in run.rounds if r.phase == "clearing"]
    assert run.result.certificate.relative <= 1e-6
    assert all(value > 1e-6 for value in relative[1:-1])
