"""pandapower's AC optimal power flow of a feeder, the oracle of prices in the AC equations."""

import warnings
from typing import NamedTuple

import numpy as np
import pandapower as pp

from gridbazaar.network import Feeder
from gridbazaar.network.pandapower_net import pandapower_net


class OptimalFlow(NamedTuple):
    """The optimum of one period: cost in $/h, LMPs in $/kWh and voltages in pu, (bus,), and generation in kW."""

    cost: float
    lmp: np.ndarray
    v_pu: np.ndarray
    p_gen_kw: np.ndarray


def optimal_flow(feeder: Feeder, p_kw: np.ndarray, q_kvar: np.ndarray, start: str = "flat") -> OptimalFlow:
    """Current ratings are respected, ratings in kW and kvar are not known to it; one generator is at the root."""
    net = pandapower_net(pp, feeder)
    pp.create_loads(net, range(len(feeder.buses)), p_mw=p_kw / 1e3, q_mvar=q_kvar / 1e3)
    net.line["max_loading_percent"] = 100.0
    rated = feeder.i_max_a[[feeder.names.index(name.split("-")[1]) for name in net.line["name"]]]
    net.line["max_i_ka"] = np.where(np.isfinite(rated), rated, 1e6) / 1e3
    kinds = []
    for g, n in zip(feeder.generators, feeder.generator_bus, strict=True):
        limits = {
            "min_p_mw": g.p_min_kw / 1e3,
            "max_p_mw": g.p_max_kw / 1e3,
            "min_q_mvar": g.q_min_kvar / 1e3,
            "max_q_mvar": g.q_max_kvar / 1e3,
        }
        if n == 0:
            kind, element = "ext_grid", 0
            for key, value in limits.items():
                net.ext_grid.loc[0, key] = value
        else:
            kind, element = "sgen", pp.create_sgen(net, bus=n, p_mw=g.p_max_kw / 1e3, controllable=True, **limits)
        cost = {"cp1_eur_per_mw": 1e3 * g.b_usd_per_kwh, "cp2_eur_per_mw2": 1e6 * g.a_usd_per_kw2h}
        pp.create_poly_cost(net, element, kind, cp0_eur=g.c_usd_per_h, **cost)
        kinds.append((kind, element))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        tolerances = {"FEASTOL": 1e-9, "GRADTOL": 1e-7, "COMPTOL": 1e-8, "COSTTOL": 1e-9}
        pp.runopp(net, init=start, delta=1e-12, numba=False, **{f"PDIPM_{key}": t for key, t in tolerances.items()})
    power = [1e3 * getattr(net, f"res_{kind}")["p_mw"].loc[element] for kind, element in kinds]
    lmp = net.res_bus["lam_p"].to_numpy() / 1e3
    return OptimalFlow(float(net.res_cost), lmp, net.res_bus["vm_pu"].to_numpy(), np.array(power))
