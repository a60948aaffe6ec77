"""What pictures of a run are drawn from: a `Result`, or a run that is saved."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

from ...agents.trade_graph import TradeGraph
from ...network.feeder import Feeder

if TYPE_CHECKING:
    import pandas as pd


class Pictured(Protocol):
    """What is drawn."""

    @property
    def feeder(self) -> Feeder:
        """The feeder."""

    @property
    def graph(self) -> TradeGraph:
        """Who may trade with whom."""

    @property
    def dt_h(self) -> float:
        """Length of a period in hours."""

    @property
    def homes(self) -> dict[str, str]:
        """The bus of each prosumer."""

    @property
    def tables(self) -> Sequence[str]:
        """The tables that there are."""

    def table(self, name: str) -> pd.DataFrame:
        """One of them, units in the columns' names."""
