"""Whether a device is the same in hourly steps and in steps of a quarter of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import scipy.sparse as sp

from ...agents.devices.device import DeviceError
from ...agents.devices.device_block import ENERGY, DeviceBlock
from ...network.arrays import FloatArray
from ..runs.amounts import counted
from .check import ConformanceError
from .device_trial import DeviceTrial, solved

_PARTS = 4
_CLOSE = 1e-6
"""Relative to its size: how closely levels and costs must agree."""


def finer(trial: DeviceTrial, schedules: Sequence[FloatArray]) -> str:
    """What comes of schedules when each period is four: the same levels, at the end of each, at the same costs.

    Powers are held as nearly as the device allows; periods from the first one on in which it does not are not compared.

    Args:
        trial: The device.
        schedules: What it is to do, (column, period) each, within its bounds and rows.

    Raises:
        ConformanceError: Levels or costs differ.
    """
    block, dt_h = trial.block, trial.dt_h
    try:
        fine = trial.device.block(_PARTS * block.periods, dt_h / _PARTS)
    except DeviceError:
        return "not compared: it has series for these periods alone"
    if fine.columns != block.columns:
        raise ConformanceError(f"in quarters of a period it has columns {', '.join(fine.columns)}; have the same")
    compared = 0
    for found in schedules:
        held = _held(fine, block, found)
        if held is not None:
            compared += _compare(block, fine, found, held, dt_h)
    if not compared:
        return "not compared: it cannot hold its powers within a period"
    return f"{counted(compared, 'period')} in quarters: the same levels and costs"


def _held(fine: DeviceBlock, block: DeviceBlock, found: FloatArray) -> FloatArray | None:
    """Columns in quarters whose powers are those of the whole periods, as nearly as can be; None if there are none."""
    powers = np.flatnonzero((block.injection != 0).any(axis=1))
    cells = (powers[:, None] * fine.periods + np.arange(fine.periods)).ravel()
    wanted, size, count = np.repeat(found[powers], _PARTS, axis=1).ravel(), fine.low.size, cells.size
    chosen = sp.csr_array((np.ones(count), (np.arange(count), cells)), (count, size))
    one = sp.eye_array(count)
    more: Any = sp.hstack([chosen, one, -one], format="csr")
    price = np.concatenate([1e-6 * (fine.linear_usd_per_h.ravel()), np.ones(2 * count)])
    held = solved(fine, price, (more, wanted, wanted))
    return None if held is None else held[:size].reshape(fine.low.shape)


def _compare(block: DeviceBlock, fine: DeviceBlock, found: FloatArray, held: FloatArray, dt_h: float) -> int:
    """How many periods were compared, until the first one in which powers could not be held."""
    scale = max(1.0, float(np.abs([block.low, block.high]).max()))
    powers = (block.injection != 0).any(axis=1)
    apart = np.abs(held - np.repeat(found, _PARTS, axis=1))[powers].max(axis=0) > _CLOSE * scale
    same = int(np.argmax(apart)) // _PARTS if apart.any() else block.periods
    if ENERGY in block.columns:
        level = block.columns.index(ENERGY)
        off = np.abs(held[level, _PARTS - 1 :: _PARTS] - found[level])[:same]
        if off.max(initial=0.0) > _CLOSE * scale:
            t = int(np.argmax(off))
            raise ConformanceError(
                f"at the end of period {t + 1} it holds {found[level, t]:.6g} kWh in whole periods and "
                f"{held[level, _PARTS * t + _PARTS - 1]:.6g} in quarters; losses are per hour, never per step"
            )
    if same == block.periods:
        whole = dt_h * block.cost_usd_per_h(np.where(powers[:, None], found, 0.0))
        parts = dt_h / _PARTS * fine.cost_usd_per_h(np.where(powers[:, None], held, 0.0))
        if abs(whole - parts) > _CLOSE * max(1.0, abs(whole)):
            raise ConformanceError(
                f"it costs ${whole:.6g} in whole periods and ${parts:.6g} in quarters; cost per hour"
            )
    return same
