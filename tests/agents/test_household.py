"""A household refuses data that contradict each other, and says what is wrong where."""

import numpy as np
import pytest

from gridbazaar.agents import HouseholdError, HouseholdShortageError, Subproblem

CONCAVE = "must be above 0: utility (12) must be concave"
REFUSED = {
    "alpha 0": ({"alpha_usd_per_kw2h": 0.0}, f"alpha_usd_per_kw2h 0 {CONCAVE}"),
    "alpha nan": (
        {"alpha_usd_per_kw2h": np.nan},
        f"alpha_usd_per_kw2h nan {CONCAVE}",
    ),
    "beta -1": ({"beta_usd_per_kwh": -1.0}, f"beta_usd_per_kwh -1 {CONCAVE}"),
    "dt_h 0": ({"dt_h": 0.0}, "dt_h 0 must be a finite number of hours above 0"),
    "dt_h inf": ({"dt_h": np.inf}, "dt_h inf must be a finite number of hours above 0"),
    "negative": ({"fixed_kw": [1.0, -2.0]}, "fixed_kw -2 must not be below 0"),
    "not finite": ({"renewable_kw": [np.nan, 1.0]}, "renewable_kw has a value that is not a finite number"),
    "length": ({"renewable_kw": [1.0, 1.0, 1.0]}, "fixed_kw has 2 values where other series have 3"),
    "limits": ({"elastic_min_kw": 60.0}, "elastic_max_kw 50 is below elastic_min_kw 60; swap or widen them"),
    "limits of one period": (
        {"elastic_min_kw": [0.0, 60.0]},
        "elastic_max_kw 50 is below elastic_min_kw 60 in period 2 (01:00-02:00); swap or widen them",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refusal(home, name):
    changes, sentence = REFUSED[name]
    with pytest.raises(HouseholdError) as refusal:
        home(**changes)
    assert str(refusal.value) == f"prosumer a: {sentence}"
    assert refusal.value.prosumer == "a"
    assert refusal.value.problem == sentence
    assert sentence.startswith(refusal.value.key)


def test_cannot_be_balanced(home):
    household = home(fixed_kw=[30.0, 200.0], elastic_min_kw=5.0, dt_h=0.5)
    with pytest.raises(HouseholdShortageError) as refusal:
        Subproblem(household, np.array([10.0, 15.0]))
    assert str(refusal.value) == (
        "prosumer a: period 2 (00:30-01:00) needs 205 kW (fixed load plus elastic_min_kw) and can get 145 kW "
        "(renewables 20, bid_max_kw 100, links 25): 60 kW too little; raise bid_max_kw or a link's cap_kw, or lower "
        "elastic_min_kw or the fixed load, by that much"
    )
    assert (refusal.value.period, refusal.value.missing_kw) == (1, pytest.approx(60.0))


@pytest.mark.parametrize("cure", [{"bid_max_kw": 160.0}, {"fixed_kw": [30.0, 140.0]}], ids=str)
def test_the_cure_named_is_one(home, cure):
    usual = {"fixed_kw": [30.0, 200.0], "elastic_min_kw": 5.0}
    Subproblem(home(**usual | cure), np.array([10.0, 15.0]))


def test_too_much_power_is_no_problem(home):
    home(renewable_kw=1e6).check_balance(0.0)


def test_utility(home):
    """(12), summed over two half hours: 0.5 h (0.3 e - 0.001 e²)."""
    assert home(dt_h=0.5).utility_usd(np.array([10.0, 20.0])) == pytest.approx(0.5 * (3 - 0.1 + 6 - 0.4))


def test_a_number_stands_for_all_periods_and_nobody_changes_it(home):
    household = home()
    assert household.periods == 2
    assert np.array_equal(household.bid_max_kw, [100.0, 100.0])
    with pytest.raises(ValueError, match="read-only"):
        household.fixed_kw[0] = 1.0
