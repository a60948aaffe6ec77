"""The benchmark's central rival, period by period in Clarabel, against the joint problem in cvxpy."""

import numpy as np
import pytest
from bench_central import CentralPlanner
from towns import town

import gridbazaar.scenarios as gb
from gridbazaar.agents import TradeGraph
from gridbazaar.market.proof.central import equilibrium


def ieee33(**changes):
    scenario = gb.load("ieee33", {key.replace("__", "."): value for key, value in changes.items()})
    homes = scenario.build_households()
    graph = TradeGraph([home.name for home in homes], scenario.build_links())
    return scenario.build_clearing(), homes, graph, False


def street():
    data = town(12)
    return data["clearing"], data["households"], TradeGraph([h.name for h in data["households"]], data["links"]), True


MARKETS = {
    "ieee33": ieee33,
    "town": street,
    "feed-in": lambda: ieee33(prosumers__p2__feed_in_max_kw=300.0, prosumers__p2__renewable_peak_kw=2000.0),
    "nobody to trade with": lambda: ieee33(links=None),
}


@pytest.mark.parametrize("market", MARKETS)
def test_it_finds_the_equilibrium(market):
    clearing, homes, graph, withdrawals = MARKETS[market]()
    exact = equilibrium(clearing.feeder, clearing.load_kw, clearing.load_kvar, homes, graph, withdrawals=withdrawals)
    found = CentralPlanner(clearing, homes, graph, withdrawals=withdrawals, tolerance=1e-9).solve()
    assert found.welfare_usd == pytest.approx(exact.welfare_usd, rel=1e-6)
    assert found.dso_cost_usd == pytest.approx(exact.dso_cost_usd, rel=1e-6)
    assert found.elastic_kw == pytest.approx(exact.elastic_kw, abs=1e-5 * clearing.feeder.base_kw)
    assert found.lmp_usd_per_kwh == pytest.approx(exact.lmp_usd_per_kwh, abs=1e-6)


@pytest.mark.parametrize("tolerance", [1e-4, 1e-6])
def test_its_welfare_is_as_accurate_as_asked(tolerance):
    clearing, homes, graph, withdrawals = street()
    exact = CentralPlanner(clearing, homes, graph, withdrawals=withdrawals, tolerance=1e-9).solve()
    found = CentralPlanner(clearing, homes, graph, withdrawals=withdrawals, tolerance=tolerance).solve()
    assert abs(found.welfare_usd - exact.welfare_usd) <= tolerance * abs(exact.welfare_usd)


def test_one_thread_finds_the_same():
    clearing, homes, graph, withdrawals = street()
    one, two = (
        CentralPlanner(clearing, homes, graph, withdrawals=withdrawals, tolerance=1e-6, threads=threads).solve()
        for threads in (1, 2)
    )
    assert np.array_equal(one.elastic_kw, two.elastic_kw)


def test_fees_are_refused():
    with pytest.raises(ValueError, match="knows no fees"):
        CentralPlanner(*ieee33(prosumers__p1__grid_fee_usd_per_kwh=0.1)[:3], withdrawals=False, tolerance=1e-6)
