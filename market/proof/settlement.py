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
        return cls(
            (
                *_bid_postings(graph, "bids at the LMP", bought),
                *_sharing_postings(graph, traded),
                Posting(CUSTOMERS, OPERATOR, "bus loads at the LMP", _cents(load_usd)),
                *(Posting(OPERATOR, GENERATORS, f"generation {g}", _cents(usd)) for g, usd in generation_usd.items()),
            )
        )

    def charging(
        self,
        graph: TradeGraph,
        *,
        network_charge_usd: FloatArray | None,
        grid_fee_usd: FloatArray,
        feed_in_fee_usd: FloatArray,
        sharing_fee_usd: FloatArray,
    ) -> "Settlement":
        """The same with what is charged beside LMPs and sharing prices; what nobody is charged is left out.

        Args:
            graph: Who may trade with whom.
            network_charge_usd: The network's charge for the trades of each link, half of which each end pays to the
                DSO, (link,) in $; None where trades load no wires.
            grid_fee_usd, feed_in_fee_usd: What each prosumer pays to the DSO beside the LMP for what it buys from the
                distribution market, and for what it feeds in, (prosumer,) in $.
            sharing_fee_usd: The fees on the trades of each link, half of which each end pays to the platform, (link,).
        """
        return Settlement(
            (
                *self.postings,
                *_halves(graph, "network charge of sharing", OPERATOR, network_charge_usd),
                *_bid_postings(graph, "grid fee", _charged(grid_fee_usd)),
                *_bid_postings(graph, "feed-in fee", _charged(feed_in_fee_usd)),
                *_halves(graph, "fee of sharing", PLATFORM, _charged(sharing_fee_usd)),
            )
        )

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


def _bid_postings(graph: TradeGraph, item: str, usd: FloatArray | None) -> Iterator[Posting]:
    """What each prosumer pays to the DSO, (prosumer,); nothing where there is none."""
    if usd is None:
        return
    for name, due in zip(graph.names, usd, strict=True):
        yield Posting(name, OPERATOR, item, _cents(due))


def _sharing_postings(graph: TradeGraph, usd: FloatArray) -> Iterator[Posting]:
    """What the end a of each link pays to its end b, (link,), through the platform."""
    for link, due in zip(graph.links, usd, strict=True):
        yield Posting(link.a, PLATFORM, f"sharing {link.name}", _cents(due))
        yield Posting(PLATFORM, link.b, f"sharing {link.name}", _cents(due))


def _halves(graph: TradeGraph, item: str, payee: str, usd: FloatArray | None) -> Iterator[Posting]:
    """What both ends of each link pay by halves, (link,); nothing where there is none."""
    if usd is None:
        return
    for link, due in zip(graph.links, usd, strict=True):
        for end in (link.a, link.b):
            yield Posting(end, payee, f"{item} {link.name}", _cents(due / 2))


def _charged(usd: FloatArray) -> FloatArray | None:
    """The fees, or None where nobody is charged any."""
    return usd if usd.any() else None


def _cents(usd: float) -> int:
    return int(np.rint(100 * usd))
