"""A page that needs nothing but itself: sections with texts, key figures, pictures and tables, all inside."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from markupsafe import Markup
from matplotlib.figure import Figure

from ..drawing.html_page import page_of
from ..study.drawing import file_of

MOST_ROWS = 60
"""How many rows of a long table are shown; the folder's tables have all."""


def cut_short(rows: Sequence[Sequence[str]], count: int) -> list[Sequence[str]]:
    """The first rows of a table, and one that says how many more there are.

    Args:
        rows: At least those that are shown.
        count: How many there are.
    """
    shown = list(rows[:MOST_ROWS])
    return shown if count == len(shown) else [*shown, [f"and {count - len(shown):,} more", *[""] * (len(shown[0]) - 1)]]


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture of the page: its caption, and the mark-up that draws it."""

    caption: str
    markup: Markup

    @classmethod
    def of(cls, figure: Figure, caption: str) -> Picture:
        """A figure, inside the page as SVG."""
        data = b64encode(file_of(figure, "svg")).decode()
        image = Markup('<img alt="{}" src="data:image/svg+xml;base64,{}">')
        return cls(caption, image.format(caption, Markup(data)))  # noqa: S704  # base64 holds no mark-up


@dataclass(frozen=True, slots=True)
class PageTable:
    """A table of the page.

    Attributes:
        headings: Its headings.
        rows: Its rows, as text.
        words: Which columns hold words, which stand to the left.
        title: What it shows; empty where the section says it.
    """

    headings: Sequence[str]
    rows: Sequence[Sequence[str]]
    words: Sequence[int] = (0,)
    title: str = ""


@dataclass(frozen=True, slots=True)
class Section:
    """A section of the page, shown in this order: texts, key figures (name and value), pictures, tables."""

    title: str
    texts: Sequence[str] = ()
    figures: Sequence[tuple[str, str]] = ()
    pictures: Sequence[Picture] = ()
    tables: Sequence[PageTable] = ()


def write_page(
    file: Path, title: str, lead: Sequence[str], sections: Sequence[Section], *, good: bool | None = None
) -> None:
    """Write a page.

    Args:
        file: Where.
        title: Its title.
        lead: What it comes to, in a few sentences.
        sections: What it shows.
        good: Whether the first sentence of the lead is good news; None for no news.

    Raises:
        OSError: The file cannot be written.
    """
    page = page_of(__package__, "page.html.j2", title=title, lead=lead, good=good, sections=sections)
    file.write_text(page, encoding="utf-8")
