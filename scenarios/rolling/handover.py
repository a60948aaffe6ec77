"""What one window hands over to the next."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from math import isclose
from typing import Any

import numpy as np

from ...agents.pair_exchange import mean_of_ends
from ...agents.trade_graph import TradeGraph
from ...network.arrays import FloatArray
from ..files.horizon import DAY_H
from .parts import Part
from .windows import Window


@dataclass(frozen=True, eq=False)
class Handover:
    """What a window begins with; a value, never changed in place.

    Attributes:
        levels_kwh: What stores hold, (store,).
        memories: What behaviours that learn remember, by prosumer, as JSON has it.
        graph: Who may trade with whom.
        mark_up_usd_per_kwh: What trades cost above the mean of the LMPs at both ends, when these hours of a day were
            last kept of a window that had settled, from the first hour of the horizon on, (link, period of a day); 0
            where none was. No periods where periods do not fill a day.
    """

    levels_kwh: FloatArray
    memories: Mapping[str, Any]
    graph: TradeGraph
    mark_up_usd_per_kwh: FloatArray

    @classmethod
    def at_first(cls, levels_kwh: FloatArray, graph: TradeGraph, dt_h: float) -> Handover:
        """What the first window begins with: these levels, and nothing else."""
        day = round(DAY_H / dt_h)
        filled = day if isclose(day * dt_h, DAY_H, rel_tol=1e-9) else 0
        return cls(levels_kwh, {}, graph, np.zeros((len(graph.links), filled)))

    def after(self, part: Part) -> Handover:
        """What the window after this one begins with."""
        after = replace(self, levels_kwh=part.levels_kwh, memories=part.memories)
        day = self.mark_up_usd_per_kwh.shape[1]
        if not (day and part.ended.settled):
            return after
        kept = np.arange(part.window.first, part.window.kept_until)[-day:]
        lmp, price = part.arrays["lmp_usd_per_kwh"], part.arrays["price_usd_per_kwh"]
        mark_up = self.mark_up_usd_per_kwh.copy()
        mark_up[:, kept % day] = (price - mean_of_ends(self.graph, lmp))[:, -day:]
        return replace(after, mark_up_usd_per_kwh=mark_up)

    def mark_up_of(self, window: Window) -> FloatArray | None:
        """The mark-ups that a window begins with, (link, period): those of the same hours a day before, or earlier.

        None where there are none yet.
        """
        if not self.mark_up_usd_per_kwh.any():
            return None
        hours = np.arange(window.first, window.end) % self.mark_up_usd_per_kwh.shape[1]
        return np.ascontiguousarray(self.mark_up_usd_per_kwh[:, hours])
