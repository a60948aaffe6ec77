"""Each method of Algorithm 2 ends at the joint optimum; the default in few clearings and rounds, on flat demand too."""

import numpy as np
import pytest

from gridbazaar.market import Method, Outcome

FEW = {1.0: (4, 60), 0.3: (6, 120), 0.1: (15, 1000), 2.0: (4, 60)}
"""By alpha: clearings and sharing rounds that suffice for a regret of 1e-6 of the turnover."""


@pytest.mark.parametrize("method", Method)
def test_ends_at_the_joint_optimum(ieee33_run, ieee33_bazaar, joint, method):
    result, best = ieee33_run(method=method).result, joint(ieee33_bazaar())
    assert result.outcome is Outcome.SETTLED
    turnover = result.dso_cost_usd + result.utility_usd.sum()
    assert -1e-6 * turnover < best.welfare_usd - result.welfare_usd <= result.certificate.total_usd
    assert result.certificate.total_usd <= 1e-6 * turnover
    assert result.elastic_kw == pytest.approx(best.elastic_kw, abs=4.0)  # as a regret of 1e-6 allows
    assert result.dispatch.lmp_usd_per_kwh == pytest.approx(best.lmp_usd_per_kwh, abs=4e-4)


@pytest.mark.parametrize("alpha", FEW)
def test_price_curves_need_few_clearings_and_rounds(ieee33_run, alpha):
    result = ieee33_run(alpha).result
    clearings, rounds = FEW[alpha]
    assert result.outcome is Outcome.SETTLED
    assert result.clearings <= clearings
    assert sum(result.sharing_rounds) <= rounds


@pytest.mark.parametrize("method", ["proximal_gradient", "admm"])
def test_flat_demand_settles_where_the_plain_method_cycles(ieee33_run, method):
    assert ieee33_run(0.3, method=method, max_iterations=80).result.outcome is Outcome.SETTLED


def test_wide_links_settle(ieee33_bazaar, open_market):
    bazaar = ieee33_bazaar()
    wide = [type(link)(link.a, link.b, 1000 * link.cap_kw) for link in bazaar.links]
    result = open_market(bazaar.with_(links=wide)).run()
    assert result.outcome is Outcome.SETTLED


@pytest.mark.parametrize(("case", "order"), [(1, "proximal_jacobi"), (2, "proximal_jacobi"), (3, "gauss_seidel")])
def test_every_case_and_order_follows_price_curves(ieee33_run, case, order):
    result = ieee33_run(0.3, case=case, order=order).result
    assert result.outcome is Outcome.SETTLED
    assert result.clearings <= 10


def test_a_limit_that_just_binds_is_proven_by_exchange(street, home, open_market, joint):
    """At a kink LMPs at fixed bids jump; between its ends there is one at which nobody regrets anything."""
    homes = home(bid_max_kw=200.0, elastic_max_kw=150.0), home(name="b", bus="y", elastic_max_kw=150.0)
    bazaar = street(*homes, links=[("a", "b", 20.0)])
    free = open_market(bazaar).run().dispatch.p_flow_kw[1:].max()
    lines = [
        {"from_bus": a, "to_bus": b, "r_ohm": 0.5, "x_ohm": 0.3, "p_max_kw": 0.9 * free if a == "r" else np.inf}
        for a, b in ("rx", "xy")
    ]
    feeder = type(bazaar.feeder).from_tables(
        bazaar.feeder.buses, lines, bazaar.feeder.generators, root="r", base_kv=10.0
    )
    tight = bazaar.with_(feeder=feeder)
    for method in ("newton", "admm"):
        result = open_market(tight, method=method).run()
        assert result.outcome is Outcome.SETTLED
        assert result.dispatch.p_flow_kw[1:].max() == pytest.approx(0.9 * free, abs=1e-2)
        gap = joint(tight).welfare_usd - result.welfare_usd
        assert -1e-4 < gap <= result.certificate.total_usd + 1e-4
        assert result.elastic_clearings > 0 or method == "newton"
