"""Voltages and line flows in the units of people, and what of a feeder's limits they break.

as_cleared = Flows.of(feeder, dispatch)
with_trades = flows_when(flow, feeder, dispatch, more_kw)
for breach in breaches(feeder, with_trades): print(breach)
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .ac_flow import RadialFlow
from .arrays import BoolArray, FloatArray
from .dispatch import Dispatch
from .feeder import Feeder
from .per_unit import amperes_per_pu, impedances_pu

_WITHIN = 1e-4
"""A limit is broken beyond this part of itself; voltage limits beyond this, pu."""


@dataclass(frozen=True, slots=True, eq=False)
class Flows:
    """What the wires carry, (bus, period) each; line quantities stand at the bus that the line feeds.

    Attributes:
        v_pu: Voltage, pu.
        p_flow_kw, q_flow_kvar: Flow into the line at its sending end.
        i_a: Current, A.
        loss_kw: Active losses of the line.
        loading: The largest share of its ratings that the line is used to; nan where it has none.
    """

    v_pu: FloatArray
    p_flow_kw: FloatArray
    q_flow_kvar: FloatArray
    i_a: FloatArray
    loss_kw: FloatArray
    loading: FloatArray

    @classmethod
    def of(cls, feeder: Feeder, dispatch: Dispatch) -> Flows:
        """Those of a dispatch."""
        powers = dispatch.p_flow_kw, dispatch.q_flow_kvar, dispatch.i_a
        return cls(dispatch.v_pu, *powers, dispatch.loss_kw, _loading(feeder, *powers))


def flows_when(flow: RadialFlow, feeder: Feeder, dispatch: Dispatch, more_kw: FloatArray) -> Flows:
    """The AC flow when buses draw more than was cleared, and generators but those of the root are as dispatched.

    Args:
        flow: The AC flow of the feeder.
        feeder: The feeder.
        dispatch: What was cleared.
        more_kw: What each bus draws beside, (bus, period); less where below 0.

    Returns:
        The flows; nan in periods in which there is no such flow.
    """
    base_kw = feeder.base_kw
    p_kw = dispatch.demand_kw - dispatch.unserved_kw + dispatch.spilled_kw + more_kw
    q_kvar = dispatch.demand_kvar - dispatch.q_slack_kvar
    for net, generated in ((p_kw, dispatch.p_gen_kw), (q_kvar, dispatch.q_gen_kvar)):
        np.subtract.at(net, feeder.generator_bus, generated)
    found = flow.solve(p_kw / base_kw, q_kvar / base_kw)
    i_a = np.sqrt(found.current) * amperes_per_pu(feeder)[:, None]
    p_flow, q_flow = found.p_flow * base_kw, found.q_flow * base_kw
    loss = found.current * impedances_pu(feeder)[0][:, None] * base_kw
    return Flows(np.sqrt(found.voltage), p_flow, q_flow, i_a, loss, _loading(feeder, p_flow, q_flow, i_a))


def _loading(feeder: Feeder, p_flow_kw: FloatArray, q_flow_kvar: FloatArray, i_a: FloatArray) -> FloatArray:
    ratings = feeder.p_max_kw, feeder.q_max_kvar, feeder.i_max_a
    shares = [np.abs(used) / most[:, None] for used, most in zip((p_flow_kw, q_flow_kvar, i_a), ratings, strict=True)]
    rated = np.any([np.isfinite(most) for most in ratings], axis=0)
    return np.where(rated[:, None], np.max(shares, axis=0), np.nan)


@dataclass(frozen=True, slots=True)
class Breach:
    """A limit that flows break.

    Attributes:
        place: The line or bus.
        key: The column of its limit.
        value, limit: The worst of it, and the limit.
        periods: In how many periods.
        of: Of how many.
    """

    place: str
    key: str
    value: float
    limit: float
    periods: int
    of: int

    def __str__(self) -> str:
        """As in "b3-b4 carries 23 of 8 kW in 66 of 96 periods"."""
        units = {"p_max_kw": "kW", "q_max_kvar": "kvar", "i_max_a": "A"}
        when = f"in {self.periods} of {self.of} periods"
        if self.key in units:
            return f"{self.place} carries {self.value:.3g} of {self.limit:.3g} {units[self.key]} {when}"
        word = "falls" if self.key == "v_min_pu" else "rises"
        return f"bus {self.place} {word} to {self.value:.4f} pu, {self.key} {self.limit:g}, {when}"


def breaches(feeder: Feeder, flows: Flows) -> list[Breach]:
    """The limits that flows break, (6) and (7), those of lines first, the worst first."""
    found: list[tuple[float, Breach]] = []
    lines = ["", *(line.name for line in feeder.lines)]
    for key, used in (("p_max_kw", flows.p_flow_kw), ("q_max_kvar", flows.q_flow_kvar), ("i_max_a", flows.i_a)):
        most = getattr(feeder, key)
        share = np.abs(used) / most[:, None]
        found += _broken(lines, key, np.abs(used), most, share > 1 + _WITHIN, share)
    lines_found, found = sorted(found, key=lambda each: -each[0]), []
    for key, sign in (("v_min_pu", -1.0), ("v_max_pu", 1.0)):
        limit = getattr(feeder, key)
        beyond = sign * (flows.v_pu - limit[:, None])
        beyond[0] = 0.0  # which is held
        found += _broken(list(feeder.names), key, flows.v_pu, limit, beyond > _WITHIN, beyond)
    return [breach for _, breach in (*lines_found, *sorted(found, key=lambda each: -each[0]))]


def _broken(
    names: list[str], key: str, values: FloatArray, limit: FloatArray, wrong: BoolArray, size: FloatArray
) -> list[tuple[float, Breach]]:
    found = []
    for n in np.flatnonzero(wrong.any(axis=1)):
        t = int(np.nanargmax(size[n]))
        breach = Breach(names[n], key, float(values[n, t]), float(limit[n]), int(wrong[n].sum()), values.shape[1])
        found.append((float(size[n, t]), breach))
    return found
