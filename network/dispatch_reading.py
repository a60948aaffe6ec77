"""A dispatch in kW, pu and $ out of the conic solutions of the periods."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from .ac_flow import RadialFlow
from .arrays import FloatArray
from .branch_flow import ConicProgram
from .cleared_period import ClearedPeriod
from .components import price_components
from .dispatch import Dispatch, PriceComponents
from .feeder import Feeder
from .per_unit import amperes_per_pu, impedances_pu, is_coupler, negligible_kw

_TINY_PU = 1e-3
"""A line of less impedance than this may carry a current on paper that nothing feels, see `_currents`."""
_FELT_PU = 1e-7
"""The least change of a flow or a voltage that the solver's accuracy leaves to be seen."""


def read_dispatch(
    flow: RadialFlow, feeder: Feeder, cleared: Sequence[ClearedPeriod], dt_h: float, shortage_price: float
) -> Dispatch:
    """The dispatch of all periods, put together from those cleared with and without shortage slack.

    It is held against the AC `flow` of what every bus draws in it.
    """
    base_kw = feeder.base_kw
    columns = cleared[0].program.columns
    x = np.column_stack([period.solution.x[: columns.q_gen.stop] for period in cleared])
    p_gen, q_gen = x[columns.p_gen] * base_kw, x[columns.q_gen] * base_kw
    missing, spilled, q_missing, q_excess = _slack(feeder, cleared)
    current, cone_gap = _currents(feeder, cleared[0].program, x)
    demand_kw, demand_kvar = (
        np.column_stack([getattr(period, key) for period in cleared]) for key in ("demand_kw", "demand_kvar")
    )
    v_pu = np.sqrt(x[columns.voltage])
    asked_kw = demand_kw + _elastic_kw(feeder, cleared)
    net = _net(feeder, asked_kw - missing + spilled, p_gen), _net(feeder, demand_kvar - q_missing + q_excess, q_gen)
    error, mismatch = _held_against(flow, net[0] / base_kw, net[1] / base_kw, v_pu)
    return Dispatch(
        p_gen_kw=p_gen,
        q_gen_kvar=q_gen,
        v_pu=v_pu,
        p_flow_kw=_by_bus(x[columns.p_flow]) * base_kw,
        q_flow_kvar=_by_bus(x[columns.q_flow]) * base_kw,
        i_a=np.sqrt(np.maximum(current, 0.0)) * amperes_per_pu(feeder)[:, None],
        loss_kw=current * impedances_pu(feeder)[0][:, None] * base_kw,
        lmp_usd_per_kwh=_row_values(cleared, "active balance"),
        q_price_usd_per_kvarh=_row_values(cleared, "reactive balance"),
        components=_components(cleared),
        p_gen_min_kw=np.column_stack([period.limits.least_kw for period in cleared]),
        p_gen_max_kw=np.column_stack([period.limits.most_kw for period in cleared]),
        unserved_kw=missing,
        spilled_kw=spilled,
        q_slack_kvar=q_missing - q_excess,
        demand_kw=demand_kw,
        demand_kvar=demand_kvar,
        cone_gap=cone_gap,
        local=np.array([period.tangent is not None for period in cleared]),
        ac_voltage_error_pu=error,
        ac_root_mismatch_kw=mismatch * base_kw,
        negligible_kw=negligible_kw(feeder),
        cost_usd=generation_cost_usd(feeder, p_gen, dt_h),
        shortage_cost_usd=float(np.sum(missing + spilled + q_missing + q_excess)) * shortage_price * dt_h,
        value_of_lost_load_usd_per_kwh=shortage_price,
        dt_h=dt_h,
    )


def read_values(feeder: Feeder, cleared: Sequence[ClearedPeriod], dt_h: float, shortage_price: float) -> FloatArray:
    """The optimal value of every period, generation and shortage, (period,) in $."""
    p_gen = np.column_stack([period.solution.x[period.program.columns.p_gen] for period in cleared]) * feeder.base_kw
    short = sum(part.sum(axis=0) for part in _slack(feeder, cleared)) * shortage_price * dt_h
    each = [generation_cost_usd(feeder, column[:, None], dt_h) for column in p_gen.T]
    return np.asarray(np.array(each) + short)


def generation_cost_usd(feeder: Feeder, p_gen_kw: FloatArray, dt_h: float) -> float:
    """(1): the cost of all generators over all periods, $; p_gen_kw (generator, period), kW."""
    a, b, c = (
        np.array([[getattr(g, key)] for g in feeder.generators])
        for key in ("a_usd_per_kw2h", "b_usd_per_kwh", "c_usd_per_h")
    )
    return float(np.sum(a * p_gen_kw**2 + b * p_gen_kw + c)) * dt_h


def _net(feeder: Feeder, drawn: FloatArray, generated: FloatArray) -> FloatArray:
    """What every bus draws less what is generated there, (bus, period)."""
    net = drawn.copy()
    np.subtract.at(net, feeder.generator_bus, generated)
    return net


def _held_against(
    flow: RadialFlow, p_pu: FloatArray, q_pu: FloatArray, v_pu: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """By how much voltages and the balance of the root differ from the AC flow, (period,) each, per unit."""
    found = flow.solve(p_pu, q_pu)
    error = np.abs(np.sqrt(found.voltage) - v_pu).max(axis=0)
    return np.where(found.solved, error, np.inf), np.where(found.solved, np.abs(found.p_root), np.inf)


def _elastic_kw(feeder: Feeder, cleared: Sequence[ClearedPeriod]) -> FloatArray:
    """Elastic bids, (bus, period), kW."""
    bids = np.zeros((len(feeder.buses), len(cleared)))
    for t, period in enumerate(cleared):
        bids[period.program.bidding, t] = period.solution.x[period.program.columns.bid] * feeder.base_kw
    return bids


def _by_bus(values: FloatArray) -> FloatArray:
    """(line, period) as (bus, period), with the row of the root 0."""
    return np.vstack([np.zeros((1, values.shape[1])), values])


def _row_values(cleared: Sequence[ClearedPeriod], name: str) -> FloatArray:
    return np.column_stack([period.solution.z[period.program.rows[name]] for period in cleared])


def _slack(feeder: Feeder, cleared: Sequence[ClearedPeriod]) -> list[FloatArray]:
    """Unserved, spilled, reactive missing and in excess, (bus, period) each, kW and kvar; exact zeros where unused."""
    slack = [np.zeros((len(feeder.buses), len(cleared))) for _ in range(4)]
    for t, period in enumerate(cleared):
        columns = period.program.columns
        if columns.unserved.stop > columns.unserved.start:
            spans = (columns.unserved, columns.spilled, columns.q_missing, columns.q_excess)
            for values, span in zip(slack, spans, strict=True):
                values[:, t] = np.maximum(period.solution.x[span], 0.0) * feeder.base_kw
    return slack


def _components(cleared: Sequence[ClearedPeriod]) -> PriceComponents:
    """The components of all periods, those of one program together."""
    buses = len(cleared[0].program.feeder.buses)
    parts = {name: np.empty((buses, len(cleared))) for name in ("energy", "loss", "voltage", "congestion")}
    for program in {id(period.program): period.program for period in cleared}.values():
        own = [t for t, period in enumerate(cleared) if period.program is program]
        x = np.column_stack([cleared[t].solution.x for t in own])
        z = np.column_stack([cleared[t].solution.z for t in own])
        tangents = [cleared[t].tangent for t in own]
        slope = np.column_stack([tangent.p for tangent in tangents if tangent]) if program.tangent else None
        found = price_components(program, x, z, slope)
        for name, values in parts.items():
            values[:, own] = getattr(found, name)
    return PriceComponents(**parts)


def _currents(feeder: Feeder, program: ConicProgram, x: FloatArray) -> tuple[FloatArray, FloatArray]:
    """The squared currents l and the gaps of the cone (5), l v_m - P² - Q², (bus, period) each, per unit.

    Nothing holds l down where a line has next to no impedance: it costs nothing there and moves no voltage. Where it
    cannot be felt, the current is the one that belongs to the flow and the voltage at the sending end.
    """
    columns = program.columns
    current, sending = x[columns.current], x[columns.voltage][feeder.parent[1:]] * feeder.tap[1:, None] ** -2
    flow = x[columns.p_flow] ** 2 + x[columns.q_flow] ** 2
    impedance = np.hypot(*impedances_pu(feeder))[1:, None]
    unfelt = (impedance < _TINY_PU) & (impedance * np.abs(current - flow / sending) < _FELT_PU)
    unfelt |= is_coupler(feeder)[1:, None]
    current = np.where(unfelt, flow / sending, current)
    return _by_bus(current), _by_bus(np.where(unfelt, 0.0, current * sending - flow))
