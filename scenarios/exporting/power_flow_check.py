"""Does an exported network flow as the run says? pandapower's power flow beside the voltages of the dispatch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ...network.ac_replay import balance_tolerances_mva, power_flow
from ...network.periods import When, period_name
from .pandapower_export import PandapowerExport


@dataclass(frozen=True, slots=True)
class Flowed:
    """What the power flow of an exported network says.

    Attributes:
        voltage_error_pu: By how much voltages differ from those of the dispatch at most; None if there is none.
        tolerance_mva: To how much powers balance at every bus, in the period that was hardest.
        failed: The first period, from 0, whose power flow does not converge; None where all do.
    """

    voltage_error_pu: float | None
    tolerance_mva: float
    failed: int | None = None

    def sentence(self, when: When) -> str:
        """In words; `when` says when the periods are."""
        if self.failed is not None:
            return f"does not converge in {period_name(self.failed, when)}: the dispatch is no solution of it"
        held = f"it holds to {self.tolerance_mva:.0e} MVA at every bus"
        if self.voltage_error_pu is None:
            return f"{held}; there is no dispatch to hold it against"
        return f"voltages within {self.voltage_error_pu:.1e} pu of the run's; {held}"


def flow(exported: PandapowerExport, net: Any, periods: Sequence[int]) -> Flowed:
    """Let an exported network flow in some periods; the last of them is what it is left with, results included."""
    powers = exported.powers
    net_kw = powers.net_kw(exported.feeder, list(exported.run.homes.values()))
    tolerances_mva = balance_tolerances_mva(exported.feeder, net_kw)
    error_pu, needed = 0.0, 0
    for t in periods:
        exported.set_period(net, t)
        tried = power_flow(exported.power, net, tolerances_mva)
        if tried is None:
            return Flowed(None, tolerances_mva[-1], failed=t)
        needed = max(needed, tried)
        if powers.v_pu is not None:
            error_pu = max(error_pu, float(np.max(np.abs(net.res_bus["vm_pu"].to_numpy() - powers.v_pu[:, t]))))
    return Flowed(None if powers.v_pu is None else error_pu, tolerances_mva[needed])
