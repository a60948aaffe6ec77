"""Trades that somebody cannot keep are changed so that both ends can, as far as caps allow."""

from dataclasses import replace

import numpy as np
import pytest

from gridbazaar.agents import Link, TradeGraph
from gridbazaar.agents.pair_exchange import PairExchange


@pytest.fixture
def ledger():
    """a trades with b and c; b with c."""
    graph = TradeGraph(["a", "b", "c"], [Link("a", "b", 10.0), Link("a", "c", 4.0), Link("b", "c", 10.0)])
    trade = np.array([[6.0], [2.0], [1.0]])  # what the first end buys from the second
    return graph, replace(PairExchange.empty(3, 1, 1e-3), trade_kw=trade)


def net(graph, trade):
    total = np.zeros((3, 1))
    for k, link in enumerate(graph.links):
        total[graph.names.index(link.a)] += trade[k]
        total[graph.names.index(link.b)] -= trade[k]
    return total[:, 0]


@pytest.mark.parametrize("excess", [3.0, -3.0, 0.5], ids=["too much", "too little", "a little"])
def test_who_has_trouble_is_let_off_all_of_it(ledger, excess):
    graph, pairs = ledger
    trade = pairs.relieved(graph, np.array([[excess], [0.0], [0.0]]))
    change = net(graph, trade) - net(graph, pairs.trade_kw)
    assert change[0] == pytest.approx(-excess)
    assert change.sum() == pytest.approx(0)
    assert trade[2] == pairs.trade_kw[2]
    assert (np.abs(trade[:, 0]) <= graph.cap_kw).all()


def test_a_cap_limits_the_relief(ledger):
    graph, pairs = ledger
    trade = pairs.relieved(graph, np.array([[-100.0], [0.0], [0.0]]))
    assert trade[:2, 0] == pytest.approx([10.0, 4.0])


def test_opposite_troubles_cure_each_other_and_like_ones_are_left_alone(ledger):
    graph, pairs = ledger
    opposed = pairs.relieved(graph, np.array([[2.0], [-2.0], [0.0]]))
    assert opposed[0, 0] < pairs.trade_kw[0, 0] - 2.0 + 1e-9
    alike = pairs.relieved(graph, np.array([[2.0], [2.0], [2.0]]))
    assert np.array_equal(alike, pairs.trade_kw)


def test_without_trouble_nothing_changes(ledger):
    graph, pairs = ledger
    assert np.array_equal(pairs.relieved(graph, np.zeros((3, 1))), pairs.trade_kw)
