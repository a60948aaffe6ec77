"""The trade graph refuses what is no link, and lays out every arc where its owner looks for it."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridbazaar.agents import Link, LinkError, TradeGraph

REFUSED = {
    "itself": (lambda: Link("a", "a", 1.0), "a-a", "b", "a cannot trade with itself; name another partner"),
    "negative": (lambda: Link("a", "b", -1.0), "a-b", "cap_kw", "cap_kw -1.0 must be a finite number of at least 0"),
    "endless": (lambda: Link("a", "b", np.inf), "a-b", "cap_kw", "cap_kw inf must be a finite number of at least 0"),
    "unknown": (
        lambda: TradeGraph(["p1", "p2"], [Link("p1", "p22", 1.0)]),
        "p1-p22",
        "b",
        "there is no prosumer p22; did you mean p2?",
    ),
    "like nobody": (
        lambda: TradeGraph(["p1", "p2"], [Link("xyz", "p2", 1.0)]),
        "xyz-p2",
        "a",
        "there is no prosumer xyz; the prosumers are p1, p2",
    ),
    "twice": (
        lambda: TradeGraph(["a", "b"], [Link("a", "b", 1.0), Link("b", "a", 1.0)]),
        "a-b",
        "b",
        "a and b are linked twice; add up the caps in one link",
    ),
    "called alike": (
        lambda: TradeGraph(["a-b", "c", "a", "b-c"], [Link("a-b", "c", 1.0), Link("a", "b-c", 1.0)]),
        "a-b-c",
        "b",
        "the links of a-b and c, and of a and b-c, have one name; rename a prosumer",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refusal(name):
    make, link, key, sentence = REFUSED[name]
    with pytest.raises(LinkError) as refusal:
        make()
    assert str(refusal.value) == f"link {link}: {sentence}"
    assert (refusal.value.link, refusal.value.key, refusal.value.problem) == (link, key, sentence)


@st.composite
def graphs(draw):
    names = [f"p{i}" for i in range(draw(st.integers(1, 7)))]
    pairs = [(a, b) for i, a in enumerate(names) for b in names[:i]]
    chosen = draw(st.lists(st.sampled_from(pairs), unique=True)) if pairs else []
    turned = [pair if draw(st.booleans()) else pair[::-1] for pair in chosen]
    return TradeGraph(names, [Link(*pair, cap) for cap, pair in enumerate(turned, start=1)])


@given(graphs())
def test_reverse_of_reverse(graph):
    arcs = np.arange(2 * len(graph.links))
    assert np.array_equal(graph.reverse[graph.reverse], arcs)
    assert np.array_equal(graph.owner[graph.reverse], graph.partner)
    assert np.array_equal(graph.link[graph.reverse], graph.link)
    assert np.array_equal(graph.reverse[graph.forward], graph.backward)


@given(graphs())
def test_slices_hold_each_owner_s_arcs(graph):
    for i in range(len(graph.names)):
        assert (graph.owner[graph.arcs(i)] == i).all()
    covered = [arc for i in range(len(graph.names)) for arc in range(2 * len(graph.links))[graph.arcs(i)]]
    assert covered == list(range(2 * len(graph.links)))


@given(graphs())
def test_ends_of_links(graph):
    for n, link in enumerate(graph.links):
        forward, backward = graph.forward[n], graph.backward[n]
        assert graph.arc_names()[forward] == f"{link.a}<-{link.b}"
        assert graph.arc_names()[backward] == f"{link.b}<-{link.a}"
        assert graph.cap_kw[graph.link[forward]] == graph.cap_kw[graph.link[backward]] == link.cap_kw


@given(graphs())
def test_as_networkx(graph):
    drawn = graph.graph()
    assert list(drawn.nodes) == list(graph.names)
    assert {frozenset(pair): cap for *pair, cap in drawn.edges(data="cap_kw")} == {
        frozenset((link.a, link.b)): link.cap_kw for link in graph.links
    }
