"""A feeder as a network of pandapower: written to a file and read back it flows as the sweeps say, whatever it has."""

from math import inf

import numpy as np
import pandapower as pp
import pytest

from gridbazaar.network import Bus, Feeder, Generator, Line
from gridbazaar.network.ac_flow import RadialFlow
from gridbazaar.network.pandapower_net import pandapower_net

GRID = Generator("grid", "0", 0, 0.1, 0, -1e5, 1e5, -1e5, 1e5)


def random_feeder(seed: int, count: int = 20) -> Feeder:
    """Transformers up, down and between equal voltages, taps at either side, told from either; couplers; charging."""
    rng = np.random.default_rng(seed)
    kv, buses, lines = [20.0], [Bus("0", 0.5, 1.5)], []
    for n in range(1, count):
        parent = int(rng.integers(max(0, n - 4), n))
        kv.append(kv[parent] if rng.random() < 0.6 else float(rng.choice([20.0, 0.4, 6.0])))
        load = float(rng.uniform(-3, 6))
        buses.append(Bus(str(n), 0.5, 1.5, load, 0.3 * load, kv[n]))
        ends = [str(parent), str(n)] if rng.random() < 0.5 else [str(n), str(parent)]
        is_line = kv[n] == kv[parent] and rng.random() < 0.8
        r_ohm = min(kv[n], kv[parent]) ** 2 * float(rng.uniform(1e-3, 5e-2))
        r_ohm = 0.0 if is_line and rng.random() < 0.2 else r_ohm
        more = {"b_us": float(rng.choice([0.0, 150.0])), "i_max_a": float(rng.choice([inf, 300.0]))}
        lines.append(Line(*ends, r_ohm, 0.7 * r_ohm, tap=1.0 if is_line else float(rng.uniform(0.9, 1.1)), **more))
    return Feeder(tuple(buses), tuple(lines), (GRID,), "0", 20.0, 1.02)


@pytest.mark.parametrize("seed", range(4))
def test_a_file_flows_as_the_sweeps_say(seed, tmp_path):
    feeder = random_feeder(seed)
    net = pandapower_net(pp, feeder, frequency_hz=60.0 if seed % 2 else 50.0)
    pp.create_loads(net, range(len(feeder.buses)), p_mw=feeder.p_kw / 1e3, q_mvar=feeder.q_kvar / 1e3)
    pp.to_json(net, str(tmp_path / "net.json"))
    net = pp.from_json(str(tmp_path / "net.json"))
    pp.runpp(net, numba=False)
    flow = RadialFlow(feeder).solve(feeder.p_kw[:, None] / feeder.base_kw, feeder.q_kvar[:, None] / feeder.base_kw)
    assert flow.solved.all()
    assert np.abs(np.sqrt(flow.voltage[:, 0]) - net.res_bus["vm_pu"].to_numpy()).max() < 1e-8
    assert len(net.line) + len(net.trafo) + len(net.switch) == len(feeder.lines)


def test_the_random_feeders_have_all_there_is():
    feeders = [random_feeder(seed) for seed in range(4)]
    ratios = np.concatenate([feeder.kv[1:] / feeder.kv[feeder.parent[1:]] for feeder in feeders])
    taps, charging = (np.concatenate([getattr(each, key)[1:] for each in feeders]) for key in ("tap", "b_us"))
    ohm = np.concatenate([feeder.r_ohm[1:] for feeder in feeders])
    for kind in (ratios < 1, ratios > 1, (ratios == 1) & (taps != 1), (ratios == 1) & (taps == 1), ohm == 0):
        assert (kind & (charging > 0)).any()
