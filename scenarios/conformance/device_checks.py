"""What a market may count on of a device: each of it a function that finds it, or fails."""

from __future__ import annotations

import numpy as np
import scipy.sparse as sp

from ...agents.devices.block_checks import wrong_columns, wrong_rows
from ...agents.devices.device import Device
from ...agents.devices.device_block import DeviceBlock
from ...agents.trade_graph import TradeGraph
from ...market.hosting.workers import Workers
from ...market.proof.central import equilibrium
from ...market.settings import NetworkUse
from ...network.arrays import FloatArray
from ..runs.amounts import counted
from .check import Check, ConformanceError
from .device_steps import finer
from .device_trial import DRAWS, DeviceTrial, cheapest
from .same_bits import Track, first_difference
from .trial import SHORT

_EXACT, _CLOSE = 1e-9, 1e-6
"""Relative: by how much what is mended may leave bounds and rows; how closely a linear program keeps them."""
_SAVED_AFTER = 9


def _made(trial: DeviceTrial) -> str:
    """It is a device with a name, and two of them are the same."""
    one, other = trial.make(), trial.make()
    if not isinstance(one, Device):
        raise ConformanceError(f"{type(one).__name__} is not a subclass of gridbazaar.agents.Device")
    for key in ("name", "kind"):
        if not (isinstance(getattr(one, key, None), str) and getattr(one, key)):
            raise ConformanceError(f"{type(one).__name__} has no {key}; give it one, a text that is not empty")
    periods, dt_h = trial.scenario.periods, trial.dt_h
    _same_blocks(one.block(periods, dt_h), other.block(periods, dt_h), "a second device")
    return f"{type(one).__name__} is of kind {one.kind}, with columns {', '.join(one.block(periods, dt_h).columns)}"


def _bounds(trial: DeviceTrial) -> str:
    """Bounds, costs and injections are finite, of the right shape, and the problem is convex."""
    for periods, block in trial.horizons():
        if wrong := wrong_columns(block, periods):
            raise ConformanceError(f"laid out for {counted(periods, 'period')}, {wrong}")
    return f"{counted(len(trial.block.columns), 'column')} with finite bounds, and convex costs"


def _rows(trial: DeviceTrial) -> str:
    """Rows fit the columns."""
    for periods, block in trial.horizons():
        if wrong := wrong_rows(block):
            raise ConformanceError(f"laid out for {counted(periods, 'period')}, {wrong}")
    return f"{counted(trial.block.rows.shape[0], 'row')} over {counted(trial.block.periods, 'period')}"


def _infeasibility(trial: DeviceTrial) -> str:
    """It says that it can do nothing if, and only if, a linear program (HiGHS) finds nothing that it can do."""
    told = []
    for periods, block in trial.horizons():
        said = trial.device.infeasibility(periods, trial.dt_h)
        found = cheapest(block, np.zeros(block.low.shape))
        if not said and found is None:
            raise ConformanceError(
                f"over {counted(periods, 'period')} no columns keep all bounds and rows, and infeasibility() is empty; "
                "say why, and the cure"
            )
        if said and found is not None:
            raise ConformanceError(
                f"over {counted(periods, 'period')} there are columns that keep all bounds and rows, and "
                f'infeasibility() says: "{said}"'
            )
        told += [f"not for {counted(periods, 'period')}"] if said else []
    if not trial.schedules:
        said = trial.device.infeasibility(trial.scenario.periods, trial.dt_h)
        raise ConformanceError(f"it can do nothing in the trial's scenario: {said}; try it with other parameters")
    return f"agrees with a linear program{': ' if told else ''}{', '.join(told)}"


def _mended(trial: DeviceTrial) -> str:
    """What is mended keeps bounds and rows exactly, is near, and is mended once."""
    block, worst = trial.block, 0.0
    scale = max(1.0, float(np.abs([block.low, block.high]).max()))
    rng = np.random.default_rng(1)
    for found in _feasible(trial):
        for off in (0.0, 1e-6, 0.3):
            wanted = found + off * scale * rng.uniform(-1.0, 1.0, found.shape)
            mended = trial.device.mended(wanted, trial.dt_h)
            if mended.shape != found.shape:
                raise ConformanceError(f"mended() returned the shape {mended.shape} for {found.shape}")
            if not block.breach(mended) <= _EXACT * scale:
                raise ConformanceError(
                    f"what is mended leaves bounds or rows by {block.breach(mended):.4g}{_breach(block, mended)}"
                )
            if not np.allclose(trial.device.mended(mended, trial.dt_h), mended, rtol=0, atol=_EXACT * scale):
                raise ConformanceError(
                    "what is mended changes when it is mended once more; leave what keeps all as it is"
                )
            if not off:
                worst = max(worst, float(np.abs(mended - found).max()))
    if worst > _CLOSE * scale:
        raise ConformanceError(
            f"a schedule that keeps bounds and rows was changed by {worst:.4g}; mend as little as it takes"
        )
    return f"{counted(3 * DRAWS, 'schedule')} mended to the last digits"


def _steps(trial: DeviceTrial) -> str:
    """An hourly schedule has the same levels and costs in steps of a quarter."""
    return finer(trial, _feasible(trial))


def _deterministic(trial: DeviceTrial) -> str:
    """The same questions have answers with the same bits."""
    periods, dt_h = trial.scenario.periods, trial.dt_h
    one, other = (trial.device.block(periods, dt_h) for _ in range(2))
    _same_blocks(one, other, "laid out a second time")
    for found in _feasible(trial):
        given = found.copy()
        one_way = trial.device.mended(given, dt_h)
        if not np.array_equal(given, found):
            raise ConformanceError("mended() writes into what it is given; return a new array")
        if not np.array_equal(trial.device.mended(given, dt_h), one_way):
            raise ConformanceError("mended() answers otherwise the second time; keep nothing, draw nothing")
    return "laid out and mended twice with the same bits"


def _worker(trial: DeviceTrial) -> str:
    """In a worker process the market has the same bits."""
    with trial.market(**SHORT) as market, trial.market(Workers(1), **SHORT) as other:
        here, there = Track().follow(market), Track().follow(other)
    if other.communities.incidents:
        raise ConformanceError(str(other.communities.incidents[0]))
    return _same(here, there, "the run in a worker process", "keep nothing in modules or classes")


def _saved(trial: DeviceTrial) -> str:
    """A market that is saved and goes on in another one has the same bits."""
    with trial.market(**SHORT) as market, trial.market(**SHORT) as other:
        whole = Track().follow(market, rounds=_SAVED_AFTER)
        state = market.snapshot()
        track = Track(list(whole.rounds))
        whole.follow(market)
        other.restore(state)
        track.follow(other)
    return _same(whole, track, "what goes on from a saved state", "keep nothing in the device: it is a frozen value")


def _optimum(trial: DeviceTrial) -> str:
    """A market with it settles, at the welfare of one planner who knows everything."""
    with trial.market() as market:
        result = market.run()
        graph: TradeGraph = market.graph
    if not result.settled:
        raise ConformanceError(result.message)
    clearing, settings = trial.scenario.build_clearing(), trial.scenario.build_settings()
    joint = equilibrium(
        clearing.feeder,
        clearing.load_kw,
        clearing.load_kvar,
        trial.homes(),
        graph,
        withdrawals=settings.network_use is NetworkUse.WITHDRAWALS,
        p_limits_kw=(clearing.p_gen_min_kw, clearing.p_gen_max_kw),
    )
    away = (joint.welfare_usd - joint.fees_usd) - (result.welfare_usd - result.fees_usd)
    turnover = abs(joint.dso_cost_usd) + abs(joint.utility_usd)
    if abs(away) > 10 * _CLOSE * turnover:
        raise ConformanceError(
            f"the market settles ${away:.4g} below the joint optimum; are costs and rows what it does?"
        )
    return f"settled after {counted(result.clearings, 'clearing')}, at the joint optimum"


def _feasible(trial: DeviceTrial) -> list[FloatArray]:
    if not trial.schedules:
        raise ConformanceError("it can do nothing in the trial's scenario, see infeasibility; try other parameters")
    return trial.schedules


def _same(one: Track, other: Track, what: str, cure: str) -> str:
    difference = first_difference(one, other)
    if difference:
        raise ConformanceError(f"{what} differs in {difference}; {cure}")
    return f"{counted(len(one.rounds), 'round')} with the same bits"


def _same_blocks(one: DeviceBlock, other: DeviceBlock, what: str) -> None:
    for key in ("low", "high", "linear_usd_per_h", "quadratic_usd_per_h", "injection", "row_low", "row_high"):
        if not np.array_equal(getattr(one, key), getattr(other, key), equal_nan=True):
            raise ConformanceError(f"{what} has another {key}; draw nothing, and look at no clock")
    if one.columns != other.columns or sp.csr_array(one.rows - other.rows).count_nonzero():
        raise ConformanceError(f"{what} has other columns or rows; draw nothing, and look at no clock")


def _breach(block: DeviceBlock, found: FloatArray) -> str:
    """Whether it is a bound that is left, and of which column, or a row."""
    out = np.maximum(block.low - found, found - block.high)
    column, period = np.unravel_index(int(np.argmax(out)), out.shape)
    bound = float(out[column, period])
    return (
        f": {block.columns[column]} in period {period + 1}" if bound >= block.breach(found) else ": a row is not kept"
    )


DEVICE_CHECKS = tuple(
    Check(name, find, DeviceTrial.of)
    for name, find in {
        "made": _made,
        "bounds": _bounds,
        "rows": _rows,
        "infeasibility": _infeasibility,
        "mended": _mended,
        "steps": _steps,
        "deterministic": _deterministic,
        "worker": _worker,
        "saved": _saved,
        "optimum": _optimum,
    }.items()
)
"""All checks of a device, in their order."""
