"""Who pays whom: bills from bids, trades and prices, in whole cents, so that they balance to the cent."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd

from ...agents.trade_graph import TradeGraph
from ...network.arrays import FloatArray

OPERATOR, PLATFORM, CUSTOMERS, GENERATORS = "DSO", "platform", "customers", "generators"


@dataclass(frozen=True, slots=True)
class Posting:
    """One payment: `payer` pays `payee` so many cents for `item`.

    Negative where it flows the other way: power that is sold instead of bought, or bought at a negative price.
    """

    payer: str
    payee: str
    item: str
    cents: int


@dataclass(frozen=True, slots=True)
class Settlement:
    """All payments of a run. Every payment has a payer and a payee, so the balances add up to zero cents.

    Attributes:
        postings: The payments.
    """

    postings: tuple[Posting, ...]

    @classmethod
    def of(
        cls,
        graph: TradeGraph,
        *,
        bid_kw: FloatArray,
        lmp_usd_per_kwh: FloatArray,
        trade_kw: FloatArray,
        price_usd_per_kwh: FloatArray,
        load_usd: float,
        generation_usd: dict[str, float],
        dt_h: float,
    ) -> "Settlement":
        """Draw up the bills.

        Args:
            graph: Who may trade with whom.
            bid_kw, lmp_usd_per_kwh: (prosumer, period); each prosumer pays LMP times bid to the DSO.
            trade_kw, price_usd_per_kwh: (link, period); the buyer pays the platform, the platform pays the seller.
            load_usd: What the ordinary loads of the buses are worth at their LMPs; their customers pay it to the DSO.
            generation_usd: What the DSO pays for each generator, its cost (1), in $.
            dt_h: Length of a period in hours.
        """
        bought = dt_h * (lmp_usd_per_kwh * bid_kw).sum(axis=1)
        traded = dt_h * (price_usd_per_kwh * trade_kw).sum(axis=1)
        return cls(tuple(_postings(graph, bought, traded, load_usd, generation_usd)))

    def balance_cents(self) -> dict[str, int]:
        """What everybody receives less what it pays, in cents."""
        balance: dict[str, int] = {}
        for posting in self.postings:
            balance[posting.payee] = balance.get(posting.payee, 0) + posting.cents
            balance[posting.payer] = balance.get(posting.payer, 0) - posting.cents
        return balance

    def frame(self) -> pd.DataFrame:
        """The bills as a table: account, item, counterparty, amount_usd (> 0: the account receives)."""
        rows = [
            row
            for p in self.postings
            for row in ((p.payer, p.item, p.payee, -p.cents / 100), (p.payee, p.item, p.payer, p.cents / 100))
        ]
        return pd.DataFrame(rows, columns=["account", "item", "counterparty", "amount_usd"])


def _postings(
    graph: TradeGraph, bought: FloatArray, traded: FloatArray, load_usd: float, generation_usd: dict[str, float]
) -> Iterator[Posting]:
    for name, usd in zip(graph.names, bought, strict=True):
        yield Posting(name, OPERATOR, "bids at the LMP", _cents(usd))
    for link, usd in zip(graph.links, traded, strict=True):
        yield Posting(link.a, PLATFORM, f"sharing {link.name}", _cents(usd))
        yield Posting(PLATFORM, link.b, f"sharing {link.name}", _cents(usd))
    yield Posting(CUSTOMERS, OPERATOR, "bus loads at the LMP", _cents(load_usd))
    for generator, usd in generation_usd.items():
        yield Posting(OPERATOR, GENERATORS, f"generation {generator}", _cents(usd))


def _cents(usd: float) -> int:
    return int(np.rint(100 * usd))
