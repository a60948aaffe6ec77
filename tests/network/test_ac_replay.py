"""The dispatch in an AC power flow that shares no code with the clearing."""

import sys

import numpy as np
import pytest

from gridbazaar.network import Bus, Clearing, InputError, SolverError, replay_ac

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
    with pytest.raises(SolverError, match=r"period 1 \(00:00-01:00\) does not converge: the dispatch is no solution"):
        replay_ac(thin.feeder, ieee33.clearing().clear(ieee33.bid_kw))


def test_missing_pandapower_comes_with_the_cure(ieee33, monkeypatch):
    monkeypatch.setitem(sys.modules, "pandapower", None)
    dispatch = ieee33.hours(0).clearing().clear(np.zeros((33, 1)))
    with pytest.raises(InputError, match=r"needs pandapower.*pip install 'gridbazaar\[grid\]'"):
        replay_ac(ieee33.feeder, dispatch)
