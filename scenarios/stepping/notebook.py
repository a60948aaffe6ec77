"""A session in a notebook."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from html import escape
from typing import Protocol

from .branch import Branch, Mark

_LAST = 5
_SHOWN = ["phase", "primal_kw", "dual_usd_per_kwh", "dso_cost_usd", "regret_usd", "verdict"]


class Shown(Protocol):
    """What is read of a `Session`."""

    @property
    def branches(self) -> list[Branch]:
        """All branches."""

    @property
    def round(self) -> int:
        """Rounds so far."""

    def history(self) -> Sequence[Mark]:
        """All rounds that are known."""


def html(session: Shown) -> str:
    """Where a session stands, its branches, and its last rounds."""
    import pandas as pd

    said = f"<p><b>{escape(str(session))}</b></p>"
    if len(session.branches) > 1:
        said += f"<ul>{''.join(f'<li>{escape(str(branch))}</li>' for branch in session.branches)}</ul>"
    marks = [mark for mark in session.history() if mark.number <= session.round][-_LAST:]
    if not marks:
        return said
    rounds = pd.DataFrame([asdict(mark) for mark in marks]).set_index("number")
    return said + rounds[_SHOWN].to_html(float_format="{:,.4g}".format)
