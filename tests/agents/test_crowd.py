"""A community answers its price takers in one call: each as if it were alone, to the same bits."""

from dataclasses import fields, replace

import numpy as np
import pytest
from towns import town

from gridbazaar.agents import Deliveries, Link, PriceTaker, Quotes, TradeGraph
from gridbazaar.agents.messages import Commitment, axes_of
from gridbazaar.market.hosting.community import Community
from gridbazaar.market.hosting.membership import Membership
from gridbazaar.market.hosting.spec import community_specs


class Alike(PriceTaker):
    """A behaviour of its own that changes nothing: it answers alone."""


@pytest.fixture(scope="module")
def drawn():
    """Twelve homes and their links."""
    found = town(12, seed=3)
    names = [home.name for home in found["households"]]
    links = [Link(link.a, link.b, link.cap_kw, 0.01 * (n % 2)) for n, link in enumerate(found["links"])]
    return found["households"], TradeGraph(names, links)


@pytest.fixture
def community(drawn):
    """A community of these, some of which answer alone."""

    def build(alone=(), members=None, *, withdrawals=True):
        homes, graph = drawn
        behaviours = {graph.names[i]: Alike() for i in alone}
        chosen = np.arange(12) if members is None else np.array(members)
        seed = np.random.SeedSequence(1)
        (spec,) = community_specs(homes, graph, [chosen], behaviours, seed, withdrawals=withdrawals)
        return Community(spec)

    return build


def quotes(graph, seed, members=range(12)):
    rng, people, arcs = np.random.default_rng(seed), (12, 24), (len(graph.owner), 24)
    return Quotes(
        np.array(list(members)),
        rng.uniform(0, 0.3, people),
        rng.uniform(0, 100, people),
        rng.choice([0.0, 1e-5, 1e-3], people),
        rng.uniform(-0.05, 0.3, arcs),
        rng.normal(0, 30, arcs),
        rng.normal(0, 30, arcs),
        rng.choice([1e-5, 1e-3], arcs),
        1.0,
    )


def deliveries(graph, seed):
    rng, arcs = np.random.default_rng(seed), (len(graph.owner), 24)
    trade = rng.normal(0, 10, arcs)
    trade = (trade - trade[graph.reverse]) / 2
    held = rng.uniform(0, 100, (12, 24)), rng.choice([0.0, 1e-4], (12, 24))
    return Deliveries(rng.uniform(0, 0.3, (12, 24)), rng.uniform(0, 0.1, arcs), trade, *held)


def course(some, graph, members=slice(None)):
    """What a community says over two rounds, a delivery and half a commitment; rows of some of the market's."""
    membership = Membership.of(graph, np.arange(12)[members], 24)
    said = [some.answer(membership.cut(quotes(graph, seed))) for seed in (1, 2)]
    told = membership.cut(deliveries(graph, 3))
    said += [some.deliver(told), some.commit(Commitment(0.5)), some.regrets(told), some.schedules(told)]
    return said


def assert_same(one, other, rows=None):
    """All arrays of two answers are alike to the last bit; of the other one only these rows, by axis."""
    for mine, theirs in zip(one, other, strict=True):
        for name, axes in axes_of(type(mine)).items():
            expected = getattr(theirs, name)
            expected = expected if rows is None else expected[rows[axes[0]]]
            assert np.array_equal(getattr(mine, name), expected), (type(mine).__name__, name)


@pytest.mark.parametrize("withdrawals", [False, True], ids=["bids", "withdrawals"])
@pytest.mark.parametrize("alone", [[0], [2, 5, 11], range(12)], ids=str)
def test_in_a_crowd_or_alone(drawn, community, alone, withdrawals):
    _, graph = drawn
    together = course(community(withdrawals=withdrawals), graph)
    apart = course(community(alone, withdrawals=withdrawals), graph)
    assert_same(together, apart)


def test_in_one_community_or_in_parts(drawn, community):
    _, graph = drawn
    whole = course(community(), graph)
    for members in ([0, 3, 4, 8], [1, 2, 5, 6, 7, 9, 10, 11]):
        part = Membership.of(graph, np.array(members), 24)
        said = course(community(members=members), graph, members)
        rows = {"prosumer": part.members, "arc": part.arcs_of_market, "device": part.devices_of_market}
        assert_same(said, whole, rows)


def test_who_is_not_asked_stays_as_it_was(drawn, community):
    _, graph = drawn
    some, all_asked = community(), community()
    some.answer(quotes(graph, 1))
    all_asked.answer(quotes(graph, 1))
    before = some.prosumers[0].plan
    offers = some.answer(quotes(graph, 2, members=[3, 7]))
    expected = all_asked.answer(quotes(graph, 2))
    for i in range(12):
        arcs = graph.arcs(i)
        asked = i in {3, 7}
        assert np.array_equal(offers.power_kw[arcs], expected.power_kw[arcs] if asked else 0 * expected.power_kw[arcs])
        assert np.array_equal(offers.bid_kw[i], expected.bid_kw[i] if asked else 0 * expected.bid_kw[i])
    for field in fields(before):
        assert np.array_equal(getattr(some.prosumers[0].plan, field.name), getattr(before, field.name))
    after = some.prosumers[7].plan
    assert np.array_equal(after.trade_kw, all_asked.prosumers[7].plan.trade_kw)
    assert np.array_equal(some.prosumers[7].power_kw, after.trade_kw)


def test_it_goes_on_from_what_it_saved_in_whatever_division(drawn, community):
    _, graph = drawn
    whole = community(alone=[4])
    whole.answer(quotes(graph, 1))
    whole.deliver(deliveries(graph, 3))
    saved = whole.save()
    parts = [community(alone=[4], members=some) for some in ([0, 4, 9], [1, 2, 3, 5, 6, 7, 8, 10, 11])]
    for part in parts:
        part.recall([saved])
    again = community(alone=[4])
    again.recall([part.save() for part in parts])
    expected = whole.answer(quotes(graph, 2))
    assert_same([again.answer(quotes(graph, 2))], [expected])


def test_members_can_be_looked_at_and_change_nothing(drawn, community):
    homes, graph = drawn
    crowd = community()
    crowd.answer(quotes(graph, 1))
    member = crowd.prosumers[5]
    assert (member.name, member.household) == (homes[5].name, homes[5])
    plan = member.plan
    alone = member.problem.share(replace(quotes(graph, 1)).of(5, graph))
    assert np.abs(alone.trade_kw - plan.trade_kw).max() == 0.0
    with pytest.raises(AssertionError, match="answers with its crowd"):
        member.commit()
