"""All devices of one prosumer as one block of columns and rows."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from itertools import pairwise
from typing import Any

import numpy as np
import scipy.sparse as sp
from scipy.sparse.csgraph import connected_components

from ...network.arrays import FloatArray, IntArray
from ...network.calendars import Calendar
from ...network.errors import GridbazaarError
from ..behaviour_errors import BehaviourError
from .block_checks import wrong_columns, wrong_rows
from .device import Device, DeviceError, Preset
from .device_block import DeviceBlock
from .store import Store

BROKEN = 1e-6
"""Of the largest value of a device: a schedule that leaves its limits by more is none."""


class Fleet:
    """The devices of a household side by side; columns of all in one array, (column, period).

    Attributes:
        names: Of the devices.
        periods: Number of periods.
        dt_h: Length of a period in hours.
        blocks: What each adds.
        parts: Which columns are whose.
        low, high, linear_usd_per_h, quadratic_usd_per_h, injection: As of `DeviceBlock`, (column, period).
    """

    def __init__(self, devices: Sequence[Device], periods: int, dt_h: float) -> None:
        """Lay them out.

        Raises:
            DeviceError: A series has another number of periods, or what a user's device lays out is no convex problem
                with finite bounds, which what is proven of a market rests on.
        """
        self.names, self.periods, self.dt_h = tuple(device.name for device in devices), periods, dt_h
        self._owned = tuple(devices)
        self._devices = [_own(d, "device", periods, dt_h) if isinstance(d, Preset) else d for d in devices]
        self.blocks: tuple[DeviceBlock, ...] = tuple(_laid_out(device, periods, dt_h) for device in self._devices)
        ends = np.cumsum([0, *(len(block.columns) for block in self.blocks)]).tolist()
        self.parts = [slice(start, end) for start, end in pairwise(ends)]
        empty = np.zeros((0, periods))
        self.low, self.high, self.linear_usd_per_h, self.quadratic_usd_per_h, self.injection = (
            np.concatenate([empty, *(getattr(block, key) for block in self.blocks)])
            for key in ("low", "high", "linear_usd_per_h", "quadratic_usd_per_h", "injection")
        )

    @property
    def columns(self) -> int:
        """How many columns there are."""
        return len(self.low)

    @cached_property
    def rows(self) -> sp.csr_array:
        """The rows of all, (row, column * period)."""
        nothing = sp.csr_array((0, 0))
        return sp.csr_array(sp.block_diag([nothing, *(block.rows for block in self.blocks)]))

    @cached_property
    def row_low(self) -> FloatArray:
        """The lower bounds of these, (row,)."""
        return np.concatenate([np.zeros(0), *(block.row_low for block in self.blocks)])

    @cached_property
    def row_high(self) -> FloatArray:
        """The upper bounds, (row,)."""
        return np.concatenate([np.zeros(0), *(block.row_high for block in self.blocks)])

    @property
    def is_of_stores(self) -> bool:
        """Whether all are stores, so that no code of users' mends what they do."""
        return all(type(device).mended is Store.mended for device in self._devices)

    @property
    def exclusive(self) -> list[tuple[int, int]]:
        """Pairs of columns that are not to be above 0 at once."""
        pairs = zip(self.parts, self.blocks, strict=True)
        return [(part.start + a, part.start + b) for part, block in pairs for a, b in block.exclusive]

    @property
    def injection_matrix(self) -> sp.csr_array:
        """The matrix of `injection_kw`, (period, column * period)."""
        cell = np.arange(self.columns * self.periods)
        entries = self.injection.ravel(), (cell % self.periods, cell)
        return sp.csr_array(entries, shape=(self.periods, cell.size))

    def injection_kw(self, found: FloatArray) -> FloatArray:
        """What all devices put into (13), (period,); below 0 what they take out."""
        return np.asarray((self.injection * found).sum(axis=0))

    @property
    def most_kw(self) -> FloatArray:
        """More than what all can put into (13) at once, (period,)."""
        return np.asarray(np.maximum(self.injection * self.low, self.injection * self.high).sum(axis=0))

    def flows(self, found: FloatArray) -> FloatArray:
        """What each device takes and gives in kW, and holds at the end of a period in kWh, (3, device, period)."""
        own = [(block, found[part]) for block, part in zip(self.blocks, self.parts, strict=True)]
        return np.array(
            [
                [block.charge_kw(does) for block, does in own],
                [block.discharge_kw(does) for block, does in own],
                [block.energy_kwh(does) for block, does in own],
            ]
        )

    def both_kw(self, found: FloatArray) -> FloatArray:
        """What each device does both ways at once, and cannot, (device, period), see `DeviceBlock.exclusive`."""
        return np.array([block.both_kw(found[part]) for block, part in zip(self.blocks, self.parts, strict=True)])

    def cost_usd(self, found: FloatArray) -> float:
        """What all devices cost, such as wear, fuel and discomfort, in $."""
        return self.dt_h * float((found * (self.linear_usd_per_h + self.quadratic_usd_per_h * found)).sum())

    def mended(self, found: FloatArray) -> FloatArray:
        """Columns next to these that keep bounds and rows as exactly as floats can, see `Device.mended`.

        Raises:
            DeviceError: A device fails to mend them, or leaves its bounds or rows.
        """
        mended = self._asked_to_mend(found)
        for name, block, part in zip(self.names, self.blocks, self.parts, strict=True):
            out, size = block.breach(mended[part]), _size(block)
            if out > BROKEN * size:
                problem = f"mended() leaves bounds or rows by {out:.4g}; return columns that keep all of them"
                raise DeviceError(name, "mended", f"{problem} (`gridbazaar check` tries it)")
        return mended

    def _asked_to_mend(self, found: FloatArray) -> FloatArray:
        parts = zip(self._devices, self.parts, strict=True)
        return np.concatenate([found[:0], *(_mended(device, found[part], self.dt_h) for device, part in parts)])

    def breach(self, found: FloatArray) -> float:
        """By how much columns leave bounds and rows at most, in the largest value that a column of theirs may have."""
        worst = 0.0
        for block, part in zip(self.blocks, self.parts, strict=True):
            worst = max(worst, block.breach(found[part]) / _size(block))
        return worst

    def idle(self) -> FloatArray:
        """Columns that keep bounds and rows and do next to nothing; zeros where there are none, or a device fails."""
        nothing = np.zeros((self.columns, self.periods))
        try:
            return nothing if self.infeasibility() else self._asked_to_mend(nothing)
        except DeviceError:  # it will be told when that is what is to be delivered
            return nothing

    def infeasibility(self, calendar: Calendar | None = None) -> tuple[str, str] | None:
        """The first device that no columns suit, and why, with times of the calendar; None if there is none.

        Raises:
            DeviceError: A device fails to say so.
        """
        for name, device in zip(self.names, self._owned, strict=True):
            sentence = _own(device, "infeasibility", self.periods, calendar or self.dt_h)
            if not isinstance(sentence, str):
                problem = f"infeasibility() returned a {type(sentence).__name__}; return a text, empty if all is well"
                raise DeviceError(name, "infeasibility", problem)
            if sentence:
                return name, sentence
        return None

    def tied(self) -> IntArray:
        """A number for each period, the same for periods that devices tie together, (period,)."""
        row, cell = self.rows.nonzero()
        row, period = np.asarray(row), np.asarray(cell) % self.periods
        order = np.argsort(row, kind="stable")
        row, period = row[order], period[order]
        same = row[1:] == row[:-1]
        pairs = np.ones(int(same.sum())), (period[:-1][same], period[1:][same])
        graph = sp.coo_array(pairs, shape=(self.periods, self.periods))
        return np.asarray(connected_components(graph, directed=False)[1], dtype=np.intp)


def _size(block: DeviceBlock) -> float:
    """The largest value that a column of a device may have; 1 if that is nothing."""
    return max(float(np.abs(block.low).max(initial=0.0)), float(np.abs(block.high).max(initial=0.0))) or 1.0


def _own(device: Device, method: str, *given: Any) -> Any:
    """What a method of a device returns, which may be anybody's code: what it raises is told with the device."""
    try:
        return getattr(device, method)(*given)
    except GridbazaarError:
        raise
    except Exception as error:  # a user's code may raise anything; it is told with its place
        raise DeviceError(device.name, method, f"{method}() raised {BehaviourError.told(error)}") from error


def _laid_out(device: Device, periods: int, dt_h: float) -> DeviceBlock:
    """The block of a device, which may be anybody's code."""
    block = _own(device, "block", periods, dt_h)
    if not isinstance(block, DeviceBlock):
        raise DeviceError(device.name, "block", f"block() returned a {type(block).__name__}; return a DeviceBlock")
    if wrong := wrong_columns(block, periods) or wrong_rows(block):
        raise DeviceError(device.name, "block", f"block() is wrong: {wrong} (`gridbazaar check` tries it)")
    return block


def _mended(device: Device, found: FloatArray, dt_h: float) -> FloatArray:
    """What a device makes of its columns, which may be anybody's code."""
    mended = np.asarray(_own(device, "mended", found, dt_h), dtype=float)
    if mended.shape != found.shape or not np.isfinite(mended).all():
        what = "numbers that are not finite" if mended.shape == found.shape else f"the shape {mended.shape}"
        problem = f"mended() returned {what}; it must return finite numbers in the shape {found.shape}, as it is given"
        raise DeviceError(device.name, "mended", problem)
    return mended
