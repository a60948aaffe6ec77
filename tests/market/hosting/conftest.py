"""Runs that can be compared to the last bit, wherever the prosumers live."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from bits import charging, equal_runs
from towns import town

from gridbazaar.market import EnergyMarket, Hosting, MarketSettings, Round


@pytest.fixture(scope="session")
def data(ieee33_bazaar) -> Callable[[str], dict[str, Any]]:
    """What `EnergyMarket` takes: the paper's case, plain or with feed-in and fees, a village of 30, a town of 300."""

    def of(name: str) -> dict[str, Any]:
        if name in ("ieee33", "charging"):
            bazaar = ieee33_bazaar() if name == "ieee33" else charging(ieee33_bazaar())
            return {"clearing": bazaar.clearing(), "households": bazaar.households, "links": bazaar.links}
        return town({"village": 30, "town": 300}[name])

    return of


@pytest.fixture(scope="session")
def run_at(data) -> Callable[..., SimpleNamespace]:
    """A whole run somewhere: its rounds, its result, and the market, which is closed."""

    def run(
        name: str,
        place: Any = None,
        *,
        before: Callable[[EnergyMarket], None] | None = None,
        behaviours: Any = None,
        together: Any = None,
        **settings: Any,
    ) -> SimpleNamespace:
        chosen = MarketSettings(**{"network_use": "bids"} | settings)
        hosting = Hosting(place, together or {})
        rounds: list[Round] = []
        with EnergyMarket(**data(name), settings=chosen, behaviours=behaviours, rng=5, hosting=hosting) as market:
            while market.running:
                if before:
                    before(market)
                market.step()
                assert market.last is not None
                rounds.append(market.last)
            return SimpleNamespace(rounds=rounds, result=market.result(), market=market)

    return run


@pytest.fixture(scope="session")
def same() -> Callable[[SimpleNamespace, SimpleNamespace], bool]:
    """Whether two runs are the same to the last bit."""
    return equal_runs
