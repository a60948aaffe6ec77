"""Limits of lines, buses and generators that bind or are near to it: how they bend the LMPs of a cleared period.

Where a limit starts to bind the LMPs bend, and slopes hold on one side only. So limits are kept apart from the slopes.
With w the move of the demand by bus, D the slopes without these limits, and nu >= 0 their multipliers,

    LMP = LMP0 + D w + C (nu - z0),     slack = s0 - C'w + N (nu - z0) >= 0,     nu'slack = 0

is exact on both sides of a kink as long as no other limit starts to bind. A limit is measured in kW of demand at the
bus where it is felt the most, so that its multiplier is in $/kWh.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np

from .arrays import BoolArray, FloatArray, IntArray
from .complementarity import multipliers

_BINDS = 1e-6
"""$/kWh, from which on a limit counts as one that binds."""


@dataclass(frozen=True, slots=True, eq=False)
class NearLimits:
    """Limits near to binding in some periods; a period that has fewer than others has rows that never bind.

    Attributes:
        periods: Which periods have any, (limited period,).
        effect: C, by how much LMPs rise with a multiplier, and slack falls with demand, (limited period, bus, row).
        give: N, by how much slack rises with a multiplier because the DSO makes room, (limited period, row, row) in
            kW per $/kWh.
        slack_kw: s0, (limited period, row).
        multiplier_usd_per_kwh: z0, (limited period, row).
    """

    periods: IntArray
    effect: FloatArray
    give: FloatArray
    slack_kw: FloatArray
    multiplier_usd_per_kwh: FloatArray

    @classmethod
    def none(cls) -> NearLimits:
        """No limits in any period."""
        return cls(np.zeros(0, dtype=np.intp), *(np.zeros((0, *rest)) for rest in ((0, 0), (0, 0), (0,), (0,))))

    @classmethod
    def of(cls, by_period: Sequence[RowLimits | None]) -> NearLimits:
        """Those of all periods, None where there are none."""
        found = [(t, limits) for t, limits in enumerate(by_period) if limits is not None]
        if not found:
            return cls.none()
        count, rows = len(found), max(limits.slack_kw.size for _, limits in found)
        effect = np.zeros((count, len(found[0][1].effect), rows))
        give, slack, multiplier = np.zeros((count, rows, rows)), np.ones((count, rows)), np.zeros((count, rows))
        for k, (_, limits) in enumerate(found):
            own = limits.slack_kw.size
            effect[k, :, :own], give[k, :own, :own] = limits.effect, limits.give
            slack[k, :own], multiplier[k, :own] = limits.slack_kw, limits.multiplier_usd_per_kwh
        return cls(np.array([t for t, _ in found], dtype=np.intp), effect, give, slack, multiplier)

    def reached(self, slack_kw: FloatArray) -> BoolArray:
        """Where a limit may bind, (limited period,), when demand leaves this slack, (limited period, row)."""
        return np.asarray(((slack_kw < 0) | (self.multiplier_usd_per_kwh > _BINDS)).any(axis=1))

    def multipliers(self, on: BoolArray, slack_kw: FloatArray, taken: FloatArray) -> FloatArray:
        """The multipliers nu of demand that answers them, in some of the periods, (some period, row).

        Args:
            on: In which, (limited period,).
            slack_kw: What demand leaves where multipliers are z0, (some period, row).
            taken: By how much more each multiplier makes it leave, (some period, row, row).
        """
        bend = self.give[on] + taken
        bend = (bend + bend.transpose(0, 2, 1)) / 2
        z0 = self.multiplier_usd_per_kwh[on]
        return multipliers(bend, slack_kw - np.einsum("tkl,tl->tk", bend, z0), z0 > _BINDS)

    def at(self, period: int) -> RowLimits | None:
        """Those of one period; None where there are none."""
        [place] = np.nonzero(self.periods == period)
        return RowLimits(*(getattr(self, cell.name)[place[0]] for cell in fields(RowLimits))) if place.size else None

    def rise(self, multiplier_usd_per_kwh: FloatArray, move_kw: FloatArray) -> FloatArray:
        """(C (nu - z0))'w: what multipliers, (limited period, row), add to LMPs along moves, (bus, period)."""
        if not self.periods.size:
            return np.zeros(0)
        change = multiplier_usd_per_kwh - self.multiplier_usd_per_kwh
        return np.asarray(np.einsum("tbk,tk,bt->t", self.effect, change, move_kw[:, self.periods]))

    def binding(self, multiplier_usd_per_kwh: FloatArray) -> IntArray:
        """The periods in which a limit binds with these multipliers, (limited period, row)."""
        return self.periods[(multiplier_usd_per_kwh > _BINDS).any(axis=1)]


@dataclass(frozen=True, slots=True, eq=False)
class RowLimits:
    """The limits of one period, as in `NearLimits`."""

    effect: FloatArray
    give: FloatArray
    slack_kw: FloatArray
    multiplier_usd_per_kwh: FloatArray
