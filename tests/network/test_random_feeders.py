"""What must hold on every radial feeder, tried on random ones."""

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from slope_matrices import slopes

from gridbazaar.network import Bus, Clearing, Feeder, Generator, Line, ShortageError
from gridbazaar.network.infeasibility.remedies import LimitCure, LoadCure
from gridbazaar.network.per_unit import impedances_pu

loads = st.floats(0, 300)


@st.composite
def feeders(draw):
    """2 to 10 buses on 10 kV, up to 3 generators beside the substation, ratings from ample to tight."""
    count = draw(st.integers(2, 10))
    buses = [Bus("0"), *(Bus(str(n), 0.9, 1.1, draw(loads), draw(loads) / 2) for n in range(1, count))]
    lines = [
        Line(
            str(draw(st.integers(0, n - 1))),
            str(n),
            draw(st.floats(0.05, 2)),
            draw(st.floats(0.05, 2)),
            p_max_kw=draw(st.sampled_from([np.inf, 1000.0, 250.0])),
            q_max_kvar=draw(st.sampled_from([np.inf, 500.0])),
            i_max_a=draw(st.sampled_from([np.inf, np.inf, 60.0])),
        )
        for n in range(1, count)
    ]
    generators = [Generator("substation", "0", draw(st.floats(0, 1e-4)), 0.15, 0, 0, 5000, -3000, 3000)]
    for k in range(draw(st.integers(0, 3))):
        at, cost = draw(st.integers(0, count - 1)), draw(st.floats(0.1, 0.3))
        generators.append(Generator(f"g{k}", str(at), 1e-4, cost, 0, 0, draw(st.floats(50, 500)), -200, 200))
    return Feeder(tuple(buses), tuple(lines), tuple(generators), "0", 10.0)


@st.composite
def cases(draw):
    """A feeder with two periods and two sets of bids."""
    feeder = draw(feeders())
    shape = (len(feeder.buses), 2)
    share = np.array([1.0, draw(st.floats(0.2, 1.2))])
    bids = [
        np.array([draw(st.floats(0, 150)) for _ in range(shape[0] * 2)]).reshape(shape) * draw(st.sampled_from([0, 1]))
        for _ in range(2)
    ]
    return Clearing(feeder, np.outer(feeder.p_kw, share), np.outer(feeder.q_kvar, share), 1.0), *bids


quickly = settings(max_examples=100, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))


@given(cases())
@quickly
def test_balance_components_and_tightness(case):
    clearing, bid, _ = case
    feeder = clearing.feeder
    dispatch = clearing.clear(bid)
    inflow = dispatch.p_flow_kw - dispatch.loss_kw
    np.add.at(inflow, feeder.generator_bus, dispatch.p_gen_kw)
    np.subtract.at(inflow, feeder.parent[1:], dispatch.p_flow_kw[1:])
    served = clearing.load_kw + bid - dispatch.unserved_kw + dispatch.spilled_kw
    assert np.abs(inflow - served).max() < 1e-3
    assert np.abs(dispatch.components.total - dispatch.lmp_usd_per_kwh).max() < 1e-5
    assert np.abs(dispatch.lmp_usd_per_kwh).max() < 10 + 1e-5
    burned_kw = dispatch.cone_gap * impedances_pu(feeder)[0][:, None] * feeder.base_kw
    assert np.abs(burned_kw).max() < 1e-3  # the gap itself says little of a line of next to no impedance and no load


@given(cases())
@quickly
def test_cost_is_convex_in_the_bids_with_the_lmp_as_its_slope(case):
    clearing, one, other = case
    here, there = clearing.clear(one), clearing.clear(other)
    tangent = here.value_usd + float(np.sum(here.lmp_usd_per_kwh * (other - one))) * here.dt_h
    assert there.value_usd >= tangent - 1e-5 * max(1.0, abs(there.value_usd))


def lmp_differences(clearing, bid, step_kw):
    """Central differences of LMPs by bid, (period, bus, bus), and how far the one-sided ones are apart, (period,)."""
    buses = len(clearing.feeder.buses)
    here = clearing.clear(bid).lmp_usd_per_kwh
    slopes, apart = np.empty((bid.shape[1], buses, buses)), np.zeros(bid.shape[1])
    for n in range(buses):
        step = np.zeros_like(bid)
        step[n] = step_kw
        up, down = (clearing.clear(bid + way * step).lmp_usd_per_kwh for way in (1, -1))
        slopes[:, :, n] = (up - down).T / (2 * step_kw)
        apart = np.maximum(apart, np.abs(up + down - 2 * here).max(axis=0) / step_kw)
    return slopes, apart


@given(cases())
@settings(quickly, max_examples=25)
def test_slopes_are_finite_differences_of_the_prices(case):
    """Where no limit starts to bind between the two sides, and as well as the differences themselves are symmetric."""
    clearing, bid, _ = case
    found = slopes(clearing, clearing.solve(bid), np.arange(len(clearing.feeder.buses)))
    differences, apart = lmp_differences(clearing, bid, 1.0)
    for slope, difference, bend in zip(found, differences, apart, strict=True):
        largest, lopsided = np.abs(difference).max(), np.abs(difference - difference.T).max()
        if bend <= 5e-3 * largest:
            assert np.abs(slope - difference).max() <= 2e-3 * largest + 2 * lopsided + 1e-8
            assert np.linalg.eigvalsh(slope).min() >= -1e-6 * largest


@given(cases())
@settings(quickly, max_examples=40)
def test_shortage_is_explained(case):
    """Whatever is short, the sentence names the worst period and cures that work."""
    clearing, bid, _ = case
    feeder, dispatch = clearing.feeder, clearing.clear(bid)
    error = ShortageError.of(feeder, dispatch)
    slack = (dispatch.unserved_kw + dispatch.spilled_kw + np.abs(dispatch.q_slack_kvar)).sum(axis=0)
    assert (error is not None) == bool(slack.max() > 1e-3)
    if not error:
        return
    assert error.period == int(np.argmax(slack))
    assert "would do" in str(error)
    assert error.cures
    p_kw, q_kvar = (demand[:, error.period] for demand in (dispatch.demand_kw, dispatch.demand_kvar))
    for cure in error.cures:
        cured = cure.applied(feeder) if isinstance(cure, LimitCure) else feeder
        loads = cure.applied(feeder, p_kw, q_kvar) if isinstance(cure, LoadCure) else (p_kw, q_kvar)
        again = Clearing(cured, *(load[:, None] for load in loads), 1.0).clear(np.zeros((len(p_kw), 1)))
        assert again.shortage_cost_usd == 0
