"""The ledger: every message with its ends, its fields and its size, wherever prosumers live."""

from __future__ import annotations

from collections import Counter

import pytest

from gridbazaar.agents import Offer, Quote, SharingPlatform
from gridbazaar.market import EnergyMarket, Hosting, MarketSettings, MessageFaults, Workers
from gridbazaar.market.hosting.message_log import Entries


@pytest.fixture
def kept(ieee33_bazaar):
    def run(place=None, messages=None, **settings):
        bazaar, entries = ieee33_bazaar(), []
        with EnergyMarket(
            bazaar.clearing(),
            bazaar.households,
            bazaar.links,
            settings=MarketSettings(**settings),
            rng=1,
            hosting=Hosting(place, log=entries.append),
            messages=messages,
        ) as market:
            return entries, market.run(), market

    return run


def test_every_message_is_written_down(kept):
    entries, result, market = kept()
    count = Counter()
    for one in entries:
        for ends in zip(one.senders, one.receivers, strict=True):
            count[one.message, *ends] += 1
    rounds = sum(result.sharing_rounds)
    phases = market.datacollector.get_model_vars_dataframe().phase
    deliveries, clearings = int((phases == "delivery").sum()), result.clearings
    for name in result.names:
        assert count["Quote", "platform", name] == count["Offer", name, "platform"] == rounds
        assert count["Bid while sharing", name, "platform"] == rounds
        assert count["Delivery", "platform", name] == deliveries + (clearings - 1) + 1  # certified; looked at once
        assert count["Regret", name, "certificate"] == deliveries + (clearings - 1)
        assert count["Pledge", name, "DSO"] == deliveries
        assert count["Bid", name, "DSO"] == count["Commitment", "DSO", name] == clearings - 1
        assert count["Schedules", name, "screen"] == count["Needs", name, "screen"] == 1
    assert count["Price curve", "DSO", "platform"] == clearings


def test_sizes_are_those_of_the_arrays_of_each_prosumer(kept):
    entries, _, market = kept(max_iterations=2)
    sizes = {(one.message, name): int(size) for one in entries for name, size in _by_prosumer(one, market.graph.names)}
    links = {name: market.graph.arcs(i).stop - market.graph.arcs(i).start for i, name in enumerate(market.graph.names)}
    for name, count in links.items():
        assert sizes["Quote", name] == 8 * 24 * (3 + 4 * count) + 8
        assert sizes["Offer", name] == 8 * 24 * 2 * count
        assert sizes["Regret", name] == sizes["Commitment", name] == 8


def _by_prosumer(one: Entries, names):
    ends = one.senders if one.senders[0] in names else one.receivers
    return [(name, size) for name, size in zip(ends, one.sizes, strict=True) if name in names]


def test_fields_are_those_of_the_messages(kept):
    entries, _, _ = kept(max_iterations=2)
    fields = {one.message: one.fields for one in entries}
    assert set(fields["Quote"]) == {*Quote.__slots__} - {"proximal_usd_per_kw2h"} | {"proximal"}
    assert set(fields["Offer"]) == set(Offer.__slots__)
    assert fields["Bid while sharing"] == ("bid_kw",)


def test_rounds_are_numbered_as_in_the_results(kept):
    entries, _, market = kept()
    assert next(one.round for one in entries if one.message == "Price curve") == 1
    assert max(one.round for one in entries) == market.rounds
    assert sorted(one.round for one in entries) == [one.round for one in entries]


def test_workers_are_told_the_same(kept):
    def plain(entries):
        return [(e.round, e.message, e.fields, e.senders, e.receivers, e.sizes.tolist()) for e in entries]

    assert plain(kept()[0]) == plain(kept(Workers(2))[0])


def test_a_sale_of_the_dso_is_a_message_too(kept):
    entries, result, _ = kept(method="admm")
    sales = [one for one in entries if one.message == "Sale"]
    assert len(sales) == result.elastic_clearings > 0
    assert {(one.senders, one.receivers) for one in sales} == {(("DSO",), ("platform",))}


def test_in_turn_only_who_is_asked_is_told(kept):
    entries, result, _ = kept(order="gauss_seidel")
    quotes = [one for one in entries if one.message == "Quote"]
    assert {len(one.receivers) for one in quotes} == {1}
    assert len(quotes) == 3 * sum(result.sharing_rounds)


def test_what_does_not_arrive_is_not_written_down(kept, monkeypatch):
    """Half of the quotes and half of the offers are lost: the log has what the platform got, in the round it did."""
    got = []
    receive = SharingPlatform.receive

    def listening(platform, offers, quoted_in=None):
        got.extend((platform.model.rounds + 1, platform.graph.names[i]) for i in offers.members)
        receive(platform, offers, quoted_in)

    monkeypatch.setattr(SharingPlatform, "receive", listening)
    entries, result, _ = kept(messages=MessageFaults(loss=0.5, delay_rounds=2))
    offers = [(one.round, name) for one in entries if one.message == "Offer" for name in one.senders]
    quotes = sum(len(one.receivers) for one in entries if one.message == "Quote")
    assert offers == got
    assert len(offers) < 0.6 * quotes
    assert quotes < 0.6 * 3 * sum(result.sharing_rounds)
