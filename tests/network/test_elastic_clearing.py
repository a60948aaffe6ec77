"""`solve_elastic` finds the bids w that the DSO would choose: min V(w) - price w + weight (w - target)²/2."""

import numpy as np
import pytest

BUSES = ("10", "18", "26", "33")


@pytest.fixture(scope="module")
def cases(ieee33):
    short = ieee33.hours(3, 11, 18)
    return {
        "nothing": short,
        "line rating": short.generators(p_max_kw=4000.0, q_max_kvar=3000.0).lines(l6_26={"p_max_kw": 600.0}),
        "voltage": ieee33.hours(3, 10, 11).buses(v_min_pu=0.96),
        "shortage": short.lines(l23_24={"p_max_kw": 300.0}),  # nobody bids behind that line
    }


NAMES = ["nothing", "line rating", "voltage", "shortage"]


@pytest.fixture
def terms(ieee33):
    """Buses, and price, weight and target of each in so many periods, drawn from a seed."""

    def draw(periods, seed=1):
        rng = np.random.default_rng(seed)
        buses = np.array([ieee33.feeder.index(name) for name in BUSES])
        shape = buses.size, periods
        return buses, rng.uniform(0.1, 0.4, shape), 10.0 ** rng.uniform(-5, -2, shape), rng.uniform(-50, 300, shape)

    return draw


@pytest.fixture
def elastic(terms):
    """Terms, chosen bids and conic solutions of a case."""

    def of(case):
        periods = case.load_kw.shape[1]
        buses, *cost = terms(periods)
        clearing = case.clearing()
        return clearing, (buses, *cost), *clearing.solve_elastic(np.arange(periods), buses, *cost)

    return of


@pytest.mark.parametrize("name", NAMES)
def test_the_price_is_what_the_bid_is_worth_to_the_dso(cases, elastic, name):
    """Optimality: LMP = price + weight (target - w)."""
    clearing, (buses, price, weight, target), bid, cleared = elastic(cases[name])
    lmp = clearing.dispatch(cleared).lmp_usd_per_kwh[buses]
    assert bid.shape == price.shape
    assert np.ptp(bid) > 10.0
    assert price + weight * (target - bid) == pytest.approx(lmp, abs=1e-6)


@pytest.mark.parametrize("name", NAMES)
def test_it_is_the_clearing_for_the_bids_chosen(cases, elastic, name):
    """Cleared again with these bids for loads, prices and values are the same."""
    case = cases[name]
    clearing, (buses, *_), bid, cleared = elastic(case)
    at_bus = np.zeros_like(case.load_kw)
    at_bus[buses] = bid
    again = clearing.solve(at_bus)
    value = clearing.values_usd(again)
    assert clearing.values_usd(cleared) == pytest.approx(value, rel=1e-6)
    assert value.sum() == pytest.approx(clearing.dispatch(again).value_usd)
    one, other = (clearing.dispatch(each) for each in (cleared, again))
    assert one.lmp_usd_per_kwh == pytest.approx(other.lmp_usd_per_kwh, abs=2e-4)
    assert one.p_gen_kw.sum(axis=0) == pytest.approx(other.p_gen_kw.sum(axis=0), abs=0.05)


@pytest.mark.parametrize("name", NAMES)
def test_no_other_bids_are_better(cases, elastic, name):
    case = cases[name]
    clearing, (buses, price, weight, target), best, _ = elastic(case)

    def cost(bid):
        at_bus = np.zeros_like(case.load_kw)
        at_bus[buses] = bid
        own = weight * (bid - target) ** 2 / 2 - price * bid
        return clearing.values_usd(clearing.solve(at_bus)) + own.sum(axis=0)

    rng, least = np.random.default_rng(2), cost(best)
    for size in (1.0, 10.0, 100.0):
        assert (cost(best + size * rng.uniform(-1, 1, best.shape)) > least - 1e-6).all()


def test_the_shortage_case_is_short(cases, elastic):
    clearing, _, _, cleared = elastic(cases["shortage"])
    assert clearing.dispatch(cleared).shortage_cost_usd > 0


def test_some_periods_are_solved_like_all(ieee33, terms):
    """To the last bit, in the order asked for."""
    buses, *cost = terms(24)
    whole, cleared = ieee33.clearing().solve_elastic(np.arange(24), buses, *cost)
    clearing, some = ieee33.clearing(), np.array([20, 3, 18])
    for _ in range(2):
        part, of_part = clearing.solve_elastic(some, buses, *(each[:, some] for each in cost))
        assert np.array_equal(part, whole[:, some])
        for one, t in zip(of_part, some, strict=True):
            assert np.array_equal(one.solution.z, cleared[t].solution.z)
            assert np.array_equal(one.demand_kw, ieee33.load_kw[:, t])


def test_what_was_solved_before_does_not_show(cases, terms):
    case = cases["nothing"]
    used, fresh, periods = case.clearing(), case.clearing(), np.arange(3)
    for seed in (3, 4):
        used.solve_elastic(periods, *terms(3, seed))
        used.clear(case.bid_kw)
    one, other = (clearing.solve_elastic(periods, *terms(3))[0] for clearing in (used, fresh))
    assert np.array_equal(one, other)
    assert np.array_equal(used.clear(case.bid_kw).lmp_usd_per_kwh, fresh.clear(case.bid_kw).lmp_usd_per_kwh)


def test_a_heavy_weight_holds_the_target(ieee33, terms):
    buses, price, weight, target = terms(24)
    bid, _ = ieee33.clearing().solve_elastic(np.arange(24), buses, price, np.full_like(weight, 1e3), target)
    assert bid == pytest.approx(target, abs=1e-2)
