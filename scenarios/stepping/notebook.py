"""A session in a notebook."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, fields
from html import escape
from typing import TYPE_CHECKING, Protocol

from .branch import Branch, Mark

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

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


def convergence(session: Shown) -> Figure:
    """Residuals and regret of all rounds up to the one that a session is at."""
    from ..reporting.run_figures import rounds_figure
    from ..study.drawing import style

    with style():
        return rounds_figure(_rounds(session))


def _rounds(session: Shown) -> pd.DataFrame:
    import pandas as pd

    marks = [asdict(mark) for mark in session.history() if mark.number <= session.round]
    return pd.DataFrame(marks, columns=[cell.name for cell in fields(Mark)])


def html(session: Shown) -> str:
    """Where a session stands, its branches, and its last rounds."""
    said = f"<p><b>{escape(str(session))}</b></p>"
    if len(session.branches) > 1:
        said += f"<ul>{''.join(f'<li>{escape(str(branch))}</li>' for branch in session.branches)}</ul>"
    rounds = _rounds(session).tail(_LAST).set_index("number")
    return said + rounds[_SHOWN].to_html(float_format="{:,.4g}".format) if len(rounds) else said
