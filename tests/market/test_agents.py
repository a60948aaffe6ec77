"""A market is a Mesa model like others: its agents can be listed, chosen and collected from, wherever they live."""

from collections import Counter

import mesa
import numpy as np
import pytest

from gridbazaar.agents import Behaviour, Offer, Prosumer, SharingPlatform, SystemOperator
from gridbazaar.market import EnergyMarket, Hosting, MarketSettings, Phase, Workers
from gridbazaar.market.hosting.public import PublicProsumer

NAMES = ["p1", "p2", "p3"]
BUSES = {"p1": "4", "p2": "13", "p3": "26"}
KINDS = {"here": Prosumer, "on workers": PublicProsumer}


class MarksDown(Behaviour):
    """Offers half of what it plans, and bids a tenth less than it needs."""

    def offer(self, quote, plan):
        return Offer(plan.trade_kw / 2, quote.price_usd_per_kwh)

    def bid(self, delivery, plan):
        return 0.9 * plan.bid_kw


@pytest.fixture
def open_at(ieee33_bazaar):
    """The paper's market here or on two workers, which are gone when the test is over."""
    opened = []

    def build(where, *, behaviours=None, **settings):
        bazaar, backend = ieee33_bazaar(), Workers(2) if where == "on workers" else None
        market = EnergyMarket(
            bazaar.clearing(),
            bazaar.households,
            bazaar.links,
            settings=MarketSettings(**{"network_use": "bids"} | settings),
            behaviours=behaviours,
            hosting=Hosting(backend),
        )
        opened.append(market)
        return market

    yield build
    for market in opened:
        market.close()


@pytest.fixture(params=KINDS)
def where(request):
    return request.param


def step_to(market, phase):
    """Step until the round that has just ended did this."""
    market.step()
    while market.last.phase is not phase:
        market.step()


def test_all_agents_are_there(open_at, where):
    market = open_at(where)
    kinds = Counter(type(agent) for agent in market.agents)
    assert kinds == {SystemOperator: 1, SharingPlatform: 1, KINDS[where]: 3}
    assert set(market.agents) == {market.operator, market.platform, *market.prosumers}
    assert [prosumer.name for prosumer in market.prosumers] == NAMES
    assert {prosumer.name: prosumer.bus for prosumer in market.prosumers} == BUSES


def test_no_two_agents_have_one_id_and_it_is_the_same_wherever_they_live(open_at):
    by_place = [{type(a).__name__: a.unique_id for a in open_at(where).agents} for where in KINDS]
    numbers = [[agent.unique_id for agent in open_at(where).agents] for where in KINDS]
    assert numbers == [[1, 2, 3, 4, 5]] * 2
    for kind in ("SystemOperator", "SharingPlatform"):
        assert by_place[0][kind] == by_place[1][kind]


def test_they_are_agents_of_this_market(open_at, where):
    market = open_at(where)
    assert all(agent.model is market for agent in market.agents)


def test_agents_can_be_chosen(open_at, where):
    market = open_at(where)
    at_13 = market.agents.select(lambda agent: getattr(agent, "bus", None) == "13")
    assert [agent.name for agent in at_13] == ["p2"]
    chosen = market.agents.select(agent_type=KINDS[where])
    assert sorted(chosen.get("name")) == NAMES
    assert set(market.agents_by_type[KINDS[where]]) == set(market.prosumers)
    assert list(market.agents_by_type[SystemOperator]) == [market.operator]


def test_nobody_has_published_anything_at_first(open_at, where):
    for prosumer in open_at(where).prosumers:
        assert np.array_equal(prosumer.power_kw, np.zeros((2, 24)))
        assert np.array_equal(prosumer.bid_kw, np.zeros(24))


RUNS = {
    "to the end": (None, {"method": "proximal_gradient"}),  # some of what was agreed is not committed to on its way
    "a step of the way": (MarksDown, {"method": "damped", "max_rounds": 12, "max_iterations": 3}),
    "in turn": (MarksDown, {"order": "gauss_seidel", "max_rounds": 12, "max_iterations": 3}),
}


@pytest.mark.parametrize("name", RUNS)
def test_what_they_have_published_is_what_the_round_says(open_at, where, name):
    """Offered powers, and bids: beside the offers, then those committed to, also where that is a step of the way."""
    behaviour, settings = RUNS[name]
    market = open_at(where, behaviours={"p2": behaviour()} if behaviour else None, **settings)
    follows = set()
    while market.running:
        market.step()
        follows.add((market.last.phase, market.phase))
        for i, prosumer in enumerate(market.prosumers):
            assert np.array_equal(prosumer.bid_kw, market.last.bid_kw[i])
            assert np.array_equal(prosumer.power_kw, market.last.power_kw[market.graph.arcs(i)])
    assert {before for before, _ in follows} == {Phase.CLEARING, Phase.SHARING, Phase.DELIVERY}
    assert ((Phase.DELIVERY, Phase.SHARING) in follows) is (name == "to the end")


@pytest.mark.parametrize("phase", [Phase.SHARING, Phase.DELIVERY])
def test_a_copy_shows_what_the_market_has_published(open_at, phase):
    market = open_at("here", behaviours={"p2": MarksDown()}, method="damped", max_rounds=12)
    step_to(market, phase)
    with market.copy() as copy:
        for one, other in zip(market.prosumers, copy.prosumers, strict=True):
            assert np.array_equal(one.power_kw, other.power_kw)
            assert np.array_equal(one.bid_kw, other.bid_kw)


def collected(market, steps, **reporters):
    """What a collector with these reporters has after so many steps, and the bids of each, (step, prosumer, period)."""
    market.datacollector = mesa.DataCollector(**reporters)
    bids = []
    for _ in range(steps):
        market.step()
        bids.append(market.last.bid_kw)
    return market.datacollector, np.array(bids)


def test_agents_report(open_at, where):
    """One row for every agent and step; those that have no bid of their own have none in it."""
    market = open_at(where)
    reporters = {
        "name": lambda agent: getattr(agent, "name", type(agent).__name__),
        "bid_kwh": lambda agent: agent.bid_kw.sum() if agent in market.prosumers else np.nan,
    }
    collector, bids = collected(market, 30, agent_reporters=reporters)
    frame = collector.get_agent_vars_dataframe().reset_index()
    assert len(frame) == 30 * 5
    assert set(frame.name) == {"SystemOperator", "SharingPlatform", *NAMES}
    table = frame.pivot_table(index="Step", columns="name", values="bid_kwh")
    assert list(table) == NAMES
    assert table.index.tolist() == list(range(1, 31))
    assert np.array_equal(table.to_numpy(), bids.sum(axis=2))
    assert bids[-1].sum() > 1000


def test_a_kind_of_agents_reports(open_at, where):
    collector, bids = collected(open_at(where), 8, agenttype_reporters={KINDS[where]: {"bid_kw": "bid_kw"}})
    frame = collector.get_agenttype_vars_dataframe(KINDS[where])
    assert frame.index.get_level_values("Step").tolist() == [step for step in range(1, 9) for _ in NAMES]
    assert np.array_equal(np.array(frame.bid_kw.tolist()).reshape(8, 3, 24), bids)


def test_what_agents_report_is_the_same_wherever_they_live(open_at):
    frames = []
    for where, kind in KINDS.items():
        collector, _ = collected(open_at(where), 12, agenttype_reporters={kind: {"sold_kwh": sold_kwh}})
        frames.append(collector.get_agenttype_vars_dataframe(kind))
    assert frames[0].equals(frames[1])
    assert frames[0].sold_kwh.max() > 0


def sold_kwh(prosumer):
    """What it offers to its partners, in periods of an hour."""
    return -np.minimum(prosumer.power_kw, 0.0).sum()
