"""Is the relaxation right? A dispatch replayed in the AC power flow of pandapower, a program that knows no cones.

The root is held at its voltage and makes up the difference; loads, bids and all other generators are as dispatched.
Where the cone (5) is tight, voltages and losses agree with the dispatch and the root needs to make up nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from typing import Any

import numpy as np

from .dispatch import Dispatch
from .errors import InputError, SolverError
from .feeder import Feeder, FloatArray
from .periods import period_name

_TOLERANCE_MVA = 1e-9


@dataclass(frozen=True, slots=True)
class AcReplay:
    """What the AC power flow says of a dispatch.

    Attributes:
        v_pu: voltage, (bus, period), pu.
        voltage_error_pu: largest difference from the voltages of the dispatch, pu.
        losses_kwh: active losses of all lines and periods, kWh.
        root_mismatch_kw: largest difference between what the root feeds in and what its generators were dispatched to,
            kW.
    """

    v_pu: FloatArray
    voltage_error_pu: float
    losses_kwh: float
    root_mismatch_kw: float


def replay_ac(feeder: Feeder, dispatch: Dispatch) -> AcReplay:
    """The AC power flow of every period of a dispatch; shortage slack counts as load not served.

    Raises:
        InputError: pandapower is not installed.
        SolverError: the power flow of a period does not converge; it names the period.
    """
    power = _pandapower()
    net = _net(power, feeder)
    periods = dispatch.v_pu.shape[1]
    v_pu, root_kw, losses_kw = np.ones_like(dispatch.v_pu), np.zeros(periods), np.zeros(periods)
    p_kw = dispatch.demand_kw - dispatch.unserved_kw + dispatch.spilled_kw
    q_kvar = dispatch.demand_kvar - dispatch.q_slack_kvar
    for k in np.flatnonzero(feeder.generator_bus > 0):
        p_kw[feeder.generator_bus[k]] -= dispatch.p_gen_kw[k]
        q_kvar[feeder.generator_bus[k]] -= dispatch.q_gen_kvar[k]
    for t in range(periods):
        net.load["p_mw"], net.load["q_mvar"] = p_kw[:, t] / 1e3, q_kvar[:, t] / 1e3
        try:
            power.runpp(net, init="flat", numba=False, tolerance_mva=_TOLERANCE_MVA, check_connectivity=False)
        except power.LoadflowNotConverged:
            raise SolverError(
                f"the AC power flow of {period_name(t, dispatch.dt_h)} does not converge: the dispatch is no solution "
                "of the AC equations; look at max_cone_gap"
            ) from None
        v_pu[:, t] = net.res_bus["vm_pu"]
        root_kw[t] = net.res_ext_grid["p_mw"].sum() * 1e3
        losses_kw[t] = net.res_line["pl_mw"].sum() * 1e3
    return AcReplay(
        v_pu=v_pu,
        voltage_error_pu=float(np.max(np.abs(v_pu - dispatch.v_pu))),
        losses_kwh=float(losses_kw.sum()) * dispatch.dt_h,
        root_mismatch_kw=float(np.max(np.abs(root_kw - dispatch.p_gen_kw[feeder.generator_bus == 0].sum(axis=0)))),
    )


def _pandapower() -> Any:
    try:
        return import_module("pandapower")  # an extra, and two seconds to import
    except ImportError:
        raise InputError("the AC replay needs pandapower, which is missing: pip install 'gridbazaar[grid]'") from None


def _net(power: Any, feeder: Feeder) -> Any:
    """The feeder in pandapower, with one load per bus that stands for all that is drawn and fed in there."""
    net = power.create_empty_network(sn_mva=1.0)
    for bus in feeder.buses:
        power.create_bus(net, vn_kv=feeder.base_kv, name=bus.name)
    for n, line in enumerate(feeder.lines, start=1):
        power.create_line_from_parameters(
            net,
            from_bus=int(feeder.parent[n]),
            to_bus=n,
            length_km=1.0,
            r_ohm_per_km=line.r_ohm,
            x_ohm_per_km=line.x_ohm,
            c_nf_per_km=0.0,
            max_i_ka=1.0,  # a number is asked for; the power flow does not use it
            name=line.name,
        )
    power.create_ext_grid(net, bus=0, vm_pu=feeder.root_voltage_pu)
    for n in range(len(feeder.buses)):
        power.create_load(net, bus=n, p_mw=0.0)
    return net
