"""The operator clears for the sum of the bids at each bus, and tells everybody the price of its own."""

import pickle

import mesa
import numpy as np
import pytest

from gridbazaar.agents import SystemOperator
from gridbazaar.network import FeederError, ShortageError


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


# --- what it remembers is a value

BIDS = np.array([[100.0], [250.0]]) * np.linspace(0.2, 1.0, 24)


@pytest.fixture
def operator(clearing):
    return SystemOperator(mesa.Model(rng=1), clearing, ["18", "2"])


def test_what_is_foreseen_is_what_will_be_cleared_and_nothing_is_remembered_of_it(operator):
    operator.clear(np.zeros((2, 24)))
    before = operator.state
    foreseen = operator.foreseen(BIDS)
    assert operator.state is before
    cleared = operator.clear(BIDS)
    assert cleared is not foreseen
    for key in ("lmp_usd_per_kwh", "p_gen_kw", "v_pu", "demand_kw"):
        assert np.array_equal(getattr(foreseen, key), getattr(cleared, key)), key
    assert operator.state.clearings == 2


def test_the_bids_last_cleared_need_not_be_foreseen(operator):
    cleared = operator.clear(BIDS)
    assert operator.foreseen(BIDS.copy()) is cleared


def test_its_lmps_are_those_of_any_dispatch_that_it_is_asked_about(operator):
    operator.clear(np.zeros((2, 24)))
    announced, foreseen = operator.announce(), operator.foreseen(BIDS)
    assert np.array_equal(operator.lmps_of(operator.cleared), announced)
    assert np.array_equal(operator.lmps_of(foreseen), foreseen.lmp_usd_per_kwh[operator.connection])
    assert (operator.lmps_of(foreseen) > announced).any()


def test_before_the_first_clearing_there_is_nothing_to_announce(operator):
    with pytest.raises(AssertionError, match="nothing has been cleared"):
        operator.announce()


@pytest.mark.parametrize("travelled", [False, True])
def test_another_operator_goes_on_from_its_state_to_the_same_bits(operator, clearing, travelled):
    """Also without the conic solutions, which stay where they are when a state travels."""
    operator.clear(BIDS)
    state = pickle.loads(pickle.dumps(operator.state)) if travelled else operator.state
    assert (state.periods == ()) is travelled
    other = SystemOperator(mesa.Model(rng=2), clearing, ["18", "2"])
    other.restore(state)
    assert other.state.clearings == 1
    assert np.array_equal(other.announce(), operator.announce())
    assert np.array_equal(other.values_usd, operator.values_usd)
    assert np.array_equal(other.slope_roots(), operator.slope_roots())


def test_an_operator_that_has_not_cleared_goes_on_as_at_first(operator, clearing):
    other = SystemOperator(mesa.Model(rng=2), clearing, ["18", "2"])
    other.clear(BIDS)
    other.restore(pickle.loads(pickle.dumps(operator.state)))
    assert other.state.dispatch is None
    assert other.state.clearings == 0


def test_shortage_is_what_the_last_clearing_cannot_serve(operator):
    feeder = operator.clearing.feeder
    assert ShortageError.of(feeder, operator.clear(BIDS)) is None
    assert "18" in str(ShortageError.of(feeder, operator.clear(np.full((2, 24), 6000.0))))
