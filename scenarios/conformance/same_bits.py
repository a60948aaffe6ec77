"""Whether two runs are the same to the last bit, and if not, from where on."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import Any

import numpy as np

from ...market.energy_market import EnergyMarket
from ...market.rounds import Round

_OTHERWISE = {"seconds", "incidents"}
"""What may differ: how long a round took, and what was said of those who failed."""


@dataclass
class Track:
    """The rounds of a run.

    Attributes:
        rounds: What they produced.
    """

    rounds: list[Round] = field(default_factory=list)

    def follow(self, market: EnergyMarket, rounds: int | None = None) -> Track:
        """Let a market go on, to its end or for so many rounds, and take note of what they produce."""
        end = None if rounds is None else market.rounds + rounds
        while market.running and market.rounds != end:
            market.step()
            assert market.last is not None
            self.rounds.append(market.last)
        return self


def first_difference(one: Track, other: Track) -> str:
    """Where two runs begin to differ: "round 7 (power_kw)"; empty if they do not."""
    for left, right in zip(one.rounds, other.rounds, strict=False):
        for cell in fields(Round):
            if cell.name not in _OTHERWISE and not _equal(getattr(left, cell.name), getattr(right, cell.name)):
                return f"round {left.number} ({cell.name})"
    lengths = len(one.rounds), len(other.rounds)
    return "" if lengths[0] == lengths[1] else f"its length: {lengths[1]} rounds for {lengths[0]}"


def _equal(one: Any, other: Any) -> bool:
    if isinstance(one, np.ndarray | float):
        return np.array_equal(one, other, equal_nan=True)
    return bool(one == other)
