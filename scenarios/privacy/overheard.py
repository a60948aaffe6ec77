"""What was said while a market was settled, number by number: as the platform hears it, who hears most.

A table with one row for each number that a prosumer told, beside the terms that it was told before:

- answer: a running number of the offers that arrived; prosumer: who answered; partner: with whom it may trade, or
  `DSO` for its order to the DSO; period: from 1.
- price_usd_per_kwh, held_kw, weight_usd_per_kw2h: the terms: `price p + weight (p - held)²/2` for a power p, which is
  (20) with its penalty and its proximal term as one square, and the cost of an order to the DSO.
- cap_kw, fee_usd_per_kwh: the cap of the link (15), and the prosumer's own half of its fee; nan for the DSO, as
  nobody is told (17).
- power_kw: what the prosumer answered.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from ...agents.messages import Offers, Quotes
from ...agents.trade_graph import TradeGraph
from ...market.columns import Columns, Names, each_period, frame
from ...market.energy_market import EnergyMarket
from ...market.hosting.message_log import OPERATOR
from ...market.hosting.tapped_channel import TappedChannel
from ...network.arrays import FloatArray, IntArray

NUMBERS = ("price_usd_per_kwh", "held_kw", "weight_usd_per_kw2h", "cap_kw", "fee_usd_per_kwh", "power_kw")


class Overheard:
    """Listens to a market from now on.

    Links without a cap (Case 1) carry nothing, and what is said on them is left out.
    """

    def __init__(self, market: EnergyMarket) -> None:
        """Begin to listen."""
        self._graph = market.graph
        self._parts: list[pd.DataFrame] = []
        assert not isinstance(market.channel, TappedChannel), "somebody listens already"
        market.channel = TappedChannel(market.channel, self._hear)

    def table(self) -> pd.DataFrame:
        """What was said so far: see the module; by answer, prosumer, line and period."""
        if not self._parts:
            return pd.DataFrame(columns=["answer", "prosumer", "partner", "period", *NUMBERS])
        heard = pd.concat(self._parts, ignore_index=True)
        return heard.sort_values(["answer", "prosumer"], kind="stable", ignore_index=True)

    def _hear(self, told: Quotes, offers: Offers) -> None:
        graph, number = self._graph, len(self._parts) + 1
        members = np.asarray(offers.members, dtype=np.intp)
        arcs = np.flatnonzero(np.isin(graph.owner, members) & (graph.cap_kw[graph.link] > 0))
        lines = [_links(graph, told, offers, arcs), _orders(graph, told, offers, members)]
        self._parts.append(pd.concat([frame(line) for line in lines], ignore_index=True).assign(answer=number))


def _links(graph: TradeGraph, told: Quotes, offers: Offers, arcs: IntArray) -> Columns:
    """What was said on links: the square of (20) as `knapsack.share_rows` has it."""
    rho = told.penalty_usd_per_kw2h[arcs]
    weight = (1 + told.proximal) * rho
    held = rho * (told.proximal * told.own_kw[arcs] - told.partner_kw[arcs]) / weight
    links = graph.link[arcs]
    numbers = (
        told.price_usd_per_kwh[arcs],
        held,
        weight,
        np.broadcast_to(graph.cap_kw[links][:, None], rho.shape),
        np.broadcast_to(graph.fee_usd_per_kwh[links][:, None] / 2, rho.shape),
        offers.power_kw[arcs],
    )
    return _columns(graph, graph.owner[arcs], [graph.names[j] for j in graph.partner[arcs]], numbers)


def _orders(graph: TradeGraph, told: Quotes, offers: Offers, members: IntArray) -> Columns:
    """What was said of orders to the DSO."""
    lmp = told.lmp_usd_per_kwh[members]
    unknown = np.full_like(lmp, np.nan)
    terms = lmp, told.held_bid_kw[members], told.bid_weight_usd_per_kw2h[members]
    return _columns(graph, members, [OPERATOR] * len(members), (*terms, unknown, unknown, offers.bid_kw[members]))


def _columns(graph: TradeGraph, owners: IntArray, partners: list[str], numbers: tuple[FloatArray, ...]) -> Columns:
    """Columns of some lines, (line,), with numbers by line and period, (line, period) each."""
    periods = numbers[0].shape[1]
    return {
        "prosumer": Names(graph.names, np.repeat(owners, periods)),
        "partner": each_period(partners, periods),
        "period": np.tile(np.arange(1, periods + 1), len(owners)),
        **{name: np.ravel(values) for name, values in zip(NUMBERS, numbers, strict=True)},
    }
