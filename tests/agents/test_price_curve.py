"""A price curve says what every bid would be paid for: LMPs at a reference, and how they move with the bids."""

from dataclasses import replace

import numpy as np
import pytest
from slope_matrices import root_of

from gridbazaar.agents.price_curve import PriceCurve

LMP = np.array([[0.2, 0.3, 0.1], [0.4, 0.1, 0.2], [0.2, 0.3, 0.1]])
REFERENCE = np.array([[10.0, 20.0, 0.0], [0.0, 5.0, 5.0], [30.0, 1.0, 2.0]])
MOVE = np.array([[1.0, 2.0, 3.0], [10.0, 20.0, 30.0], [100.0, 200.0, 300.0]])


@pytest.fixture
def curve():
    """Slopes of two buses in the first two periods; the first and the last prosumer live at one of them."""
    slope = np.zeros((3, 2, 2))
    slope[0] = [[3e-3, 1e-3], [1e-3, 2e-3]]
    slope[1] = [[0.0, 0.0], [0.0, 5e-3]]
    return PriceCurve(LMP, REFERENCE, np.zeros((3, 3)), root_of(slope), np.zeros(3, dtype=bool), np.array([1, 0, 1]))


def test_at_the_reference_it_is_the_lmp(curve):
    assert np.array_equal(curve.at(REFERENCE), LMP)


def test_prices_follow_the_bids_of_buses(curve):
    """First period: the buses ask for 10 and 101 kW more. Second: 20 and 202. In the third nothing follows."""
    moved = curve.at(REFERENCE + MOVE) - LMP
    first, last = 3e-3 * 10 + 1e-3 * 101, 1e-3 * 10 + 2e-3 * 101
    assert moved[:, 0] == pytest.approx([last, first, last])
    assert moved[:, 1] == pytest.approx([5e-3 * 202, 0.0, 5e-3 * 202])
    assert (moved[:, 2] == 0).all()
    assert np.array_equal(curve.sloped, [True, True, False])
    assert not curve.is_flat


def test_who_lives_at_one_bus_may_change_places(curve):
    swapped = MOVE[[2, 1, 0]]
    assert curve.at(REFERENCE + MOVE) == pytest.approx(curve.at(REFERENCE + swapped))


def test_by_bus_sums_prosumers(curve):
    assert np.array_equal(curve.by_bus(MOVE), [[10.0, 20.0, 30.0], [101.0, 202.0, 303.0]])


def test_lmps_of_buses_are_those_of_who_lives_there(curve):
    assert np.array_equal(curve.lmp_by_bus[curve.place], LMP)


def test_flat_prices_follow_nothing():
    flat = PriceCurve.flat(LMP)
    assert flat.is_flat
    assert not flat.sloped.any()
    assert np.array_equal(flat.at(REFERENCE + MOVE), LMP)


def test_own_prices_follow_their_own_bid_alone():
    own = np.array([[1e-3, 0.0, 2e-3], [0.0, 0.0, 1e-4], [0.0, 5e-3, 0.0]])
    curve = PriceCurve.own(LMP, REFERENCE, own)
    assert not curve.is_flat
    assert not curve.sloped.any()
    assert np.array_equal(curve.at(REFERENCE), LMP)
    assert curve.at(REFERENCE + MOVE) == pytest.approx(LMP + own * MOVE)


def test_own_slopes_of_zero_are_flat():
    assert PriceCurve.own(LMP, REFERENCE, np.zeros_like(LMP)).is_flat


def test_prices_that_the_dso_answers_itself_are_not_fixed():
    assert not replace(PriceCurve.flat(LMP), elastic=np.array([False, True, False])).is_flat


def test_no_prosumers():
    assert PriceCurve.flat(np.zeros((0, 3))).at(np.zeros((0, 3))).shape == (0, 3)


def test_a_sale_is_for_the_weights_it_is_asked_with(curve):
    """What is worked out for one array of weights is not taken for another's, nor for the same with other prices."""
    light, heavy, asked = np.full_like(LMP, 1e-4), np.full_like(LMP, 1e-1), REFERENCE + MOVE
    found = [curve.best_sale(asked, price, weight) for weight in (light, heavy, light) for price in (LMP, LMP + 0.1)]
    fresh = [
        replace(curve).best_sale(asked, price, weight) for weight in (light, heavy, light) for price in (LMP, LMP + 0.1)
    ]
    for one, other in zip(found, fresh, strict=True):
        assert np.array_equal(one.lmp_usd_per_kwh, other.lmp_usd_per_kwh)
    assert not np.allclose(found[0].lmp_usd_per_kwh, found[2].lmp_usd_per_kwh)
    assert not np.allclose(found[0].lmp_usd_per_kwh, found[1].lmp_usd_per_kwh)
