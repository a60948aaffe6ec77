"""A town whose answers are compiled: on workers as here, with some who answer alone, and with lost messages."""

from pathlib import Path

import numpy as np
import pytest
from towns import town

from gridbazaar.agents import PriceTaker
from gridbazaar.market import EnergyMarket, Hosting, MarketSettings, MessageFaults, NetworkUse, Workers

SETTINGS = MarketSettings(regret_tolerance=1e-4)


class Alike(PriceTaker):
    """A behaviour of its own that changes nothing."""


@pytest.fixture(scope="module")
def data():
    return town(300)


def settled(data, **how):
    with EnergyMarket(**data, rng=1, settings=SETTINGS, **how) as market:
        result = market.run()
    assert result.settled, result.message
    assert result.certificate.relative <= SETTINGS.regret_tolerance
    return result


@pytest.fixture(scope="module")
def here(data):
    return settled(data)


WAYS = {
    "two workers": lambda _: {"hosting": Hosting(Workers(2))},
    "some alone": lambda names: {"behaviours": {name: Alike() for name in names[::100]}},
}


@pytest.mark.parametrize("way", WAYS)
def test_the_same_bits(data, here, way):
    result = settled(data, **WAYS[way]([home.name for home in data["households"]]))
    for name in ("bid_kw", "trade_kw", "elastic_kw", "price_usd_per_kwh", "lmp_usd_per_kwh", "regret_usd"):
        assert np.array_equal(getattr(result, name), getattr(here, name)), name
    assert result.sharing_rounds == here.sharing_rounds


def test_lost_messages_cost_rounds_and_nothing_else(data, here):
    result = settled(data, messages=MessageFaults(loss=0.2))
    assert sum(result.sharing_rounds) > sum(here.sharing_rounds)
    assert result.dso_cost_usd == pytest.approx(here.dso_cost_usd, rel=2e-4)


def test_long_frames_go_through_shared_memory_and_leave_nothing(data):
    with EnergyMarket(**data, rng=1, settings=SETTINGS, hosting=Hosting(Workers(2))) as market:
        market.step()
        market.step()
        pipes = [proxy._transport._pipe for proxy in market.communities.proxies]
        assert all(pipe._own and pipe._theirs for pipe in pipes)  # quotes and offers
        folders = [Path(proxy._transport._folder) for proxy in market.communities.proxies]
        assert [list(folder.iterdir()) for folder in folders] == [[], []]  # what both have has no name
    assert not any(folder.exists() for folder in folders)


def test_homes_that_trade_with_the_next_alone_do_not_wait_for_penalties_that_fell_while_they_agreed():
    """Links that carry all they can: 57 rounds where penalties fall as long as anything moves."""
    settings = MarketSettings(regret_tolerance=1e-4, network_use=NetworkUse.BIDS)
    result = EnergyMarket(**town(2000, chain=True), rng=1, settings=settings).run()
    assert result.settled, result.message
    assert result.certificate.relative <= settings.regret_tolerance
    assert sum(result.sharing_rounds) <= 45
