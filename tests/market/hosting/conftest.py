"""Runs that can be compared to the last bit, wherever the prosumers live."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from dataclasses import fields
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from towns import town

from gridbazaar.market import EnergyMarket, Hosting, MarketSettings, Round


@pytest.fixture(scope="session")
def data(ieee33_bazaar) -> Callable[[str], dict[str, Any]]:
    """What `EnergyMarket` takes: the paper's case, a village of 30 or a town of 300 prosumers."""

    def of(name: str) -> dict[str, Any]:
        if name == "ieee33":
            bazaar = ieee33_bazaar()
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
        diary: Any = None,
        **settings: Any,
    ) -> SimpleNamespace:
        chosen = MarketSettings(**settings)
        hosting = Hosting(place, together or {}, diary)
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
    """Whether two runs are the same to the last bit: all that every round produced, the schedule and its proof."""
    timed = {"seconds", "incidents"}
    found = ("trade_kw", "bid_kw", "elastic_kw", "curtailed_kw", "regret_usd", "lmp_usd_per_kwh", "prosumer_cost_usd")

    def cells(run: SimpleNamespace) -> list[Any]:
        told = [getattr(r, f.name) for r in run.rounds for f in fields(Round) if f.name not in timed]
        return [*told, *(getattr(run.result, name) for name in found), run.result.message]

    def compare(one: SimpleNamespace, other: SimpleNamespace) -> bool:
        left, right = cells(one), cells(other)
        return len(left) == len(right) and all(_equal(a, b) for a, b in zip(left, right, strict=True))

    return compare


def _equal(a: Any, b: Any) -> bool:
    if isinstance(a, np.ndarray | float):
        return np.array_equal(a, b, equal_nan=True)
    return bool(a == b)


@pytest.fixture
def kill() -> Callable[[Any], None]:
    """Kill the process that serves a community, as the system does when memory runs out."""

    def of(home: Any) -> None:
        process = home._carrier.process
        os.kill(process.pid, signal.SIGKILL)
        process.join()

    return of
