"""The dispatch in an AC power flow that shares no code with the clearing."""

import sys

import numpy as np
import pytest

from gridbazaar.network import Bus, Clearing, InputError, Line, SolverError, replay_ac

CASES = {
    "as it is": lambda case: case,
    "bids": lambda case: case.bids(b4=100.0, b13=80.0, b26=60.0),
    "no local generation": lambda case: case.generators("substation").buses(v_min_pu=0.85),
    "shortage": lambda case: case.bids(b26=600.0, b18=500.0),
}


@pytest.mark.parametrize("name", CASES)
def test_replay_confirms_the_dispatch(ieee33, name):
    case = CASES[name](ieee33)
    dispatch = case.clearing().clear(case.bid_kw)
    replay = replay_ac(case.feeder, dispatch)
    assert replay.voltage_error_pu < 1e-6
    assert replay.losses_kwh == pytest.approx(dispatch.losses_kwh, abs=1e-2)
    assert replay.root_mismatch_kw < 1e-2
    assert (dispatch.unserved_kw.max() > 1) == (name == "shortage")


def test_replay_leaves_the_dispatch_alone(ieee33):
    dispatch = ieee33.clearing().clear(ieee33.bid_kw)
    before = dispatch.demand_kw.copy()
    replay_ac(ieee33.feeder, dispatch)
    assert np.array_equal(dispatch.demand_kw, before)


def test_replay_tells_a_dispatch_of_another_feeder(ieee33):
    """It must be able to say no: the dispatch of thicker wires does not hold on these."""
    thick = ieee33.lines(l2_3={"r_ohm": 0.2, "x_ohm": 0.1})
    replay = replay_ac(ieee33.feeder, thick.clearing().clear(thick.bid_kw))
    assert replay.voltage_error_pu > 1e-3
    assert replay.root_mismatch_kw > 1


def test_period_length_counts_in_the_losses(build):
    feeder = build()
    dispatch = Clearing(feeder, feeder.p_kw[:, None], feeder.q_kvar[:, None], 0.25).clear(np.zeros((3, 1)))
    assert replay_ac(feeder, dispatch).losses_kwh == pytest.approx(dispatch.losses_kwh, rel=1e-5)


def test_feeder_of_one_bus(build):
    feeder = build(buses=[Bus("a", p_kw=50)], lines=[])
    replay = replay_ac(feeder, Clearing(feeder, [[50.0]], [[0.0]], 1.0).clear([[0.0]]))
    assert (replay.voltage_error_pu, replay.losses_kwh) == (0, 0)
    assert replay.root_mismatch_kw < 1e-4


def test_a_power_flow_without_solution_names_the_period(ieee33):
    thin = ieee33.lines(l2_3={"r_ohm": 40.0, "x_ohm": 40.0})
    with pytest.raises(SolverError, match=r"period 1 \(00:00-01:00\) does not converge to .*MVA: the dispatch"):
        replay_ac(thin.feeder, ieee33.clearing().clear(ieee33.bid_kw))


def test_missing_pandapower_comes_with_the_cure(ieee33, monkeypatch):
    monkeypatch.setitem(sys.modules, "pandapower", None)
    dispatch = ieee33.hours(0).clearing().clear(np.zeros((33, 1)))
    with pytest.raises(InputError, match=r"needs pandapower.*pip install 'gridbazaar\[grid\]'"):
        replay_ac(ieee33.feeder, dispatch)


def test_a_coupler_of_next_to_no_impedance_replays_as_closely_as_it_can(build):
    """V² / z of a coupler of a millionth of an ohm is 1.5e8 MVA: rounding alone leaves more than 1e-9 MVA there."""
    feeder = build(
        buses=[Bus("a"), Bus("b", p_kw=3000, q_kvar=1500), Bus("c", p_kw=120, q_kvar=70)],
        lines=[Line("a", "b", 0.3, 0.3), Line("b", "c", 0.0, 1e-6)],
        base_kv=12.47,
    )
    dispatch = Clearing(feeder, feeder.p_kw[:, None], feeder.q_kvar[:, None], 1.0).clear(np.zeros((3, 1)))
    replay = replay_ac(feeder, dispatch)
    assert replay.voltage_error_pu < 1e-9
    assert replay.tolerance_mva == pytest.approx(3.12e-8)


@pytest.mark.parametrize(("ohm", "tolerance_mva"), [(1e-6, 3e-7), (1e-8, 2.5e-5), (1e-9, 2.5e-4)])
def test_what_cannot_be_so_close_holds_to_a_looser_tolerance(build, ohm, tolerance_mva):
    feeder = build(lines=[Line("a", "b", 0.3, 0.2), Line("b", "c", ohm, ohm)])
    dispatch = Clearing(feeder, feeder.p_kw[:, None], feeder.q_kvar[:, None], 1.0).clear(np.zeros((3, 1)))
    replay = replay_ac(feeder, dispatch)
    assert replay.tolerance_mva == pytest.approx(tolerance_mva, rel=0.01)
    assert replay.voltage_error_pu < 1e-6


def test_the_current_of_a_line_without_impedance_is_that_of_its_flow(build):
    """Nothing holds its current down in the relaxation, and nobody feels it: it is read from P, Q and v."""
    feeder = build(lines=[Line("a", "b", 0.02, 0.01), Line("b", "c", 1e-8, 1e-8)], base_kv=0.4)
    load = np.array([[0.0], [2.0], [7.9]])
    dispatch = Clearing(feeder, load, load / 8, 1.0).clear(np.zeros((3, 1)))
    apparent = np.hypot(dispatch.p_flow_kw[2, 0], dispatch.q_flow_kvar[2, 0])
    assert dispatch.i_a[2, 0] == pytest.approx(apparent / (np.sqrt(3) * 0.4 * dispatch.v_pu[1, 0]), rel=1e-9)
    assert dispatch.max_cone_gap < 1e-6
    replay = replay_ac(feeder, dispatch)
    assert replay.voltage_error_pu < 1e-8
    assert replay.losses_kwh == pytest.approx(dispatch.losses_kwh, abs=1e-5)
