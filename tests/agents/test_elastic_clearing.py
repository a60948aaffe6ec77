"""The operator as a seller: what it would rather sell than the bids, at which prices, and what it regrets of bids."""

import mesa
import numpy as np
import pytest
from slope_matrices import slopes_of

from gridbazaar.agents import SystemOperator
from gridbazaar.agents.messages import Asks

BID = np.array([[40.0], [150.0], [120.0], [60.0]]) * np.array([0.6, 1.0, 1.4])
PERIODS = np.array([0, 2])


@pytest.fixture
def dso(small_clearing):
    operator = SystemOperator(mesa.Model(rng=1), small_clearing(), ["c", "b", "a", "c"])
    operator.clear(BID)
    return operator


@pytest.fixture
def sale(dso):
    """LMPs of a sale in `PERIODS` at prices beside those of the bids, and what is sold, (prosumer, period)."""
    price = dso.announce()[:, PERIODS] + np.array([0.03, -0.02, 0.01, 0.03])[:, None]
    weight = np.array([1e-3, 2e-4, 5e-4, 1e-4])[:, None] * np.ones(2)
    lmp = dso.sell(Asks(PERIODS, price, weight, BID[:, PERIODS])).lmp_usd_per_kwh
    return lmp, BID[:, PERIODS] + (price - lmp) / weight


def with_sold(sold):
    """Bids as they were, but what is sold in `PERIODS`."""
    bid = BID.copy()
    bid[:, PERIODS] = sold
    return bid


def test_sums_by_bus_are_in_the_order_of_its_buses(dso):
    total = dso.by_bus(BID)
    names = [dso.clearing.feeder.names[bus] for bus in dso.buses]
    assert dict(zip(names, total.tolist(), strict=True)) == {
        "a": BID[2].tolist(),
        "b": BID[1].tolist(),
        "c": (BID[0] + BID[3]).tolist(),
    }


def test_a_sale_s_prices_are_those_of_clearing_what_is_sold(dso, sale):
    lmp, sold = sale
    assert np.abs(sold - BID[:, PERIODS]).max() > 5.0
    dso.clear(with_sold(sold))
    assert dso.announce()[:, PERIODS] == pytest.approx(lmp, abs=1e-6)


def test_values_are_those_of_the_bids_last_cleared(dso):
    values = dso.values_usd
    assert values.shape == (3,)
    assert values.sum() == pytest.approx(dso.cleared.value_usd)
    dso.sell(Asks(PERIODS, dso.announce()[:, PERIODS], np.full((4, 2), 1e-3), BID[:, PERIODS] + 50.0))
    assert np.array_equal(dso.values_usd, values)


def test_slopes_say_how_prices_follow_bids(dso):
    """One more kW bid by the last prosumer, at bus c."""
    slopes, before, more = slopes_of(dso.slope_roots()), dso.announce(), BID.copy()
    more[3] += 1.0
    dso.clear(more)
    moved = (dso.announce() - before)[[2, 1, 0]]
    followed = slopes[:, 2, :].T
    assert followed == pytest.approx(moved, rel=2e-2, abs=1e-6)


@pytest.mark.usefixtures("sale")
def test_clearings_for_bids_and_with_elastic_bids_are_counted(dso):
    assert (dso.state.clearings, dso.state.elastic_clearings) == (1, 1)
    dso.clear(BID)
    assert (dso.state.clearings, dso.state.elastic_clearings) == (2, 1)


def test_it_regrets_bids_by_what_it_would_gain_with_the_best_sale_at_its_prices(dso, sale):
    """V(bids) - LMP bids - min_w [V(w) - LMP w]; no other sale that is tried is better than what was sold."""
    lmp, sold = sale

    def cost(bid):
        dso.clear(with_sold(bid))
        return (dso.values_usd[PERIODS] - dso.clearing.dt_h * (lmp * bid).sum(axis=0)).sum()

    least, rng = cost(sold), np.random.default_rng(1)
    assert min(cost(sold + size * rng.uniform(-1, 1, sold.shape)) for size in (1, 10, 10, 50, 50)) >= least - 1e-6
    expected = cost(BID[:, PERIODS]) - least
    assert expected > 1e-2
    assert dso.stand_by_sale(PERIODS) == pytest.approx(expected, abs=1e-6)


def test_it_regrets_nothing_of_what_it_sold(dso, sale):
    bid = with_sold(sale[1])
    dso.clear(bid)
    assert dso.stand_by_sale(PERIODS) == pytest.approx(0.0, abs=1e-5)


def test_standing_by_a_sale_changes_its_prices_and_nothing_else(dso, sale):
    before = dso.cleared
    dso.stand_by_sale(PERIODS)
    after = dso.cleared
    assert np.array_equal(dso.announce()[:, PERIODS], sale[0])
    assert np.array_equal(dso.announce()[:, 1], before.lmp_usd_per_kwh[dso.connection, 1])
    assert after.components.total == pytest.approx(after.lmp_usd_per_kwh, abs=1e-6)
    for name in ("p_gen_kw", "demand_kw", "v_pu", "cost_usd"):
        assert np.array_equal(getattr(after, name), getattr(before, name)), name


@pytest.mark.usefixtures("sale")
@pytest.mark.parametrize("periods", [[0], [1, 2], [0, 1, 2]], ids=str)
def test_it_stands_by_a_sale_of_the_same_periods_only(dso, periods):
    before = dso.cleared
    assert dso.stand_by_sale(np.array(periods)) == 0.0
    assert dso.cleared is before


@pytest.mark.usefixtures("sale")
def test_oversold_is_what_is_short_at_prices_that_say_nothing_of_it(dso):
    """Cleared, a shortage is priced at the value of lost load; by a sale that was not short, it is not."""
    assert not dso.oversold
    beyond = BID + np.array([0.0, 0.0, 2000.0])
    dso.clear(beyond)
    assert dso.cleared.unserved_kw[:, 2].max() > 0
    assert not dso.oversold
    assert dso.stand_by_sale(PERIODS) > 0
    assert dso.oversold
