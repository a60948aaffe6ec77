"""SVG elements: what is drawn as XML, with every text escaped and numbers as short as a screen needs them."""

import re
from xml.etree.ElementTree import Element, SubElement, tostring

_NO_XML = re.compile(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def sheet(width: float, height: float, title: str) -> Element:
    """An empty drawing that scales with the page, and what it shows in words."""
    attributes = {"xmlns": "http://www.w3.org/2000/svg", "viewBox": f"0 0 {width:.0f} {height:.0f}", "role": "img"}
    drawing = Element("svg", attributes, style="width:100%;height:auto;font-family:sans-serif")
    SubElement(drawing, "title").text = plain(title)
    return drawing


def add(parent: Element, tag: str, *, says: str = "", text: str = "", **attributes: float | str) -> Element:
    """One more element.

    Args:
        parent: What it becomes a part of.
        tag: Its kind, such as "circle".
        says: What it says when one points at it.
        text: The text that it shows.
        attributes: Its attributes; `stroke_width` is written as `stroke-width`.
    """
    written = {key.replace("_", "-"): _number(value) for key, value in attributes.items()}
    element = SubElement(parent, tag, written)
    if says:
        SubElement(element, "title").text = plain(says)
    if text:
        element.text = plain(text)
    return element


def written(drawing: Element) -> str:
    """The drawing as text, to stand in a page."""
    return tostring(drawing, encoding="unicode")


def plain(text: str) -> str:
    """The text without characters that XML cannot hold."""
    return _NO_XML.sub("\ufffd", text)


def _number(value: float | str) -> str:
    return value if isinstance(value, str) else f"{value:.1f}".removesuffix(".0")
