"""case33bw at nominal load and no local generation: the figures that the literature agrees on."""

import numpy as np
import pytest

from gridbazaar.network import Clearing, Feeder


@pytest.fixture(scope="module")
def nominal(ieee33_tables):
    buses = [row | {"v_min_pu": 0.9, "v_max_pu": 1.1} for row in ieee33_tables["buses"]]
    lines = [row | {"p_max_kw": "inf"} for row in ieee33_tables["lines"]]
    substation = ieee33_tables["generators"][0] | {"p_max_kw": 1e5, "q_min_kvar": -1e5, "q_max_kvar": 1e5}
    feeder = Feeder.from_tables(buses, lines, [substation], root=1, base_kv=12.66)
    dispatch = Clearing(feeder, feeder.p_kw[:, None], feeder.q_kvar[:, None], 1.0).clear(np.zeros((33, 1)))
    return feeder, dispatch


def test_losses(nominal):
    assert nominal[1].losses_kwh == pytest.approx(202.677, abs=5e-4)


def test_lowest_voltage_is_at_bus_18(nominal):
    feeder, dispatch = nominal
    lowest = int(np.argmin(dispatch.v_pu))
    assert feeder.names[lowest] == "18"
    assert dispatch.voltage_min_pu == pytest.approx(0.913090, abs=5e-7)


def test_21_buses_are_under_95_percent(nominal):
    assert np.sum(nominal[1].v_pu < 0.95) == 21


def test_relaxation_is_tight(nominal):
    assert nominal[1].max_cone_gap < 1e-6
