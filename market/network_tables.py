"""What a run found about the network, by column: generators, buses, prices, lines; with the trades and without."""

from __future__ import annotations

import numpy as np

from ..network.arrays import FloatArray
from ..network.dispatch import Dispatch
from ..network.feeder import Feeder
from ..network.flows import Flows
from .columns import Columns, by_period, each_period


def generators(feeder: Feeder, dispatch: Dispatch) -> Columns:
    """What generators do: one row per generator and period.

    `curtailed_kw` is what one that costs nothing, or is paid for, could have fed in beside; 0 at the root, where the
    feeder is fed from above.
    """
    power = dispatch.p_gen_kw
    slope, cost = (
        np.array([[getattr(g, key)] for g in feeder.generators]) for key in ("a_usd_per_kw2h", "b_usd_per_kwh")
    )
    marginal = 2 * slope * power + cost
    unused = np.maximum(dispatch.p_gen_max_kw - power, 0.0)
    free = (marginal <= 0) & (feeder.generator_bus[:, None] > 0)
    names, periods = [g.name for g in feeder.generators], power.shape[1]
    columns = {
        "p_kw": power,
        "q_kvar": dispatch.q_gen_kvar,
        "p_min_kw": dispatch.p_gen_min_kw,
        "p_max_kw": dispatch.p_gen_max_kw,
        "curtailed_kw": np.where(free, unused, 0.0),
        "marginal_cost_usd_per_kwh": marginal,
        "lmp_usd_per_kwh": dispatch.lmp_usd_per_kwh[feeder.generator_bus],
    }
    first = by_period("generator", names, periods)
    at = {"bus": each_period([g.bus for g in feeder.generators], periods)}
    return {"generator": first["generator"], **at, "period": first["period"], **_raveled(columns)}


def buses(feeder: Feeder, dispatch: Dispatch, bid_kw: FloatArray, with_trades: Flows, more_kw: FloatArray) -> Columns:
    """What happens at buses: one row per bus and period.

    Args:
        feeder: The feeder.
        dispatch: What was cleared.
        bid_kw: What of it prosumers asked for, (bus, period).
        with_trades: The flows with the trades.
        more_kw: What these draw beside, (bus, period).
    """
    generated = np.zeros_like(bid_kw)
    np.add.at(generated, feeder.generator_bus, dispatch.p_gen_kw)
    served = dispatch.demand_kw - dispatch.unserved_kw + dispatch.spilled_kw
    columns = {
        "load_kw": dispatch.demand_kw - bid_kw,
        "bid_kw": bid_kw,
        "load_kvar": dispatch.demand_kvar,
        "generation_kw": generated,
        "injection_kw": generated - served,
        "injection_with_trades_kw": generated - served - more_kw,
        "unserved_kw": dispatch.unserved_kw,
        "spilled_kw": dispatch.spilled_kw,
        "unserved_kvar": dispatch.q_slack_kvar,
        "v_pu": dispatch.v_pu,
        "v_with_trades_pu": with_trades.v_pu,
        "lmp_usd_per_kwh": dispatch.lmp_usd_per_kwh,
    }
    return {**by_period("bus", feeder.names, bid_kw.shape[1]), **_raveled(columns)}


def prices(feeder: Feeder, dispatch: Dispatch) -> Columns:
    """The LMPs with their four components and the reactive price: one row per bus and period."""
    parts = ("energy", "loss", "voltage", "congestion")
    columns = {
        "lmp_usd_per_kwh": dispatch.lmp_usd_per_kwh,
        **{f"{part}_usd_per_kwh": getattr(dispatch.components, part) for part in parts},
        "reactive_usd_per_kvarh": dispatch.q_price_usd_per_kvarh,
    }
    return {**by_period("bus", feeder.names, dispatch.v_pu.shape[1]), **_raveled(columns)}


def lines(feeder: Feeder, dispatch: Dispatch, with_trades: Flows) -> Columns:
    """What lines carry, flows at the end nearer to the root: one row per line and period; loading in % of ratings."""
    cleared, periods = Flows.of(feeder, dispatch), dispatch.v_pu.shape[1]
    columns: dict[str, FloatArray] = {}
    for suffix, flows in (("", cleared), ("_with_trades", with_trades)):
        columns |= {
            f"p_flow{suffix}_kw": flows.p_flow_kw[1:],
            f"q_flow{suffix}_kvar": flows.q_flow_kvar[1:],
            f"i{suffix}_a": flows.i_a[1:],
            f"loading{suffix}_percent": 100 * flows.loading[1:],
            f"loss{suffix}_kw": flows.loss_kw[1:],
        }
    first = by_period("line", [line.name for line in feeder.lines], periods)
    ends = {end: each_period([getattr(line, end) for line in feeder.lines], periods) for end in ("from_bus", "to_bus")}
    columns["cone_gap"] = dispatch.cone_gap[1:]
    return {"line": first["line"], **ends, "period": first["period"], **_raveled(columns)}


def _raveled(columns: dict[str, FloatArray]) -> dict[str, FloatArray]:
    """Arrays that are (name, period) as columns."""
    return {name: np.asarray(values).ravel() for name, values in columns.items()}
