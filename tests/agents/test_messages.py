"""What may cross between agents, field by field: a new field in a message is a new disclosure."""

from dataclasses import fields, is_dataclass

import numpy as np
import pytest

from gridbazaar.agents import Deliveries, Link, Quotes, TradeGraph, messages

BIDDING = ["lmp_usd_per_kwh", "held_bid_kw", "bid_weight_usd_per_kw2h"]
QUOTED = [*BIDDING, "price_usd_per_kwh", "own_kw", "partner_kw"]
WEIGHTS = ["penalty_usd_per_kw2h", "proximal_usd_per_kw2h"]
DELIVERED = ["lmp_usd_per_kwh", "price_usd_per_kwh", "trade_kw", "held_bid_kw", "bid_weight_usd_per_kw2h"]
ASKED = ["price_usd_per_kwh", "weight_usd_per_kw2h", "bid_kw"]
ALLOWED = {
    "Quote": [*QUOTED, *WEIGHTS],
    "Quotes": ["members", *QUOTED, "penalty_usd_per_kw2h", "proximal"],
    "Offer": ["power_kw", "price_usd_per_kwh"],
    "Offers": ["members", "power_kw", "price_usd_per_kwh", "bid_kw"],
    "Delivery": DELIVERED,
    "Deliveries": DELIVERED,
    "Bid": ["power_kw"],
    "Bids": ["power_kw"],
    "Commitment": ["step"],
    "Pledges": ["bid_kw", "regret_usd", "excess_kw"],
    "Regret": ["usd"],
    "Regrets": ["usd"],
    "Asks": ["periods", *ASKED],
    "Sale": ["lmp_usd_per_kwh", "concave_usd_per_kw2h"],
}


def test_messages_have_the_allowed_fields_and_no_others():
    found = {
        name: [field.name for field in fields(kind)]
        for name, kind in vars(messages).items()
        if is_dataclass(kind) and kind.__module__ == messages.__name__
    }
    assert found == ALLOWED


@pytest.mark.parametrize("kind", [Quotes, Deliveries])
def test_everybody_is_shown_its_own_rows(kind):
    graph = TradeGraph(["a", "b", "c"], [Link("a", "b", 1.0), Link("a", "c", 1.0)])
    named = [name for name in BIDDING if name in ALLOWED[kind.__name__]]
    rows = {name: 100.0 * n + np.arange(3.0)[:, None] for n, name in enumerate(named)}
    by_arc = [name for name in ALLOWED[kind.__name__] if name not in {*rows, "members", "proximal"}]
    arcs = {name: 10.0 * n + np.arange(4.0)[:, None] for n, name in enumerate(by_arc)}
    told = kind(**(rows | arcs | ({"members": (0, 1, 2), "proximal": 0.5} if kind is Quotes else {})))
    for i in range(3):
        view = told.of(i, graph)
        for name in rows:
            assert getattr(view, name) == getattr(told, name)[i]
        for name in by_arc:
            assert np.array_equal(getattr(view, name), getattr(told, name)[graph.owner == i])
        if kind is Quotes:
            assert np.array_equal(view.proximal_usd_per_kw2h, 0.5 * view.penalty_usd_per_kw2h)
