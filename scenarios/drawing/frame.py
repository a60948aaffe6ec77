"""The room of a one-line diagram: how large it is, where every bus stands in it, and what text fits."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ...network.arrays import FloatArray
from ...network.feeder import Feeder
from .layout import layout

_MARGIN, _TOP, _BOTTOM, _LEGEND = 44.0, 70.0, 34.0, 58.0
_WIDTH = 900.0
_LETTER = 6.2
"""About the width of a letter of the names."""


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """The room of a drawing.

    Attributes:
        width, height: Its size.
        at: Where every bus stands, (bus, 2).
        step: From one bus to the next along the trunk.
        radius: Of the buses.
        named: Whether names are written.
    """

    width: float
    height: float
    at: FloatArray
    step: float
    radius: float
    named: bool

    @classmethod
    def of(cls, feeder: Feeder, *, named: bool) -> Frame:
        """The room that a feeder takes.

        Args:
            feeder: The feeder.
            named: Whether names are to be written, which takes room.
        """
        place = layout(feeder)
        first, lanes = place.min(axis=0), np.ptp(place, axis=0)
        inner = _WIDTH - 2 * _MARGIN
        step = float(np.clip(inner / max(lanes[0], 1.0), 4.0, 140.0))
        lane = 84.0 if named else float(np.clip(480.0 / max(lanes[1], 1.0), 20.0, 40.0))
        width = max(_WIDTH, 2 * _MARGIN + step * lanes[0])
        corner = np.array([(width - step * lanes[0]) / 2, _TOP])
        return cls(
            width=float(width),
            height=float(_TOP + lane * lanes[1] + _BOTTOM + _LEGEND),
            at=corner + (place - first) * (step, lane),
            step=step,
            radius=float(np.clip(step / 3, 2.0, 7.0)) if named else float(np.clip(step / 3, 2.0, 5.0)),
            named=named,
        )

    @property
    def mark(self) -> float:
        """The size of the marks of generators and prosumers."""
        return max(self.radius - 1.5, 2.0)

    @property
    def names_above(self) -> float:
        """How far above a bus the names stand of those that are there."""
        return self.radius + 2 * self.mark + 7

    @property
    def legend(self) -> tuple[float, float]:
        """Where the legend begins."""
        return _MARGIN, self.height - _LEGEND + 14

    def fitting(self, name: str) -> str:
        """A name as far as it fits between two buses; empty where nothing sensible would be left."""
        room = int(self.step / _LETTER)
        if len(name) <= room:
            return name
        return f"{name[: room - 1]}…" if room >= 4 else ""
