"""Who pays whom: bills from bids, trades and prices, in whole cents, so that they balance to the cent."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from ...agents.trade_graph import TradeGraph
from ...network.arrays import FloatArray, IntArray
from ..columns import Columns, Names, frame

if TYPE_CHECKING:
    import pandas as pd

OPERATOR, PLATFORM, CUSTOMERS, GENERATORS = "DSO", "platform", "customers", "generators"
_OTHERS = (OPERATOR, PLATFORM, CUSTOMERS, GENERATORS)


class Postings(NamedTuple):
    """Payments of one kind: `payer` pays `payee` so many cents for each of `items`, (payment,) each.

    Negative where one flows the other way: power that is sold instead of bought, or bought at a negative price.
    Accounts are told by index: the prosumers first, then the DSO, the platform, the customers and the generators.
    """

    payer: IntArray
    payee: IntArray
    items: list[str]
    cents: IntArray


@dataclass(frozen=True, slots=True, eq=False)
class Settlement:
    """All payments of a run. Every payment has a payer and a payee, so the balances add up to zero cents.

    Attributes:
        accounts: Who pays and is paid, by index.
        postings: The payments, kind by kind.
    """

    accounts: tuple[str, ...]
    postings: tuple[Postings, ...]

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
            (*graph.names, *_OTHERS),
            (
                _bid_postings(graph, "bids at the LMP", bought),
                _sharing_postings(graph, traded),
                _postings(graph, CUSTOMERS, OPERATOR, {"bus loads at the LMP": load_usd}),
                _postings(graph, OPERATOR, GENERATORS, {f"generation {g}": usd for g, usd in generation_usd.items()}),
            ),
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
        network = [] if network_charge_usd is None else [network_charge_usd]
        charges = (
            *(_halves(graph, "network charge of sharing", OPERATOR, usd) for usd in network),
            *(_bid_postings(graph, "grid fee", usd) for usd in _charged(grid_fee_usd)),
            *(_bid_postings(graph, "feed-in fee", usd) for usd in _charged(feed_in_fee_usd)),
            *(_halves(graph, "fee of sharing", PLATFORM, usd) for usd in _charged(sharing_fee_usd)),
        )
        return Settlement(self.accounts, (*self.postings, *charges))

    def balance_cents(self) -> dict[str, int]:
        """What everybody receives less what it pays, in cents."""
        balance = np.zeros(len(self.accounts), dtype=np.int64)
        for posted in self.postings:
            np.add.at(balance, posted.payee, posted.cents)
            np.subtract.at(balance, posted.payer, posted.cents)
        return dict(zip(self.accounts, balance.tolist(), strict=True))

    def columns(self) -> Columns:
        """The bills as a table: account, item, counterparty, amount_usd (> 0: the account receives).

        Each payment has two rows, first that of its payer.
        """
        payer = np.concatenate([posted.payer for posted in self.postings])
        payee = np.concatenate([posted.payee for posted in self.postings])
        cents = np.concatenate([posted.cents for posted in self.postings])
        items = [item for posted in self.postings for item in posted.items]
        return {
            "account": Names(self.accounts, np.column_stack([payer, payee]).ravel()),
            "item": Names(items, np.repeat(np.arange(len(items)), 2)),
            "counterparty": Names(self.accounts, np.column_stack([payee, payer]).ravel()),
            "amount_usd": np.column_stack([-cents, cents]).ravel() / 100,
        }

    def frame(self) -> "pd.DataFrame":
        """The bills for pandas."""
        return frame(self.columns())


def _account(graph: TradeGraph, name: str) -> int:
    """The index of somebody who is no prosumer."""
    return len(graph.names) + _OTHERS.index(name)


def _postings(graph: TradeGraph, payer: str, payee: str, usd: dict[str, float]) -> Postings:
    """What one of those who are no prosumers pays another, by item."""
    count = len(usd)
    paying, paid = (np.full(count, _account(graph, name)) for name in (payer, payee))
    return Postings(paying, paid, list(usd), _cents(np.array(list(usd.values()), dtype=float)))


def _bid_postings(graph: TradeGraph, item: str, usd: FloatArray) -> Postings:
    """What each prosumer pays to the DSO, (prosumer,)."""
    people = len(graph.names)
    return Postings(np.arange(people), np.full(people, _account(graph, OPERATOR)), [item] * people, _cents(usd))


def _sharing_postings(graph: TradeGraph, usd: FloatArray) -> Postings:
    """What the end a of each link pays to its end b, (link,), through the platform."""
    a, b = graph.owner[graph.forward], graph.owner[graph.backward]
    platform = np.full_like(a, _account(graph, PLATFORM))
    payer, payee = np.column_stack([a, platform]).ravel(), np.column_stack([platform, b]).ravel()
    return Postings(payer, payee, _for_each_end(graph, "sharing"), np.repeat(_cents(usd), 2))


def _halves(graph: TradeGraph, item: str, payee: str, usd: FloatArray) -> Postings:
    """What both ends of each link pay by halves, (link,)."""
    ends = np.column_stack([graph.owner[graph.forward], graph.owner[graph.backward]]).ravel()
    to = np.full_like(ends, _account(graph, payee))
    return Postings(ends, to, _for_each_end(graph, item), np.repeat(_cents(usd / 2), 2))


def _for_each_end(graph: TradeGraph, item: str) -> list[str]:
    """An item for each link, twice."""
    return [each for link in graph.links for each in (f"{item} {link.name}",) * 2]


def _charged(usd: FloatArray) -> Iterator[FloatArray]:
    """The fees, or nothing where nobody is charged any."""
    if usd.any():
        yield usd


def _cents(usd: FloatArray) -> IntArray:
    return np.asarray(np.rint(100 * usd).astype(np.int64))
