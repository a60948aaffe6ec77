"""The AC flow by sweeps against pandapower's Newton-Raphson: taps, charging, several voltage levels, couplers."""

from dataclasses import replace

import numpy as np
import pandapower as pp
import pytest
from cigre import cigre_lv

from gridbazaar.network import Bus, Feeder, Generator, Line
from gridbazaar.network.ac_flow import RadialFlow
from gridbazaar.network.pandapower_net import pandapower_net

GRID = Generator("grid", "0", 0, 0.1, 0, -1e5, 1e5, -1e5, 1e5)


def random_feeder(seed: int, count: int) -> Feeder:
    """20 kV above, 0.4 kV behind transformers with taps; charging, a coupler, lines told in either direction."""
    rng = np.random.default_rng(seed)
    kv, buses, lines = [20.0], [Bus("0", 0.5, 1.5)], []
    for n in range(1, count):
        parent = int(rng.integers(max(0, n - 5), n))
        steps_down = kv[parent] == 20.0 and rng.random() < 0.3
        kv.append(0.4 if steps_down else kv[parent])
        low, size = kv[-1] == 0.4, (0.4 if kv[-1] == 0.4 else 20.0) ** 2
        load = float(rng.uniform(-3, 6) if low else rng.uniform(-300, 500)) / count * 10
        buses.append(Bus(str(n), 0.5, 1.5, load, 0.3 * load, kv[-1]))
        z = size * float(rng.uniform(1e-4, 2e-3 if not low else 0.1))
        ends = [str(parent), str(n)]
        tap = float(rng.uniform(0.95, 1.05)) if steps_down else 1.0
        if not steps_down and rng.random() < 0.5:
            ends.reverse()
        lines.append(Line(*ends, z, z * float(rng.uniform(0.3, 2)), b_us=0.0 if low else 300.0, tap=tap))
    buses.append(Bus("twin", 0.5, 1.5, 10.0, 2.0, kv[1]))
    lines.append(Line("twin", "1", 0.0, 0.0))
    return Feeder(tuple(buses), tuple(lines), (GRID,), "0", 20.0, 1.02)


def newton_raphson(feeder: Feeder) -> "pp.pandapowerNet":
    net = pandapower_net(pp, feeder)
    pp.create_loads(net, range(len(feeder.buses)), p_mw=feeder.p_kw / 1e3, q_mvar=feeder.q_kvar / 1e3)
    pp.runpp(net, numba=False, tolerance_mva=1e-10)
    return net


@pytest.mark.parametrize(("seed", "count"), [*((seed, 25) for seed in range(8)), (100, 400)])
def test_sweeps_agree_with_newton_raphson(seed, count):
    feeder = random_feeder(seed, count)
    net = newton_raphson(feeder)
    base = feeder.base_kw
    flow = RadialFlow(feeder).solve(feeder.p_kw[:, None] / base, feeder.q_kvar[:, None] / base)
    assert flow.solved.all()
    assert np.abs(np.sqrt(flow.voltage[:, 0]) - net.res_bus["vm_pu"].to_numpy()).max() < 1e-8
    assert flow.p_root[0] * base == pytest.approx(1e3 * net.res_ext_grid["p_mw"].sum(), rel=1e-7)
    assert flow.q_root[0] * base == pytest.approx(1e3 * net.res_ext_grid["q_mvar"].sum(), rel=1e-6, abs=1e-3)


def test_a_line_told_from_either_end_is_the_same():
    feeder = random_feeder(3, 25)
    turned = replace(feeder, lines=tuple(line.reversed() for line in feeder.lines))
    p_pu, q_pu = feeder.p_kw[:, None] / feeder.base_kw, feeder.q_kvar[:, None] / feeder.base_kw
    one, other = (RadialFlow(each).solve(p_pu, q_pu) for each in (feeder, turned))
    assert np.abs(one.voltage - other.voltage).max() < 1e-12


def test_a_transformer_told_from_its_low_side_is_the_same_in_pandapower():
    """Power that goes up a voltage level: the tap is then at the lower voltage."""
    buses = [Bus("0", base_kv=0.4), Bus("1", p_kw=50.0, q_kvar=10.0, base_kv=20.0)]
    grid = replace(GRID, bus="0")
    for tap in (0.97, 1.04):
        feeder = Feeder(tuple(buses), (Line("0", "1", 0.01, 0.02, tap=tap),), (grid,), "0", 0.4)
        net = newton_raphson(feeder)
        found = RadialFlow(feeder).solve(feeder.p_kw[:, None] / feeder.base_kw, feeder.q_kvar[:, None] / feeder.base_kw)
        assert np.sqrt(found.voltage[1, 0]) == pytest.approx(net.res_bus["vm_pu"][1], abs=1e-9)


def test_where_there_is_no_flow_it_says_so():
    feeder = Feeder((Bus("0"), Bus("1")), (Line("0", "1", 1.0, 1.0),), (GRID,), "0", 0.4)
    load = np.array([[0.0, 0.0, 0.0], [1.0, 1000.0, 2.0]]) / feeder.base_kw
    flow = RadialFlow(feeder).solve(load, 0 * load)
    assert flow.solved.tolist() == [True, False, True]
    assert np.isnan(flow.voltage[1, 1])
    assert np.isfinite(flow.voltage[:, [0, 2]]).all()


def test_the_cigre_network_flows_as_in_pandapower():
    feeder, net = cigre_lv()
    pp.runpp(net, numba=False, calculate_voltage_angles=False, tolerance_mva=1e-10)
    found = RadialFlow(feeder).solve(feeder.p_kw[:, None] / feeder.base_kw, feeder.q_kvar[:, None] / feeder.base_kw)
    order = [int(name) for name in feeder.names]
    assert np.abs(np.sqrt(found.voltage[:, 0]) - net.res_bus["vm_pu"].to_numpy()[order]).max() < 1e-8
