"""Table 2: no sharing costs more, central and agreed sharing cost the same, and only who pays differs."""

import numpy as np
import pytest


def total_cost(result):
    """DSO cost less utility, in $."""
    return result.dso_cost_usd - result.utility_usd.sum()


@pytest.fixture(scope="module")
def results(ieee33_run):
    return {case: ieee33_run(tight=True, case=case).result for case in (1, 2, 3)}


def test_central_and_agreed_sharing_cost_the_same(results):
    assert total_cost(results[2]) == pytest.approx(total_cost(results[3]), abs=1e-3)
    assert total_cost(results[1]) > total_cost(results[3]) + 40


def test_without_sharing_nobody_trades(results):
    assert (results[1].trade_kw == 0).all()
    assert (results[1].payment_usd == 0).all()


def test_sharing_is_cheaper_at_the_same_prices(results, ieee33_bazaar, lower_level):
    """At the LMPs of Case 3, what the prosumers spend is less than the least they could without links."""
    bazaar, lmp = ieee33_bazaar(), results[3].lmp_usd_per_kwh
    shared, alone = results[3].prosumer_cost_usd.sum(), lower_level(bazaar.with_(links=[]), lmp)
    assert shared == pytest.approx(lower_level(bazaar, lmp), abs=0.01)
    assert alone > shared + 1


def test_only_sharing_has_payments_and_they_cancel(results):
    for case in (2, 3):
        assert results[case].payment_usd.sum() == pytest.approx(0, abs=1e-9)
        assert np.abs(results[case].payment_usd).max() > 1


def test_a_planner_needs_one_round_at_fixed_prices(ieee33_run):
    assert set(ieee33_run(case=2, method="plain").result.sharing_rounds) == {1}
