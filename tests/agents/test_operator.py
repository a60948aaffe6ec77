"""The operator clears for the sum of the bids at each bus, and tells everybody the price of its own."""

import mesa
import numpy as np
import pytest

from gridbazaar.agents import SystemOperator
from gridbazaar.network import FeederError


@pytest.fixture(scope="module")
def clearing(ieee33_bazaar):
    return ieee33_bazaar().clearing()


def test_bids_at_one_bus_add_up(clearing):
    both = SystemOperator(mesa.Model(rng=1), clearing, ["18", "26", "18"]).clear(
        np.array([[10.0], [5.0], [20.0]] * np.ones(24))
    )
    at = both.demand_kw - clearing.load_kw
    feeder = clearing.feeder
    assert at[feeder.index("18")] == pytest.approx(np.full(24, 30.0))
    assert at[feeder.index("26")] == pytest.approx(np.full(24, 5.0))
    assert at.sum() == pytest.approx(24 * 35.0)


def test_everybody_is_told_the_price_of_its_bus(clearing):
    operator = SystemOperator(mesa.Model(rng=1), clearing, ["18", "2"])
    dispatch = operator.clear(np.zeros((2, 24)))
    rows = [clearing.feeder.index(bus) for bus in ("18", "2")]
    assert np.array_equal(operator.announce(), dispatch.lmp_usd_per_kwh[rows])
    assert (operator.announce()[0] > operator.announce()[1]).all()
    with pytest.raises(ValueError, match="read-only"):
        operator.announce()[0] = 0.0


def test_a_bus_that_is_not_there(clearing):
    with pytest.raises(FeederError, match="181"):
        SystemOperator(mesa.Model(rng=1), clearing, ["181"])
