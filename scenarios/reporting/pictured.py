"""What pictures of a run are drawn from: a `Result`, or a run that is saved."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

from ...agents.trade_graph import TradeGraph
from ...market.columns import frame
from ...market.result import Result
from ...market.tables import tables_of
from ...network.feeder import Feeder
from ...network.periods import When

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
    def when(self) -> When:
        """When the periods are."""

    @property
    def homes(self) -> dict[str, str]:
        """The bus of each prosumer."""

    @property
    def tables(self) -> Sequence[str]:
        """The tables that there are."""

    def table(self, name: str) -> pd.DataFrame:
        """One of them, units in the columns' names."""


class PicturedResult:
    """A `Result` as pictures are drawn from it."""

    def __init__(self, result: Result) -> None:
        """Draw from this one."""
        self._result = result
        self.feeder, self.graph, self.dt_h, self.when = result.feeder, result.graph, result.dt_h, result.when
        self.homes = dict(zip(result.names, result.prosumer_buses, strict=True))
        self.tables = tables_of(result)

    def table(self, name: str) -> pd.DataFrame:
        """One of its tables."""
        return frame(self._result.columns(name))
