"""Algorithm 1 at given LMPs ends at the optimum of everybody's problems together, or says that it cannot."""

import pytest

from gridbazaar.market import Outcome, Phase

FINE = {"method": "plain", "primal_tolerance_kw": 0.01, "dual_tolerance_usd_per_kwh": 1e-6, "max_rounds": 2500}
PENALTIES = [1e-5, 1e-4, 1e-3, 1e-2]


@pytest.fixture(scope="module")
def shared(ieee33_bazaar, open_market, lower_level):
    """The first outer step of ieee33 after its delivery: rounds, total cost sum F_i, and the least there is, in $."""
    bazaar, least = ieee33_bazaar(), []

    def share(**settings):
        market = open_market(bazaar, **FINE | settings)
        while market.iteration == 0 or market.phase is not Phase.CLEARING:
            market.step()
        least.append(least[0] if least else lower_level(bazaar, market.operator.announce()))
        assert market.platform.converged
        schedules = market.communities.schedules(market.platform.deliveries())
        assert schedules.violation_kw.max() < 1e-9
        return market.platform.rounds, schedules.cost_usd.sum(), least[0]

    return share


@pytest.mark.parametrize("order", ["proximal_jacobi", "gauss_seidel"])
@pytest.mark.parametrize("penalty", PENALTIES)
def test_adapting_penalties(shared, order, penalty):
    rounds, cost, least = shared(order=order, penalty_usd_per_kw2h=penalty)
    assert cost == pytest.approx(least, abs=1e-4)
    assert rounds < 200


@pytest.mark.parametrize(
    ("order", "penalty"), [("proximal_jacobi", 1e-5), ("proximal_jacobi", 1e-4), ("gauss_seidel", 1e-4)]
)
def test_fixed_penalty(shared, order, penalty):
    _, cost, least = shared(order=order, penalty_usd_per_kw2h=penalty, adapt_penalty=False)
    assert cost == pytest.approx(least, abs=1e-4)


@pytest.mark.parametrize("penalty", [1e-6, *PENALTIES, 1e-1])
def test_simultaneous_diverges_for_every_penalty(ieee33_bazaar, open_market, penalty):
    result = open_market(ieee33_bazaar(), method="plain", order="jacobi", penalty_usd_per_kw2h=penalty).run()
    assert result.outcome is Outcome.SHARING_DIVERGED
    assert result.message.startswith("not settled: Algorithm 1 diverges: after 100 rounds partners still disagree by ")
    assert result.message.endswith(
        "kW and it gets no better. Order jacobi has no proximal term and diverges for every penalty once bids "
        "are interior; use market.order proximal_jacobi, which converges for every penalty"
    )
