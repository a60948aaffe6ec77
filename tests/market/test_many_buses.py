"""A market on a feeder of many buses settles where the joint problem says."""

import pytest
from towns import town

from gridbazaar.agents.trade_graph import TradeGraph
from gridbazaar.market import EnergyMarket, MarketSettings
from gridbazaar.market.proof.central import equilibrium


def test_a_market_on_many_buses_finds_the_joint_optimum():
    parts = town(160, buses=200)
    market = EnergyMarket(**parts, settings=MarketSettings(regret_tolerance=1e-6))
    assert market.operator.buses.size > 100  # where slopes between buses are no longer exact
    result = market.run()
    assert result.settled
    assert result.clearings <= 4
    assert result.elastic_clearings == 0
    clearing, homes = parts["clearing"], parts["households"]
    graph = TradeGraph([home.name for home in homes], parts["links"])
    best = equilibrium(clearing.feeder, clearing.load_kw, clearing.load_kvar, homes, graph, withdrawals=True)
    scale = best.dso_cost_usd + best.utility_usd
    assert result.welfare_usd == pytest.approx(best.welfare_usd, abs=2e-6 * scale)
    assert result.dispatch.lmp_usd_per_kwh == pytest.approx(best.lmp_usd_per_kwh, abs=1e-4)
