"""What a run found about the network as tables: generators, buses and lines, with the trades and without them."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from ..network.arrays import FloatArray
from ..network.dispatch import Dispatch
from ..network.feeder import Feeder
from ..network.flows import Flows


def long_table(what: str, names: list[str] | tuple[str, ...], columns: Mapping[str, FloatArray]) -> pd.DataFrame:
    """One row per name and period, of arrays that are (name, period)."""
    periods = next(iter(columns.values())).shape[1]
    return pd.DataFrame(
        {
            what: np.repeat(np.array(names, dtype=object), periods),
            "period": np.tile(np.arange(1, periods + 1), len(names)),
            **{column: np.asarray(values).ravel() for column, values in columns.items()},
        }
    )


def generators(feeder: Feeder, dispatch: Dispatch) -> pd.DataFrame:
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
    frame = long_table(
        "generator",
        [g.name for g in feeder.generators],
        {
            "p_kw": power,
            "q_kvar": dispatch.q_gen_kvar,
            "p_min_kw": dispatch.p_gen_min_kw,
            "p_max_kw": dispatch.p_gen_max_kw,
            "curtailed_kw": np.where(free, unused, 0.0),
            "marginal_cost_usd_per_kwh": marginal,
            "lmp_usd_per_kwh": dispatch.lmp_usd_per_kwh[feeder.generator_bus],
        },
    )
    frame.insert(1, "bus", np.repeat([g.bus for g in feeder.generators], power.shape[1]))
    return frame


def buses(
    feeder: Feeder, dispatch: Dispatch, bid_kw: FloatArray, with_trades: Flows, more_kw: FloatArray
) -> pd.DataFrame:
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
    return long_table(
        "bus",
        feeder.names,
        {
            "load_kw": dispatch.demand_kw - bid_kw,
            "bid_kw": bid_kw,
            "load_kvar": dispatch.demand_kvar,
            "generation_kw": generated,
            "injection_kw": generated - served,
            "injection_with_trades_kw": generated - served - more_kw,
            "unserved_kw": dispatch.unserved_kw,
            "spilled_kw": dispatch.spilled_kw,
            "v_pu": dispatch.v_pu,
            "v_with_trades_pu": with_trades.v_pu,
            "lmp_usd_per_kwh": dispatch.lmp_usd_per_kwh,
        },
    )


def lines(feeder: Feeder, dispatch: Dispatch, with_trades: Flows) -> pd.DataFrame:
    """What lines carry, flows at the end nearer to the root: one row per line and period; loading in % of ratings."""
    cleared = Flows.of(feeder, dispatch)
    columns: dict[str, FloatArray] = {}
    for suffix, flows in (("", cleared), ("_with_trades", with_trades)):
        columns |= {
            f"p_flow{suffix}_kw": flows.p_flow_kw[1:],
            f"q_flow{suffix}_kvar": flows.q_flow_kvar[1:],
            f"i{suffix}_a": flows.i_a[1:],
            f"loading{suffix}_percent": 100 * flows.loading[1:],
            f"loss{suffix}_kw": flows.loss_kw[1:],
        }
    if not feeder.lines:
        columns = {name: np.zeros((0, dispatch.v_pu.shape[1])) for name in columns}
    frame = long_table("line", [line.name for line in feeder.lines], {**columns, "cone_gap": dispatch.cone_gap[1:]})
    for place, end in enumerate(("from_bus", "to_bus"), start=1):
        names = np.array([getattr(line, end) for line in feeder.lines], dtype=object)
        frame.insert(place, end, np.repeat(names, dispatch.v_pu.shape[1]))
    return frame
