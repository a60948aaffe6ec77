"""What colours and marks of a drawing mean: a bar of colours with its unit, and a key of marks."""

from collections.abc import Callable, Sequence
from math import floor, isfinite, log10
from xml.etree.ElementTree import Element

from .colours import GREEN, UNKNOWN, cividis
from .frame import Frame
from .marks import INK, square, triangle
from .shade import Shade
from .svg import add

_BAR, _PIECES = 220.0, 44
Drawn = Callable[[Element, float, float], None]
"""Draws a mark at a place."""


def colour_bar(drawing: Element, frame: Frame, shade: Shade) -> None:
    """The colours from the lowest to the highest value, below the quantity and its unit."""
    x, y = frame.legend
    low, high = shade.range
    group = add(drawing, "g", font_size=11, fill=INK)
    add(group, "text", text=f"{shade.quantity}, {shade.unit}", x=x, y=y)
    known = isfinite(low) and isfinite(high)
    for k in range(_PIECES):
        fill = cividis(k / (_PIECES - 1) if high > low else 0.5) if known else UNKNOWN
        add(group, "rect", x=x + k * _BAR / _PIECES, y=y + 6, width=_BAR / _PIECES + 0.5, height=10, fill=fill)
    for share, anchor, tick in zip((0, 0.5, 1), ("start", "middle", "end"), ticks(low, high), strict=True):
        add(group, "text", text=tick, x=x + share * _BAR, y=y + 29, text_anchor=anchor)


def ticks(low: float, high: float) -> tuple[str, str, str]:
    """The lowest, middle and highest value with as many digits as tell them apart; one where they are the same."""
    if not (isfinite(low) and isfinite(high)):
        return "", "unknown", ""
    if not high > low:
        return "", f"{low:.4g}", ""
    decimals = max(0, 2 - floor(log10(high - low)))
    first, middle, last = (f"{value:,.{decimals}f}" for value in (low, (low + high) / 2, high))
    return first, middle, last


def keys(drawing: Element, frame: Frame, kinds: Sequence[tuple[str, Drawn]]) -> None:
    """The marks that are seen in the drawing, in two rows, and what they are."""
    x, y = frame.legend
    group = add(drawing, "g", font_size=11, fill=INK)
    for k, (says, draw) in enumerate(kinds):
        left, top = x + _BAR + 36 + 130 * (k // 2), y + 4 + 18 * (k % 2)
        draw(group, left, top)
        add(group, "text", text=says, x=left + 20, y=top + 4)


def generator_key(parent: Element, x: float, y: float) -> None:
    """A generator in the key."""
    square(parent, x + 6, y, 5)


def prosumer_key(parent: Element, x: float, y: float) -> None:
    """A prosumer in the key."""
    triangle(parent, x + 6, y, 5)


def trade_key(parent: Element, x: float, y: float) -> None:
    """A trade in the key."""
    add(parent, "path", d=f"M{x:.0f} {y:.0f}h9", stroke=GREEN, stroke_width=2.5)
    add(parent, "path", d=f"M{x + 16:.0f} {y:.0f}l-8 -4v8Z", fill=GREEN)


def line_key(colour: str, width: float) -> Drawn:
    """A line of this look in the key."""

    def draw(parent: Element, x: float, y: float) -> None:
        add(parent, "path", d=f"M{x:.0f} {y:.0f}h15", stroke=colour, stroke_width=width)

    return draw
