"""Penalties that find their own size: residual balancing for each pair and period by itself."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np

from ..network.arrays import BoolArray, FloatArray
from .rows import are_many, run_rows

RATIO = 2.0  # a penalty moves when one residual exceeds the other so many times
FIRST_STEP = float(np.log(2.0))
SHRINK = 0.7  # of its step whenever it turns round, so that in the end it rests, as convergence asks for
REST = 1e-7, 1e-6  # primal and dual residuals below these say nothing
LOWEST = 0.01
"""Where partners disagree about all of what primal residuals count in, a penalty moves a price by so much of what dual
ones count in, in a round, or more: none is lowered below that.

Partners that both trade all that their link carries agree exactly, while prices still move. Their penalty would fall
without end, and once one of them wants to trade no more their price would stand still for dozens of rounds.
"""


class Residuals(NamedTuple):
    """What penalties are balanced by.

    Attributes:
        mismatch_kw, moved_usd_per_kwh: The primal and the dual residuals, (row, period).
        whole_kw: What primal residuals count in, (row,).
        worth_usd_per_kwh: What dual ones count in.
        finest_kw: Powers are told no finer; what is finer says nothing.
    """

    mismatch_kw: FloatArray
    moved_usd_per_kwh: FloatArray
    whole_kw: FloatArray
    worth_usd_per_kwh: float
    finest_kw: float

    def relative(self, penalty: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Both as they count, (row, period)."""
        primal = np.maximum(np.abs(self.mismatch_kw) - self.finest_kw, 0.0) / self.whole_kw[:, None]
        dual = np.maximum(self.moved_usd_per_kwh - penalty * self.finest_kw, 0.0) / self.worth_usd_per_kwh
        return primal, dual


@dataclass(frozen=True, slots=True, eq=False)
class AdaptivePenalty:
    """Residual balancing (Boyd et al. 2011, section 3.4.1) with a step that shrinks when its direction turns.

    A value, never changed in place.

    Attributes:
        value: The penalties, (row, period) in $/kW²h.
        step: By how much the logarithm of each moves when it moves, (row, period).
        way: Where each moved last: 1 up, -1 down, 0 not yet, (row, period).
        least: What it must not fall below, (row, period), or 0.
    """

    value: FloatArray
    step: FloatArray
    way: FloatArray
    least: FloatArray | float = 0.0

    @classmethod
    def starting(cls, value: FloatArray) -> AdaptivePenalty:
        """Start from these penalties."""
        return cls(value, np.full(value.shape, FIRST_STEP), np.zeros(value.shape))

    def above(self, least: FloatArray) -> AdaptivePenalty:
        """The penalties, none below the least, (row, period), from now on."""
        least = np.maximum(self.least, least)
        return replace(self, value=np.maximum(self.value, least), least=least)

    def balanced(self, residuals: Residuals, new: BoolArray) -> AdaptivePenalty:
        """The penalty raised where the primal residual leads, lowered where the dual does, as far as `LOWEST` lets it.

        Args:
            residuals: The residuals, and how they count.
            new: Where they are other ones than the last time, (row,); elsewhere they say nothing.
        """
        if are_many(self.value):
            return self._balanced_in_one_pass(residuals, new)
        primal, dual = residuals.relative(self.value)
        up, down = primal > np.maximum(RATIO * dual, REST[0]), dual > np.maximum(RATIO * primal, REST[1])
        lead = np.where(new[:, None], np.where(up, 1.0, np.where(down, -1.0, 0.0)), 0.0)
        step = np.where(lead * self.way < 0, SHRINK * self.step, self.step)
        lowest = np.minimum(self.value, LOWEST * residuals.worth_usd_per_kwh / residuals.whole_kw[:, None])
        value = np.maximum(self.value * np.exp(lead * step), np.maximum(lowest, self.least))
        return AdaptivePenalty(value, step, np.where(lead == 0, self.way, lead), self.least)

    def _balanced_in_one_pass(self, residuals: Residuals, new: BoolArray) -> AdaptivePenalty:
        value, step, way = (np.empty_like(self.value) for _ in range(3))
        sides = residuals.mismatch_kw, residuals.moved_usd_per_kwh, residuals.whole_kw, new
        counts = float(residuals.worth_usd_per_kwh), float(residuals.finest_kw)
        inputs = sides, counts, (self.value, self.step, self.way)
        run_rows(balance_rows, np.arange(len(value)), inputs, (value, step, way), cells=value.size // 10)
        if np.ndim(self.least) or self.least:
            value = np.maximum(value, self.least)
        return AdaptivePenalty(value, step, way, self.least)


def balance_rows(
    asked: Any,
    sides: tuple[Any, Any, Any, Any],
    counts: tuple[float, float],
    before: tuple[Any, Any, Any],
    results: tuple[Any, Any, Any],
    _: Any,
) -> None:
    """As `AdaptivePenalty.balanced`, but for the least, for the rows asked."""
    mismatch, moved, whole, new = sides
    worth, finest = counts
    value, step, way = before
    next_value, next_step, next_way = results
    for k in asked:
        enough = LOWEST * worth / whole[k]
        for t in range(len(value[k])):
            primal = max(abs(mismatch[k][t]) - finest, 0.0) / whole[k]
            dual = max(moved[k][t] - value[k][t] * finest, 0.0) / worth
            lead = 0.0
            if new[k]:
                up, down = primal > max(RATIO * dual, REST[0]), dual > max(RATIO * primal, REST[1])
                lead = 1.0 if up else -1.0 if down else 0.0
            size = SHRINK * step[k][t] if lead * way[k][t] < 0 else step[k][t]
            next_step[k, t], next_way[k, t] = size, way[k][t] if lead == 0 else lead
            moved_to = value[k][t] * math.exp(lead * size) if lead != 0.0 else value[k][t]
            next_value[k, t] = max(moved_to, min(value[k][t], enough))
