"""How a market begins where another one stands, of which it is a variation."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

import numpy as np

from ..agents.bid_exchange import BidExchange
from ..agents.platform import PlatformState
from ..agents.price_curve import PriceCurve
from .hosting.checkpoint import without
from .lifecycle import Lifecycle
from .state import MarketState


def is_variation(market: Lifecycle, other: Lifecycle) -> bool:
    """Whether bids, trades and prices of one market mean the same in the other.

    They do if the same prosumers may trade with the same partners in the same periods, and if the network carries the
    same of them.
    """
    one, two = (
        (
            each.graph.names,
            [(link.a, link.b) for link in each.graph.links],
            each.blueprint.clearing.periods,
            each.blueprint.clearing.dt_h,
            (each.blueprint.settings.case, each.blueprint.settings.network_use, each.blueprint.settings.subproblem),
        )
        for each in (market, other)
    )
    return one == two


def warm_start(market: Lifecycle, state: MarketState, *, anew: Collection[str] = (), penalties: bool = True) -> None:
    """Let a market that has just been opened begin with the bids, trades, prices and plans of another one.

    The DSO clears for these bids first. Nothing that was proven counts, and outer steps are counted anew, so that what
    the market settles on is proven of this market alone.

    Args:
        market: One in which nothing has happened yet.
        state: What another market remembers, of which this one is a variation.
        anew: Prosumers that begin with nothing planned, and whose behaviours remember nothing.
        penalties: Whether penalties are taken over as well.
    """
    fresh = market.snapshot()
    kept, channel = state.communities, fresh.channel
    if kept is not None and anew:
        kept = replace(kept, saved=without(kept.saved, anew))
    if channel is not None and state.channel is not None:
        channel = replace(channel, rounds=state.channel.rounds)
    market.restore(
        replace(
            fresh,
            rounds=state.rounds,
            bid_kw=state.bid_kw,
            last=state.last,
            platform=_taken_over(fresh.platform, state.platform, penalties=penalties),
            channel=channel,
            communities=kept,
            chance=state.chance,
            collected=state.collected,
        )
    )


def _taken_over(fresh: PlatformState, state: PlatformState, *, penalties: bool) -> PlatformState:
    """The ledgers with powers, prices and bids as they were, at flat LMPs."""
    pairs = state.pairs if penalties else replace(state.pairs, penalty=fresh.pairs.penalty)
    bids = BidExchange.empty(PriceCurve.flat(np.array(state.bids.lmp_usd_per_kwh)))
    return replace(fresh, pairs=pairs, bids=replace(bids, bid_kw=state.bids.bid_kw), volume_kw=state.volume_kw)
