"""How partners find each other while they share: the price of each pair moves by what the pair disagrees about (21)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ..network.arrays import BoolArray, FloatArray, IntArray
from .messages import Offers
from .penalty import AdaptivePenalty
from .rows import are_many, run_rows
from .trade_graph import TradeGraph
from .update_gate import UpdateGate


@dataclass(frozen=True, slots=True, eq=False)
class PairExchange:
    """The ledger of powers and prices between partners; a value, never changed in place.

    Attributes:
        power_kw: Sharing power p_ij as last published, (arc, period).
        asked_usd_per_kwh: The prices that were published with it, (arc, period).
        quoted_kw: The powers as they are quoted: after the pair's last change, over-relaxed in the order
            `proximal_jacobi`, (arc, period).
        price_usd_per_kwh: Sharing price pi, one per pair, (link, period).
        trade_kw: The reciprocal trades (p_ij - p_ji) / 2, what a link's end a buys from its end b, (link, period).
        quoted_trade_kw: The same of the powers as quoted, (link, period).
        mismatch_kw: p_ij + p_ji after the last round, (link, period).
        moved_usd_per_kwh: rho |z^{k+1} - z^k| of the last round, z as quoted, (link, period).
        penalty: rho of (20) and (21), (link, period).
        gate: Which pairs may change.
    """

    power_kw: FloatArray
    asked_usd_per_kwh: FloatArray
    quoted_kw: FloatArray
    price_usd_per_kwh: FloatArray
    trade_kw: FloatArray
    quoted_trade_kw: FloatArray
    mismatch_kw: FloatArray
    moved_usd_per_kwh: FloatArray
    penalty: AdaptivePenalty
    gate: UpdateGate

    @classmethod
    def empty(cls, links: int, periods: int, penalty_usd_per_kw2h: float) -> PairExchange:
        """An empty ledger."""
        arcs, pairs = np.zeros((2 * links, periods)), np.zeros((links, periods))
        unknown = np.full(pairs.shape, np.inf)
        penalty = AdaptivePenalty.starting(np.full(pairs.shape, penalty_usd_per_kw2h))
        return cls(arcs, arcs, arcs, pairs, pairs, pairs, unknown, unknown, penalty, UpdateGate.closed(links))

    def reopened(self) -> PairExchange:
        """The ledger when the DSO announces anew: prices and powers stay, penalties may move as at first."""
        penalty = AdaptivePenalty.starting(self.penalty.value)
        return replace(self, penalty=penalty, gate=UpdateGate.closed(len(self.trade_kw)))

    def received(self, offers: Offers, arcs: BoolArray, *, quote_at_once: bool) -> PairExchange:
        """The ledger with the offers on these arcs, (arc,), written down."""
        if arcs.all():
            quoted = offers.power_kw if quote_at_once else self.quoted_kw
            asked = offers.price_usd_per_kwh
            return replace(self, power_kw=offers.power_kw, asked_usd_per_kwh=asked, quoted_kw=quoted)
        told = arcs[:, None]
        quoted = np.where(told, offers.power_kw, self.quoted_kw) if quote_at_once else self.quoted_kw
        return replace(
            self,
            power_kw=np.where(told, offers.power_kw, self.power_kw),
            asked_usd_per_kwh=np.where(told, offers.price_usd_per_kwh, self.asked_usd_per_kwh),
            quoted_kw=quoted,
        )

    def quoted_to_ends(self, graph: TradeGraph) -> tuple[FloatArray, FloatArray, FloatArray]:
        """What each end of a link is told: the price, the partner's power and the penalty, (arc, period) each."""
        sources = self.price_usd_per_kwh, self.quoted_kw, self.penalty.value
        if not are_many(self.quoted_kw):
            price, partner, penalty = sources
            return price[graph.link], partner[graph.reverse], penalty[graph.link]
        told = price, partner, penalty = tuple(np.empty_like(self.quoted_kw) for _ in sources)
        inputs = (graph.link, graph.reverse), sources
        run_rows(quote_rows, np.arange(len(partner)), inputs, told, cells=partner.size // 20)
        return price, partner, penalty

    def planned(self, graph: TradeGraph, trade_kw: FloatArray, price_usd_per_kwh: FloatArray) -> PairExchange:
        """The ledger as a central solver's trades and prices, (link, period), make it: both ends offer just these."""
        power = np.empty_like(self.power_kw)
        power[graph.forward], power[graph.backward] = trade_kw, -trade_kw
        asked = price_usd_per_kwh[graph.link]
        return replace(self, power_kw=power, quoted_kw=power, asked_usd_per_kwh=asked, quoted_trade_kw=trade_kw)

    def updated(self, graph: TradeGraph, answered: IntArray, now: int, relaxation: float) -> PairExchange:
        """Algorithm 1, line 6: the price update (21), started from the mean of the two ends' prices.

        Args:
            graph: Who may trade with whom.
            answered: In which round each prosumer was quoted what it answered last, (prosumer,).
            now: The round that is about to end.
            relaxation: Over-relaxation of the powers, 1 for none.
        """
        a, b = graph.forward, graph.backward
        fresh, gate = self.gate.take(np.minimum(*(answered[graph.owner[end]] for end in (a, b))), now)
        if are_many(self.trade_kw):
            return replace(self._updated_in_one_pass(graph, fresh, relaxation - 1), gate=gate)
        at_a, at_b = self.power_kw[a], self.power_kw[b]
        asked = self.asked_usd_per_kwh[a], self.asked_usd_per_kwh[b]
        found = changed(at_a, at_b, *asked, self.quoted_trade_kw, self.penalty.value, relaxation - 1)
        before = self.quoted_kw[a], self.quoted_kw[b], self.quoted_trade_kw, self.moved_usd_per_kwh
        new, old = fresh[:, None], (*before, self.price_usd_per_kwh)
        quoted_a, quoted_b, quoted_trade, moved, price = (np.where(new, *both) for both in zip(found, old, strict=True))
        quoted = np.empty_like(self.quoted_kw)
        quoted[a], quoted[b] = quoted_a, quoted_b
        return replace(
            self,
            mismatch_kw=np.where(new, at_a + at_b, self.mismatch_kw),
            trade_kw=np.where(new, (at_a - at_b) / 2, self.trade_kw),
            quoted_kw=quoted,
            quoted_trade_kw=quoted_trade,
            moved_usd_per_kwh=moved,
            price_usd_per_kwh=price,
            gate=gate,
        )

    def _updated_in_one_pass(self, graph: TradeGraph, fresh: BoolArray, extra: float) -> PairExchange:
        quoted, links = np.empty_like(self.quoted_kw), np.arange(len(self.trade_kw))
        quoted_trade, moved, price, mismatch, trade = (np.empty_like(self.trade_kw) for _ in range(5))
        ends, told = (graph.forward, graph.backward, fresh), (self.power_kw, self.asked_usd_per_kwh, self.quoted_kw)
        before = (
            self.quoted_trade_kw,
            self.moved_usd_per_kwh,
            self.price_usd_per_kwh,
            self.mismatch_kw,
            self.trade_kw,
            self.penalty.value,
        )
        found = quoted, quoted_trade, moved, price, mismatch, trade
        run_rows(update_rows, links, (ends, told, before, float(extra)), found, cells=trade.size // 10)
        return replace(
            self,
            quoted_kw=quoted,
            quoted_trade_kw=quoted_trade,
            moved_usd_per_kwh=moved,
            price_usd_per_kwh=price,
            mismatch_kw=mismatch,
            trade_kw=trade,
        )

    def relieved(self, graph: TradeGraph, excess_kw: FloatArray) -> FloatArray:
        """The trades, (link, period), without what an end has too much or too little of, (prosumer, period).

        Each end spreads it over its links in proportion to their room below the cap; none where the other end has the
        same trouble.
        """
        cap, ends = graph.cap_kw[:, None], (graph.owner[graph.forward], graph.owner[graph.backward])
        excess = [excess_kw[end] for end in ends]
        opposed = excess[0] * excess[1] <= 0
        room = []
        for mine, way in zip(excess, (1.0, -1.0), strict=True):
            less, more = cap + way * self.trade_kw, cap - way * self.trade_kw
            room.append(np.where(opposed, np.where(mine > 0, less, np.where(mine < 0, more, 0.0)), 0.0))
        at = np.empty_like(self.power_kw)
        at[graph.forward], at[graph.backward] = room
        total = graph.by_owner(at)
        part = np.divide(excess_kw, total, out=np.zeros_like(total), where=total > 0)
        moved = [np.clip(part[end], -1.0, 1.0) * free for end, free in zip(ends, room, strict=True)]
        return np.asarray(np.clip(self.trade_kw - moved[0] + moved[1], -cap, cap))

    def following(self, graph: TradeGraph, change_usd_per_kwh: FloatArray, which: BoolArray) -> PairExchange:
        """The prices of these pairs, (link,), follow the mean change of the LMPs, (prosumer, period), at their ends."""
        change = which[:, None] * mean_of_ends(graph, change_usd_per_kwh)
        return replace(self, price_usd_per_kwh=self.price_usd_per_kwh + change)


def changed(
    at_a: Any, at_b: Any, asked_a: Any, asked_b: Any, trade: Any, rho: Any, extra: float
) -> tuple[Any, Any, Any, Any, Any]:
    """What changes of a pair in a round, from what its ends answered: numbers, or arrays of them.

    Args:
        at_a, at_b: Their powers, in kW.
        asked_a, asked_b: Their prices.
        trade: Their trade as quoted.
        rho: Their penalty.
        extra: By how much powers are over-relaxed.

    Returns:
        Powers of both, trade, how much it moved in $/kWh, and price, as they are quoted next.
    """
    quoted_a, quoted_b = at_a + extra * (at_a - trade), at_b + extra * (at_b + trade)
    quoted = (quoted_a - quoted_b) / 2
    price = (asked_a + asked_b) / 2 + rho * (quoted_a + quoted_b)
    return quoted_a, quoted_b, quoted, rho * abs(quoted - trade), price


def update_rows(
    asked: Any,
    ends: tuple[Any, Any, Any],
    told: tuple[Any, Any, Any],
    before: tuple[Any, Any, Any, Any, Any, Any],
    extra: float,
    results: tuple[Any, Any, Any, Any, Any, Any],
    _: Any,
) -> None:
    """As `PairExchange.updated`, for the links asked."""
    forward, backward, fresh = ends
    power, price, quoted = told
    old_trade, old_moved, old_price, old_mismatch, old_agreed, rho = before
    next_quoted, next_trade, next_moved, next_price, mismatch, agreed = results
    for k in asked:
        a, b = forward[k], backward[k]
        for t in range(len(rho[k])):
            if fresh[k]:
                at_a, at_b = power[a][t], power[b][t]
                quoted_a, quoted_b, trade, moved, quote = changed(
                    at_a, at_b, price[a][t], price[b][t], old_trade[k][t], rho[k][t], extra
                )
                next_quoted[a, t], next_quoted[b, t], next_trade[k, t] = quoted_a, quoted_b, trade
                next_moved[k, t], next_price[k, t] = moved, quote
                mismatch[k, t], agreed[k, t] = at_a + at_b, (at_a - at_b) / 2
            else:
                next_quoted[a, t], next_quoted[b, t], next_trade[k, t] = quoted[a][t], quoted[b][t], old_trade[k][t]
                next_moved[k, t], next_price[k, t] = old_moved[k][t], old_price[k][t]
                mismatch[k, t], agreed[k, t] = old_mismatch[k][t], old_agreed[k][t]


def quote_rows(
    asked: Any, at: tuple[Any, Any], sources: tuple[Any, Any, Any], results: tuple[Any, Any, Any], _: Any
) -> None:
    """As `PairExchange.quoted_to_ends`, for the arcs asked."""
    link, reverse = at
    price, power, rho = sources
    for k in asked:
        for t in range(len(power[k])):
            results[0][k, t], results[1][k, t] = price[link[k]][t], power[reverse[k]][t]
            results[2][k, t] = rho[link[k]][t]


def mean_of_ends(graph: TradeGraph, values: FloatArray) -> FloatArray:
    """Means over the two ends of each link, (link, period), of (prosumer, period)."""
    return np.asarray((values[graph.owner[graph.forward]] + values[graph.owner[graph.backward]]) / 2)
