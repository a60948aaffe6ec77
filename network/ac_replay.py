"""Is the relaxation right? A dispatch replayed in the AC power flow of pandapower, a program that knows no cones.

The root is held at its voltage and makes up the difference; loads, bids and all other generators are as dispatched.
Where the cone (5) is tight, voltages and losses agree with the dispatch and the root needs to make up nothing.

How closely powers must balance at every bus follows the size of the feeder: 1e-8 of the largest load that it serves.
Where the power flow does not come so close, it is tried once more with 1e-6 of that load, or with what rounding leaves
beside a line of next to no impedance, if that is more: there the balance of a bus is a small difference of large
numbers, V² / z, which is 1.5e8 MVA for a coupler of 1e-6 ohm on 12 kV. The replay says to what it holds.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from .arrays import FloatArray
from .dispatch import Dispatch
from .errors import SolverError
from .feeder import Feeder
from .pandapower_net import import_pandapower, pandapower_net
from .periods import period_name

_TOLERANCES = (1e-8, 1e-6)
"""To which part of the largest load powers must balance: at first, and where that cannot be reached."""
_ROUNDING = 16 * np.finfo(np.float64).eps
_LEAST_LOAD_MVA = 0.01
"""A feeder that serves less than this counts as if it served so much."""


@dataclass(frozen=True, slots=True)
class AcReplay:
    """What the AC power flow says of a dispatch.

    Attributes:
        v_pu: voltage, (bus, period), pu.
        voltage_error_pu: largest difference from the voltages of the dispatch, pu.
        losses_kwh: active losses of all lines and periods, kWh.
        root_mismatch_kw: largest difference between what the root feeds in and what its generators were dispatched to,
            kW.
        tolerance_mva: to how much powers balance at every bus, in the period that was hardest, MVA.
    """

    v_pu: FloatArray
    voltage_error_pu: float
    losses_kwh: float
    root_mismatch_kw: float
    tolerance_mva: float


def replay_ac(feeder: Feeder, dispatch: Dispatch) -> AcReplay:
    """The AC power flow of every period of a dispatch; shortage slack counts as load not served.

    Raises:
        InputError: pandapower is not installed.
        SolverError: the power flow of a period does not converge; it names the period.
    """
    power = import_pandapower("the AC replay")
    net = pandapower_net(power, feeder)
    power.create_loads(net, range(len(feeder.buses)), p_mw=0.0)  # each stands for all that is drawn and fed in there
    periods = dispatch.v_pu.shape[1]
    v_pu, root_kw, losses_kw = np.ones_like(dispatch.v_pu), np.zeros(periods), np.zeros(periods)
    p_kw = dispatch.demand_kw - dispatch.unserved_kw + dispatch.spilled_kw
    q_kvar = dispatch.demand_kvar - dispatch.q_slack_kvar
    for k in np.flatnonzero(feeder.generator_bus > 0):
        p_kw[feeder.generator_bus[k]] -= dispatch.p_gen_kw[k]
        q_kvar[feeder.generator_bus[k]] -= dispatch.q_gen_kvar[k]
    tolerances_mva = balance_tolerances_mva(feeder, p_kw)
    needed = 0
    for t in range(periods):
        net.load["p_mw"], net.load["q_mvar"] = p_kw[:, t] / 1e3, q_kvar[:, t] / 1e3
        tried = power_flow(power, net, tolerances_mva)
        if tried is None:
            raise SolverError(
                f"the AC power flow of {period_name(t, dispatch.when)} does not converge to "
                f"{tolerances_mva[-1]:.0e} MVA: the dispatch is no solution of the AC equations; look at max_cone_gap"
            )
        needed = max(needed, tried)
        v_pu[:, t] = net.res_bus["vm_pu"]
        root_kw[t] = net.res_ext_grid["p_mw"].sum() * 1e3
        losses_kw[t] = (net.res_line["pl_mw"].sum() + net.res_trafo["pl_mw"].sum()) * 1e3
    return AcReplay(
        v_pu=v_pu,
        voltage_error_pu=float(np.max(np.abs(v_pu - dispatch.v_pu))),
        losses_kwh=float(losses_kw.sum()) * dispatch.dt_h,
        root_mismatch_kw=float(np.max(np.abs(root_kw - dispatch.p_gen_kw[feeder.generator_bus == 0].sum(axis=0)))),
        tolerance_mva=tolerances_mva[needed],
    )


def balance_tolerances_mva(feeder: Feeder, p_kw: FloatArray) -> tuple[float, float]:
    """How closely powers must balance at every bus, MVA: at first, and where that cannot be reached."""
    largest = max(float(np.max(np.abs(p_kw).sum(axis=0))) / 1e3, _LEAST_LOAD_MVA)
    close, loose = (part * largest for part in _TOLERANCES)
    ohm = np.hypot(feeder.r_ohm, feeder.x_ohm)
    stiffest = (feeder.line_kv[ohm > 0] ** 2 / ohm[ohm > 0]).max(initial=0.0)
    return close, max(loose, float(_ROUNDING * stiffest))


def power_flow(power: Any, net: Any, tolerances_mva: tuple[float, float]) -> int | None:
    """Solve the power flow; at which of the tolerances it holds, or None."""
    for tried, tolerance in enumerate(tolerances_mva):
        try:
            power.runpp(net, init="flat", numba=False, tolerance_mva=tolerance, check_connectivity=False)
        except power.LoadflowNotConverged:
            continue
        return tried
    return None
