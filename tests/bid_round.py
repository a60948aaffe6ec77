"""A round of the bids alone, with whom one likes in the place of the platform and the DSO."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from gridbazaar.agents.bid_exchange import BidExchange
from gridbazaar.agents.messages import Asks, Sale
from gridbazaar.agents.update_gate import NEVER


def after_round(
    exchange: BidExchange,
    bid_kw: np.ndarray,
    relaxation: float = 1.0,
    *,
    fresh: np.ndarray | None = None,
    sell: Callable[[Asks], Sale] | None = None,
) -> BidExchange:
    """The ledger after a round that ends with these bids, (prosumer, period).

    Args:
        exchange: The ledger before.
        bid_kw: The bids.
        relaxation: Over-relaxation of them.
        fresh: Who has answered what it was quoted, (prosumer,); everybody by default.
        sell: How the DSO answers; None where it must not be asked.
    """
    now = int(exchange.gate.quoted_from.max())
    answered = np.full(len(bid_kw), now) if fresh is None else np.where(fresh, now, NEVER)
    closed = replace(exchange, bid_kw=bid_kw).closed(answered, now, relaxation)
    asks = closed.asks
    if sell is None:
        assert asks is None, "there is a curve to follow"
        return closed.answered(None, now)
    assert asks is not None, "the DSO is not asked"
    return closed.answered(sell(asks).lmp_usd_per_kwh, now)
