"""What can be wrong with a block that a device lays out, which may be anybody's code."""

from __future__ import annotations

import numpy as np
import scipy.sparse as sp

from ...network.arrays import BoolArray
from .device_block import DeviceBlock

_BOUNDS = ("low", "high")
_BY_COLUMN = (*_BOUNDS, "linear_usd_per_h", "quadratic_usd_per_h", "injection")


def wrong_columns(block: DeviceBlock, periods: int) -> str:
    """What keeps columns from being a convex problem with finite bounds, and the cure; empty if nothing does.

    Args:
        block: What was laid out.
        periods: For how many periods.
    """
    shape = len(block.columns), periods
    for key in _BY_COLUMN:
        values = np.asarray(getattr(block, key))
        if values.shape != shape:
            return f"{key} has the shape {values.shape}; it must be (column, period), {shape}"
        if not np.isfinite(values).all():
            cure = "bound it" if key in _BOUNDS else "give a finite number"
            return f"{key}{_at(block, ~np.isfinite(values))} is not finite; {cure}"
    crossed = np.asarray(block.low) > block.high
    if crossed.any():
        return f"low is above high{_at(block, crossed)}; swap or widen them"
    concave = np.asarray(block.quadratic_usd_per_h) < 0
    if concave.any():
        return f"quadratic_usd_per_h{_at(block, concave)} is below 0, which is not convex; give at least 0"
    if len(set(block.columns)) < len(block.columns):
        return "two columns have one name; give each its own"
    return ""


def wrong_rows(block: DeviceBlock) -> str:
    """What keeps rows and pairs from fitting columns that are right themselves, and the cure; empty if nothing does."""
    size, shape = np.asarray(block.low).size, np.shape(block.rows)
    low, high = np.asarray(block.row_low), np.asarray(block.row_high)
    if len(shape) != 2 or shape[1] != size or low.shape != shape[:1] or high.shape != shape[:1]:
        said = f"rows {shape}, row_low {low.shape}, row_high {high.shape}"
        return f"{said} do not fit: there are {size} columns times periods"
    if np.isnan([*low, *high]).any() or not np.isfinite(sp.csr_array(block.rows).data).all():
        return "a row has a value that is no number; only its bounds may be infinite"
    crossed = (low > high) | (low == np.inf) | (high == -np.inf)
    if crossed.any():
        return f"row {int(np.argmax(crossed)) + 1} has row_low above row_high; swap or widen them"
    for pair in block.exclusive:
        if not all(0 <= column < len(block.columns) for column in pair):
            return f"exclusive names column {max(pair)}, which is not there"
    return ""


def _at(block: DeviceBlock, wrong: BoolArray) -> str:
    """Where something is wrong first: " of charge_kw in period 3"."""
    column, period = np.argwhere(wrong)[0]
    return f" of {block.columns[column]} in period {period + 1}"
