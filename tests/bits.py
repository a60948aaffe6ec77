"""Runs that are compared to the last bit, and a behaviour whose memory decides over them."""

from dataclasses import fields, replace
from types import SimpleNamespace
from typing import Any

import numpy as np

from gridbazaar.agents import Behaviour, Offer
from gridbazaar.market import Round

_TIMED = {"seconds", "incidents"}
_FOUND = ("trade_kw", "bid_kw", "elastic_kw", "curtailed_kw", "regret_usd", "lmp_usd_per_kwh", "prosumer_cost_usd")


def charging(bazaar: Any) -> Any:
    """The market with feed-in, fees on bids and feed-in, and a fee on one of its links."""
    first, *others = bazaar.links
    return bazaar.homes(feed_in_max_kw=150.0, grid_fee_usd_per_kwh=0.03, feed_in_fee_usd_per_kwh=0.01).with_(
        links=[replace(first, fee_usd_per_kwh=0.02), *others]
    )


class Moody(Behaviour):
    """Remembers what it has seen, and draws from its own randomness: all of it must survive its process."""

    def __init__(self) -> None:
        self.seen: list[float] = []
        self.last = {"price": np.zeros(2), "tuple": (1, "two", None)}

    def offer(self, quote, plan):
        self.seen.append(float(quote.price_usd_per_kwh.mean()))
        self.last["price"] = quote.price_usd_per_kwh
        assert self.last["tuple"] == (1, "two", None)
        nudge = 1e-3 * self.rng.random() / len(self.seen) * np.sign(self.last["price"])
        return Offer(plan.trade_kw, quote.price_usd_per_kwh + nudge)


def equal_runs(one: SimpleNamespace, other: SimpleNamespace) -> bool:
    """Whether two runs are the same to the last bit: all that every round produced, the schedule and its proof."""
    left, right = _cells(one), _cells(other)
    return len(left) == len(right) and all(_equal(a, b) for a, b in zip(left, right, strict=True))


def _cells(run: SimpleNamespace) -> list[Any]:
    told = [getattr(r, f.name) for r in run.rounds for f in fields(Round) if f.name not in _TIMED]
    return [*told, *(getattr(run.result, name) for name in _FOUND), run.result.message]


def _equal(a: Any, b: Any) -> bool:
    if isinstance(a, np.ndarray | float):
        return np.array_equal(a, b, equal_nan=True)
    return bool(a == b)
