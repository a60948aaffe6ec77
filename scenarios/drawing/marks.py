"""The marks of generators and prosumers, and names in a row."""

from collections.abc import Sequence
from xml.etree.ElementTree import Element

from .colours import ORANGE, SKY
from .svg import add

INK = "#222222"


def square(parent: Element, x: float, y: float, size: float) -> None:
    """The mark of generators."""
    add(parent, "rect", x=x - size, y=y - size, width=2 * size, height=2 * size, fill=ORANGE, stroke=INK)


def triangle(parent: Element, x: float, y: float, size: float) -> None:
    """The mark of prosumers."""
    points = f"{x:.1f},{y - size:.1f} {x - size:.1f},{y + size:.1f} {x + size:.1f},{y + size:.1f}"
    add(parent, "polygon", points=points, fill=SKY, stroke=INK)


def names_of(names: Sequence[str], most: int = 12) -> str:
    """Names in a row; of many the first."""
    return ", ".join(names[:most]) + (f" and {len(names) - most:,} more" if len(names) > most else "")
