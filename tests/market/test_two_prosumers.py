"""One pair, quadratic costs: everybody at once without a proximal term converges where the model says, and only there.

Two prosumers without bids have the costs a p²/2 and b p²/2 along their trade. Jacobi rounds of (20) and (21) map
(p, q, price) linearly; they converge iff 2 rho² < ab + rho (a + b)/2.
"""

import numpy as np
import pytest

from gridbazaar.market import Outcome

STEEP, FLAT = 2e-3, 5e-4  # curvatures 2 alpha: a = 4e-3, b = 1e-3 $/kW²h


def jacobi(a, b, rho):
    """The linear map of one round: p = -(pi + rho q)/(a + rho), q = -(pi + rho p)/(b + rho), pi += rho (p + q)."""
    step = np.array([[0, -rho / (a + rho), -1 / (a + rho)], [-rho / (b + rho), 0, -1 / (b + rho)], [0, 0, 1]])
    step[2] += rho * (step[0] + step[1])
    return np.abs(np.linalg.eigvals(step)).max()


def largest_penalty(a, b):
    """Root of 2 rho² = ab + rho (a + b)/2."""
    return max(np.roots([2, -(a + b) / 2, -a * b]))


@pytest.fixture
def outcome(street, home, open_market):
    def run(order, factor):
        """A pair that must trade: a has plenty, b has little, and no bids at all."""
        rich = home(name="a", renewable_kw=70.0, fixed_kw=20.0, bid_max_kw=0.0, alpha_usd_per_kw2h=STEEP)
        poor = home(
            name="b",
            bus="y",
            renewable_kw=40.0,
            fixed_kw=20.0,
            bid_max_kw=0.0,
            alpha_usd_per_kw2h=FLAT,
            elastic_max_kw=90,
        )
        rho = factor * largest_penalty(2 * STEEP, 2 * FLAT)
        tolerances = {"primal_tolerance_kw": 1e-3, "dual_tolerance_usd_per_kwh": 1e-6}
        settings = {"order": order, "penalty_usd_per_kw2h": rho, "adapt_penalty": False, "max_rounds": 3000}
        settings["regret_tolerance"] = 1e-9
        market = open_market(street(rich, poor, links=[("a", "b", 500.0)]), **tolerances, **settings)
        return market.run(), market

    return run


@pytest.mark.parametrize("ratio", [1, 3, 30])
@pytest.mark.parametrize("factor", [0.5, 0.98, 1.02, 2])
def test_criterion_is_the_spectral_radius(ratio, factor):
    a, b = 1e-3, 1e-3 * ratio
    assert (jacobi(a, b, factor * largest_penalty(a, b)) < 1) == (factor < 1)


def test_with_interior_bids_no_penalty_will_do():
    assert [jacobi(0, 0, rho) for rho in (1e-5, 1e-3, 0.1)] == pytest.approx([1 + 2**0.5] * 3)


@pytest.mark.parametrize("factor", [0.3, 0.9])
def test_simultaneous_converges_below(outcome, factor):
    result, _ = outcome("jacobi", factor)
    assert result.outcome is Outcome.SETTLED


@pytest.mark.parametrize("factor", [1.1, 3])
def test_simultaneous_fails_above(outcome, factor):
    result, _ = outcome("jacobi", factor)
    assert result.outcome is Outcome.SHARING_DIVERGED


@pytest.mark.parametrize("order", ["proximal_jacobi", "gauss_seidel"])
@pytest.mark.parametrize("factor", [0.3, 3])
def test_the_other_orders_converge_either_way(outcome, order, factor):
    result, _ = outcome(order, factor)
    assert result.outcome is Outcome.SETTLED
    # marginal utilities meet: 0.3 - 2 alpha e is the same at both ends, and all 70 kW that nobody must have are used
    marginal = 0.3 - 2 * np.array([[STEEP], [FLAT]]) * result.elastic_kw
    assert marginal[0] == pytest.approx(marginal[1], abs=1e-4)
    assert marginal[0] == pytest.approx(result.price_usd_per_kwh[0], abs=1e-4)
    assert result.elastic_kw.sum(axis=0) == pytest.approx([70.0, 70.0])
