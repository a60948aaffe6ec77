"""Flows with what the DSO has not cleared, and the limits that they break, by hand on two lines."""

import numpy as np
import pytest

from gridbazaar.network import Bus, Clearing, Feeder, Generator, Line
from gridbazaar.network.ac_flow import RadialFlow
from gridbazaar.network.flows import Flows, breaches, flows_when


@pytest.fixture
def cleared():
    """4 kW behind a line rated 8 kW and 20 A, in three periods."""
    feeder = Feeder(
        (Bus("s"), Bus("a", 0.97, 1.03), Bus("b", 0.995, 1.03)),
        (Line("s", "a", 0.02, 0.01), Line("a", "b", 0.05, 0.01, p_max_kw=8.0, i_max_a=20.0)),
        (Generator("grid", "s", 0, 0.2, 0, 0, 100, -50, 50),),
        "s",
        0.4,
    )
    load = np.array([[0.0] * 3, [1.0] * 3, [4.0] * 3])
    return feeder, Clearing(feeder, load, 0 * load, 1.0).clear(0 * load)


def test_nothing_more_is_the_dispatch_itself(cleared):
    feeder, dispatch = cleared
    same = flows_when(RadialFlow(feeder), feeder, dispatch, np.zeros((3, 3)))
    for part in ("v_pu", "p_flow_kw", "q_flow_kvar", "i_a", "loss_kw"):
        assert getattr(same, part) == pytest.approx(getattr(Flows.of(feeder, dispatch), part), abs=1e-5)
    assert same.loading[2] == pytest.approx([dispatch.p_flow_kw[2, 0] / 8.0] * 3, abs=1e-6)
    assert np.isnan(same.loading[1]).all()
    assert breaches(feeder, same) == []


def test_what_breaks_a_limit_is_named_with_the_worst_value_and_how_often(cleared):
    feeder, dispatch = cleared
    more = np.zeros((3, 3))
    more[1], more[2] = [-6.0, -20.0, 0.0], [6.0, 20.0, 0.0]
    with_trades = flows_when(RadialFlow(feeder), feeder, dispatch, more)
    line, amperes, low = breaches(feeder, with_trades)
    # the worst share first: 24 kW and its losses of 8 kW, then 34.9 A of 20 A
    assert str(line) == "a-b carries 24.2 of 8 kW in 2 of 3 periods"
    assert str(amperes) == "a-b carries 34.9 of 20 A in 1 of 3 periods"
    assert str(low) == "bus b falls to 0.9918 pu, v_min_pu 0.995, in 1 of 3 periods"
    by_hand = 24.0 + 3 * 0.05 * float(with_trades.i_a[2, 1]) ** 2 / 1000
    assert with_trades.p_flow_kw[2, 1] == pytest.approx(by_hand, rel=1e-9)


def test_a_period_without_any_flow_is_nan(cleared):
    feeder, dispatch = cleared
    more = np.zeros((3, 3))
    more[2, 1] = 5000.0
    found = flows_when(RadialFlow(feeder), feeder, dispatch, more)
    assert np.isnan(found.v_pu[:, 1]).all()
    assert np.isfinite(found.v_pu[:, [0, 2]]).all()
