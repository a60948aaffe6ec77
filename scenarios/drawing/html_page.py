"""Pages that need nothing but themselves: one base, `base.html.j2`, and what each kind of page puts into it."""

from __future__ import annotations

from datetime import datetime
from importlib.metadata import version
from importlib.resources import files

import jinja2

_BASE = "base.html.j2"


def page_of(package: str, template: str, **values: object) -> str:
    """A page as HTML.

    Args:
        package: The package that the template stands in, its `__package__`.
        template: The name of the template, which extends "base.html.j2".
        values: What it shows; the version of gridbazaar and the date are added.
    """
    texts = {_BASE: _text(__package__, _BASE), template: _text(package, template)}
    environment = jinja2.Environment(
        loader=jinja2.DictLoader(texts), autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True
    )
    made = {"version": version("gridbazaar"), "date": datetime.now().astimezone().strftime("%Y-%m-%d %H:%M")}
    return environment.get_template(template).render(**made, **values)


def _text(package: str, name: str) -> str:
    return files(package).joinpath(name).read_text(encoding="utf-8")
