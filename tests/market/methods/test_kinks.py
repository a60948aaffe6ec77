"""Markets whose equilibrium is at a kink, where a limit just binds, settle in a few clearings all the same.

With slopes alone these cycled for ever, and went on by some hundred elastic clearings.
"""

import pytest
from random_markets import random_market

from gridbazaar.market import EnergyMarket, MarketSettings, Method

TOLERANCE = 1e-5


@pytest.mark.parametrize("seed", [26, 33, pytest.param(2, marks=pytest.mark.long)])
def test_a_market_at_a_kink(seed):
    drawn, settings = random_market(seed), MarketSettings(regret_tolerance=TOLERANCE, network_use="bids")
    market = EnergyMarket(drawn.clearing(), drawn.households, drawn.links, settings=settings)
    result, best = market.run(), drawn.optimum
    assert settings.method is Method.NEWTON
    assert result.settled
    assert result.clearings <= 8  # 6 or 8, by the last bits of the machine
    assert 1 <= result.elastic_clearings <= 6
    turnover = best.dso_cost_usd + best.utility_usd
    gap = (best.welfare_usd - result.welfare_usd + result.dispatch.shortage_cost_usd) / turnover
    assert -1e-6 <= gap <= result.certificate.total_usd / turnover + 1e-6


def test_it_goes_on_from_any_step_with_the_same_bits():
    """Limits, multipliers and sales are part of the state."""
    drawn, settings = random_market(34), MarketSettings(regret_tolerance=TOLERANCE, network_use="bids")

    def opened():
        return EnergyMarket(drawn.clearing(), drawn.households, drawn.links, settings=settings)

    whole = opened()
    states = []
    while whole.running:
        states.append(whole.snapshot())
        whole.step()
    assert whole.result().elastic_clearings > 0
    for state in states[:: max(1, len(states) // 6)]:
        other = opened()
        other.restore(state)
        other.run()
        assert other.result().bid_kw.tobytes() == whole.result().bid_kw.tobytes()
        assert other.result().certificate.total_usd == whole.result().certificate.total_usd
