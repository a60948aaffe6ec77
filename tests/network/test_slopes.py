"""Slopes are what one more kW somewhere does to the LMPs everywhere, exact, whatever binds and whatever came before."""

import numpy as np
import pytest
import slope_matrices

STEP_KW = 1.0
BUSES = ("2", "10", "18", "22", "25", "26", "33")
BEND = 5e-3  # one-sided differences further apart, as a fraction of the largest slope, have a bend between them


@pytest.fixture(scope="module")
def cases(ieee33):
    """By what binds in it, three hours each."""
    short = ieee33.hours(3, 11, 18)
    strong = short.generators(p_max_kw=4000.0, q_max_kvar=3000.0)
    return {
        "nothing": short,
        "line rating": strong.bids(b26=400.0).lines(l6_26={"p_max_kw": 600.0}),
        "voltage": ieee33.hours(3, 10, 11).bids(b18=270.0).buses(v_min_pu=0.96),
        "current rating": strong.lines(l6_26={"i_max_a": 20.0}),
        "reactive rating": short.lines(l1_2={"q_max_kvar": 450.0}),
        "shortage": short.bids(b18=900.0),
    }


NAMES = ["nothing", "line rating", "voltage", "current rating", "reactive rating", "shortage"]


@pytest.fixture
def buses(ieee33):
    return np.array([ieee33.feeder.index(name) for name in BUSES])


@pytest.fixture
def slopes(buses):
    def of(case):
        clearing = case.clearing()
        return slope_matrices.slopes(clearing, clearing.solve(case.bid_kw), buses)

    return of


@pytest.fixture
def differences(buses):
    """Central differences of the LMPs, (period, bus, bus), and how far the two sides are apart, (period,)."""

    def of(case):
        clearing = case.clearing()
        here = clearing.clear(case.bid_kw).lmp_usd_per_kwh[buses]
        central, apart = [], np.zeros(here.shape[1])
        for n in buses:
            step = np.zeros_like(case.bid_kw)
            step[n] = STEP_KW
            up, down = (clearing.clear(case.bid_kw + way * step).lmp_usd_per_kwh[buses] for way in (1, -1))
            central.append((up - down).T / (2 * STEP_KW))
            apart = np.maximum(apart, np.abs(up + down - 2 * here).max(axis=0) / STEP_KW)
        return np.stack(central, axis=2), apart

    return of


@pytest.mark.parametrize("name", NAMES)
def test_slopes_are_finite_differences_of_the_prices(cases, slopes, differences, name):
    """None of these hours is at a bend, where a limit starts to bind."""
    found, (central, apart) = slopes(cases[name]), differences(cases[name])
    largest = np.abs(central).max(axis=(1, 2))
    assert (apart <= BEND * largest).all()
    wrong = np.abs(found - central).max(axis=(1, 2))
    assert (wrong <= 2e-3 * largest).all()


@pytest.mark.parametrize("name", NAMES)
def test_symmetric_and_positive_semidefinite(cases, slopes, name):
    """They are the Hessian of the optimal cost, which is convex."""
    found = slopes(cases[name])
    for slope in found:
        assert np.linalg.eigvalsh(slope).min() >= -1e-9 * slope.max()


def test_where_load_goes_unserved_its_price_rests(cases, buses, slopes):
    """A bus that pays the value of lost load goes on paying it, and what it asks for more moves no other price."""
    case = cases["shortage"]
    dispatch = case.clearing().clear(case.bid_kw)
    found, short = slopes(case), dispatch.unserved_kw[buses].T > 1.0
    assert short.any()
    assert (np.abs(found[short]) <= 1e-6 * found.max()).all()


def test_far_steeper_where_voltage_and_generators_are_at_their_limits(cases, slopes):
    """In the last hour of the case; the same hour with a voltage limit further off is not steep."""
    tight = cases["voltage"]
    dispatch = tight.clearing().clear(tight.bid_kw)
    assert dispatch.v_pu[:, -1].min() == pytest.approx(0.96, abs=1e-6)
    assert dispatch.shortage_cost_usd == 0
    assert slopes(tight)[-1].max() > 30 * slopes(tight.buses(v_min_pu=0.9))[-1].max()


@pytest.mark.parametrize("name", ["nothing", "shortage"])
def test_what_was_solved_before_does_not_show(cases, buses, slopes, name):
    case = cases[name]
    used = case.clearing()
    for bid in (600.0, 0.0, 1500.0):
        slope_matrices.slopes(used, used.solve(case.bids(b18=bid).bid_kw), buses)
    assert np.array_equal(slope_matrices.slopes(used, used.solve(case.bid_kw), buses), slopes(case))


def test_a_solution_may_be_asked_later_and_for_fewer_buses_and_periods(cases, buses):
    case = cases["shortage"]
    clearing = case.clearing()
    cleared = clearing.solve(case.bid_kw)
    whole = slope_matrices.slopes(clearing, cleared, buses)
    clearing.clear(case.bid_kw + 10.0)
    some = [3, 0, 5]
    part = slope_matrices.slopes(clearing, cleared[1:], buses[some])
    assert part == pytest.approx(whole[1:][:, some][:, :, some], rel=1e-9, abs=1e-9 * whole.max())
