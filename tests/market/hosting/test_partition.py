"""Communities: partners together, the work even, everybody somewhere once, and who is to be together is."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from towns import town

from gridbazaar.agents import Link, TradeGraph
from gridbazaar.market.hosting.partition import links_between, partition


def town_graph(prosumers: int) -> TradeGraph:
    data = town(prosumers)
    return TradeGraph([home.name for home in data["households"]], data["links"])


@pytest.mark.parametrize("parts", [2, 3, 7])
def test_few_links_join_communities_of_even_work(parts):
    graph = town_graph(300)
    found = partition(graph, parts)
    by_chance = np.array_split(np.random.default_rng(1).permutation(300), parts)
    assert links_between(graph, found) < 0.1 * links_between(graph, by_chance)
    work = [sum(1 + graph.arcs(int(i)).stop - graph.arcs(int(i)).start for i in members) for members in found]
    assert max(work) < 1.1 * min(work)


names = [f"x{n}" for n in range(12)]
links = st.sets(st.tuples(st.sampled_from(names), st.sampled_from(names)).filter(lambda ends: ends[0] < ends[1]))
labels = st.dictionaries(st.sampled_from(names), st.sampled_from(["north", "south", ""]))


@given(links=links, labels=labels, parts=st.integers(1, 15))
def test_everybody_lives_in_one_community_and_labels_hold(links, labels, parts):
    graph = TradeGraph(names, [Link(*ends, 1.0) for ends in links])
    found = partition(graph, parts, labels)
    assert sorted(np.concatenate(found).tolist()) == list(range(12))
    assert 1 <= len(found) <= min(parts, 12)
    assert all(members.size and (np.diff(members) > 0).all() for members in found)
    assert [members[0] for members in found] == sorted(members[0] for members in found)
    home = {names[i]: k for k, members in enumerate(found) for i in members}
    for label in ("north", "south"):
        assert len({home[name] for name, said in labels.items() if said == label}) <= 1


def test_labels_for_everybody_are_the_communities():
    graph = TradeGraph(names, [])
    said = {name: ("a", "b", "c")[n % 3] for n, name in enumerate(names)}
    assert [members.tolist() for members in partition(graph, 3, said)] == [list(range(k, 12, 3)) for k in range(3)]
