"""LMP and reactive price are the slope of the optimal cost; the LMP is the sum of four parts that mean something."""

import numpy as np
import pytest

from gridbazaar.network.branch_flow import CONE_ROWS
from gridbazaar.network.per_unit import impedances_pu

STEP_KW = 0.25
HOURS = (3, 11, 18)


@pytest.fixture(scope="module")
def cases(ieee33):
    """By what binds in it; every case must bind where it says."""
    short = ieee33.hours(*HOURS)
    strong = short.generators(p_max_kw=4000.0, q_max_kvar=3000.0)  # so that the limit binds and yet nothing is short
    return {
        "nothing": short,
        "line rating": strong.bids(b26=400.0).lines(l6_26={"p_max_kw": 600.0}),
        "voltage": ieee33.hours(3, 10, 11).bids(b18=250.0).buses(v_min_pu=0.96),
        "current rating": strong.lines(l6_26={"i_max_a": 20.0}),
        "reactive rating": short.lines(l1_2={"q_max_kvar": 450.0}),
        "shortage": short.bids(b18=900.0),
    }


BINDING = {
    "nothing": lambda d, n: d.v_pu.min() > 0.9501 and d.p_flow_kw[n("26")].max() < 1089,
    "line rating": lambda d, n: d.p_flow_kw[n("26")].max() == pytest.approx(600.0, abs=1e-3),
    "voltage": lambda d, n: d.v_pu[n("18") :].min() == pytest.approx(0.96, abs=1e-6),
    "current rating": lambda d, n: d.i_a[n("26")].max() == pytest.approx(20.0, abs=1e-3),
    "reactive rating": lambda d, n: d.q_flow_kvar[n("2")].max() == pytest.approx(450.0, abs=1e-3),
    "shortage": lambda d, n: d.unserved_kw[n("18")].max() > 1.0,
}


@pytest.mark.parametrize("name", BINDING)
def test_case_binds_where_it_says(cases, name):
    case = cases[name]
    dispatch = case.clearing().clear(case.bid_kw)
    assert BINDING[name](dispatch, case.feeder.index)
    assert (dispatch.shortage_cost_usd > 0) == (name == "shortage")


def cost(case, bid_kw, load_kvar):
    """The optimal value by period, $."""
    clearing = case.with_(load_kvar=load_kvar).clearing()
    values = []
    for t, period in enumerate(clearing.solve(bid_kw)):
        one = clearing.dispatch((period,))
        assert one.demand_kw[:, 0] == pytest.approx(case.load_kw[:, t] + bid_kw[:, t])
        values.append(one.value_usd)
    return np.array(values)


@pytest.mark.parametrize("bus", ["2", "10", "18", "22", "25", "26", "33"])
@pytest.mark.parametrize("name", BINDING)
def test_prices_are_finite_differences_of_the_cost(cases, name, bus):
    case = cases[name]
    n = case.feeder.index(bus)
    dispatch = case.clearing().clear(case.bid_kw)
    step = np.zeros_like(case.bid_kw)
    step[n] = STEP_KW
    more, less = (cost(case, case.bid_kw + way * step, case.load_kvar) for way in (1, -1))
    q_more, q_less = (cost(case, case.bid_kw, case.load_kvar + way * step) for way in (1, -1))
    lmp, q_price = (more - less) / (2 * STEP_KW), (q_more - q_less) / (2 * STEP_KW)
    assert dispatch.lmp_usd_per_kwh[n] == pytest.approx(lmp, rel=1e-4, abs=2e-6)
    assert dispatch.q_price_usd_per_kvarh[n] == pytest.approx(q_price, rel=1e-4, abs=2e-6)


@pytest.mark.parametrize("name", BINDING)
def test_components_add_up(cases, name):
    dispatch = cases[name].clearing().clear(cases[name].bid_kw)
    assert dispatch.components.total == pytest.approx(dispatch.lmp_usd_per_kwh, abs=1e-8)


@pytest.mark.parametrize("name", BINDING)
def test_gamma_is_the_formula(cases, name):
    """gamma = (r lambda^p + x lambda^q - (r^2 + x^2) mu + sigma) / v_m, and the cone multiplier of 2P is -gamma P."""
    case = cases[name]
    feeder = case.feeder
    r, x = (part[1:] for part in impedances_pu(feeder))
    for period in case.clearing().solve(case.bid_kw):
        program, z, primal = period.program, period.solution.z, period.solution.x
        lmp, q_price = z[program.rows["active balance"]][1:], z[program.rows["reactive balance"]][1:]
        mu, sigma = z[program.rows["voltage drop"]], program.bound_multipliers(z, "current")
        v_m = primal[program.columns.voltage][feeder.parent[1:]]
        gamma = (r * lmp + x * q_price - (r**2 + x**2) * mu + sigma) / v_m
        cone = z[program.rows["cone"]].reshape(-1, CONE_ROWS)
        assert -cone[:, 1] == pytest.approx(gamma * primal[program.columns.p_flow], rel=1e-5, abs=1e-6)


def component(cases, name, part):
    case = cases[name]
    return case.feeder, getattr(case.clearing().clear(case.bid_kw).components, part)


@pytest.mark.parametrize("name", BINDING)
def test_energy_is_the_price_at_the_root(cases, name):
    case = cases[name]
    dispatch = case.clearing().clear(case.bid_kw)
    assert np.array_equal(dispatch.components.energy, np.tile(dispatch.lmp_usd_per_kwh[:1], (33, 1)))
    for part in ("loss", "voltage", "congestion"):
        assert not getattr(dispatch.components, part)[0].any()


@pytest.mark.parametrize("name", ["nothing", "voltage", "reactive rating"])
def test_no_congestion_where_no_active_or_current_rating_binds(cases, name):
    assert component(cases, name, "congestion")[1] == pytest.approx(0.0, abs=1e-6)


@pytest.mark.parametrize("name", ["line rating", "current rating"])
def test_congestion_is_the_same_behind_the_line_and_nowhere_else(cases, name):
    feeder, congestion = component(cases, name, "congestion")
    behind = np.array([feeder.index("26") in feeder.path_to_root(n) for n in range(33)])
    assert congestion[~behind] == pytest.approx(0.0, abs=1e-6)
    assert congestion[behind] == pytest.approx(np.tile(congestion[feeder.index("26")], (behind.sum(), 1)), abs=1e-6)
    assert congestion[behind].max() > 1e-3


def test_voltage_support_is_dear_only_where_a_voltage_limit_binds(cases):
    """Without a binding limit it is what a higher voltage saves in losses, next to nothing."""
    _, idle = component(cases, "nothing", "voltage")
    feeder, binding = component(cases, "voltage", "voltage")
    case = cases["voltage"]
    low = int(np.argmin(case.clearing().clear(case.bid_kw).v_pu[:, -1]))
    assert np.abs(idle).max() < 5e-4
    assert binding[low, -1] > 20 * np.abs(idle).max()
    assert np.all(np.diff(binding[[*feeder.path_to_root(low)], -1]) < 0)  # it builds up line by line


def test_losses_are_dear_away_from_generation(cases):
    feeder, loss = component(cases, "nothing", "loss")
    to_25 = [*feeder.path_to_root(feeder.index("25"))][:2]
    assert np.all(loss[feeder.index("25")] > loss[to_25[1]])


def test_no_price_exceeds_the_value_of_lost_load(cases):
    case = cases["shortage"]
    dispatch = case.clearing(value_of_lost_load=3.0).clear(case.bid_kw)
    assert np.abs(dispatch.lmp_usd_per_kwh).max() == pytest.approx(3.0, abs=1e-6)
    assert np.abs(dispatch.q_price_usd_per_kvarh).max() <= 3.0 + 1e-6
