"""What the system operator remembers."""

from __future__ import annotations

from dataclasses import dataclass, fields

from ..network.arrays import FloatArray, IntArray
from ..network.cleared_period import ClearedPeriod
from ..network.dispatch import Dispatch
from ..network.tangent import Tangent


@dataclass(frozen=True, slots=True, eq=False)
class ElasticClearing:
    """What the DSO would have sold in some periods: (bus, period) in kW, V of that by period, and its prices."""

    periods: IntArray
    sold_kw: FloatArray
    values_usd: FloatArray
    dispatch: Dispatch


CONIC = ("periods", "sold")
"""Fields of `OperatorState` that do not travel: conic solutions, which whoever goes on from it finds again."""


@dataclass(frozen=True, slots=True, eq=False)
class OperatorState:
    """All that the DSO remembers; a value, never changed in place.

    Attributes:
        clearings, elastic_clearings: How often it has cleared for bids so far, and with elastic bids.
        bid_kw: The bids last cleared, (prosumer, period); None before the first clearing, as all that follows.
        dispatch: Their dispatch.
        periods: The conic solutions behind it.
        sale: What it would have sold when it was asked last.
        sold: The conic solutions behind that.
        starts: Where the AC flows of the bids last cleared were begun, by period, see `Clearing.solve`.
        tangents: Where the next are: the last known, by period.
    """

    clearings: int = 0
    elastic_clearings: int = 0
    bid_kw: FloatArray | None = None
    dispatch: Dispatch | None = None
    periods: tuple[ClearedPeriod, ...] = ()
    sale: ElasticClearing | None = None
    sold: tuple[ClearedPeriod, ...] = ()
    starts: tuple[Tangent | None, ...] = ()
    tangents: tuple[Tangent | None, ...] = ()

    def __reduce__(self) -> tuple[type[OperatorState], tuple[object, ...]]:
        """What travels: the conic solutions do not, who restores it clears once more."""
        return OperatorState, tuple(() if cell.name in CONIC else getattr(self, cell.name) for cell in fields(self))
