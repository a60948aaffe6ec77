"""Trades as curved arrows from seller to buyer, as wide as their power is large."""

from collections.abc import Mapping, Sequence
from xml.etree.ElementTree import Element

import numpy as np

from ...network.arrays import FloatArray
from ..runs.amounts import energy
from .colours import GREEN
from .frame import Frame
from .marks import INK
from .svg import add

_MOST_TOLD = 12
"""Of more trades the power stands only where one points at them."""

_ROOM = 90.0
"""What the power of an upright arrow takes to its right."""
_LETTER_HEIGHT = 11.0


def draw_trades(
    drawing: Element, frame: Frame, homes: Mapping[str, int], trades: Sequence[tuple[str, str, float]]
) -> None:
    """An arrow for every trade of some power.

    Args:
        drawing: Where they are drawn.
        frame: Its room.
        homes: The bus of each prosumer, by index.
        trades: Seller, buyer, power in kW.
    """
    most, few = max((kw for _, _, kw in trades), default=0.0), len(trades) <= _MOST_TOLD
    widest, opacity = (6.0, "0.75") if few else (3.0, "0.5")
    group = add(drawing, "g", stroke=GREEN, stroke_opacity=opacity, fill=GREEN)
    for seller, buyer, kw in sorted(trades, key=lambda trade: trade[2]):
        start, end = frame.at[homes[seller]], frame.at[homes[buyer]]
        if kw > 0:
            arrow = add(group, "g", says=f"{seller} to {buyer}: {kw:.6g} kW")
            middle = _draw_arrow(arrow, start, end, frame, 0.2 * widest + 0.8 * widest * kw / most)
            if few and frame.named:
                above = np.array([0.0, -9.0 if np.array_equal(start, end) else 0.0])  # a loop is too small for words
                _tell(arrow, middle + above, f"{energy(kw)} kW", beside=_is_upright(start, end, frame))


def _draw_arrow(arrow: Element, start: FloatArray, end: FloatArray, frame: Frame, width: float) -> FloatArray:
    """A curve that leaves one bus and points at the other; where its middle is."""
    radius = frame.radius
    if np.array_equal(start, end):  # neighbours at one bus: a loop above their marks and names
        start = start - (0.0, frame.names_above + _LETTER_HEIGHT - radius if frame.named else 0.0)
        aside, up = (4.0, -5.0) if frame.named else (2.0, -11.0)
        bend = start + radius * np.array([0.0, up])
        start, end = start + radius * np.array([-aside, -1.0]), start + radius * np.array([aside, -1.0])
    else:
        bend = _bend(start, end)
    length = 6.0 + 1.6 * width
    tip = end + _unit(bend - end) * (radius + 2)
    neck = tip + _unit(bend - tip) * length
    tail = start + _unit(bend - start) * (radius + 1)
    across = _unit(bend - tip)[::-1] * (-1, 1) * (2.5 + 0.8 * width)
    curve = f"M{_at(tail)}Q{_at(bend)} {_at(neck)}"
    add(arrow, "path", d=curve, stroke_width=width, fill="none")
    add(arrow, "path", d=f"M{_at(tip)}L{_at(neck + across)}L{_at(neck - across)}Z", stroke="none", fill_opacity="0.9")
    return np.asarray(tail / 4 + bend / 2 + neck / 4)


def _bend(start: FloatArray, end: FloatArray) -> FloatArray:
    """Where the tangents of both ends of a curve meet: above the middle, or to the right of it where it is upright."""
    way = end - start
    far = float(np.hypot(*way))
    aside = np.array([way[1], -way[0]]) / far
    if aside[1] > 1e-9 or (abs(aside[1]) <= 1e-9 and aside[0] < 0):
        aside = -aside
    return np.asarray((start + end) / 2 + aside * min(14 + 0.2 * far, 90.0))


def _is_upright(start: FloatArray, end: FloatArray, frame: Frame) -> bool:
    """Whether an arrow goes up or down by names that its power would hide, and has room to its right."""
    return bool(abs(end[0] - start[0]) < abs(end[1] - start[1]) and max(start[0], end[0]) + _ROOM < frame.width)


def _tell(arrow: Element, at: FloatArray, says: str, *, beside: bool) -> None:
    """The power on an arrow or to its right, on a light rim, so that it can be read above lines."""
    x, anchor = (at[0] + 8, "start") if beside else (at[0], "middle")
    add(arrow, "text", text=says, x=x, y=at[1] + 4, font_size=11, text_anchor=anchor, fill=INK)
    arrow[-1].attrib |= {"stroke": "#ffffff", "stroke-width": "3", "stroke-opacity": "1", "paint-order": "stroke"}


def _unit(way: FloatArray) -> FloatArray:
    return np.asarray(way / max(float(np.hypot(*way)), 1e-9))


def _at(point: FloatArray) -> str:
    return f"{point[0]:.1f} {point[1]:.1f}"
