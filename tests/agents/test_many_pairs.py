"""Where there are many numbers the ledger is updated in one compiled pass: to the bits of NumPy's many."""

from dataclasses import fields, replace

import numpy as np
import pytest
from mesa import Model

from gridbazaar.agents import Link, TradeGraph, bid_exchange, pair_exchange, penalty, platform
from gridbazaar.agents.bid_exchange import BidExchange
from gridbazaar.agents.pair_exchange import PairExchange
from gridbazaar.agents.penalty import AdaptivePenalty, Residuals
from gridbazaar.agents.platform import SharingPlatform
from gridbazaar.agents.price_curve import PriceCurve
from gridbazaar.agents.sharing_rules import SharingRules


@pytest.fixture
def in_one_pass(monkeypatch):
    def choose(module, answer):
        monkeypatch.setattr(module, "are_many", lambda _: answer)

    return choose


def test_a_round_of_pairs(in_one_pass):
    rng = np.random.default_rng(1)
    names = [f"h{n}" for n in range(40)]
    graph = TradeGraph(names, [Link(names[n], names[n + 1], 5.0) for n in range(39)])
    arcs, links = (78, 6), (39, 6)
    ledger = PairExchange.empty(39, 6, 1e-3)
    ledger = replace(
        ledger,
        power_kw=rng.normal(size=arcs),
        asked_usd_per_kwh=rng.uniform(size=arcs),
        quoted_kw=rng.normal(size=arcs),
        trade_kw=rng.normal(size=links),
        quoted_trade_kw=rng.normal(size=links),
        mismatch_kw=rng.normal(size=links),
        moved_usd_per_kwh=rng.uniform(size=links),
        price_usd_per_kwh=rng.uniform(size=links),
        penalty=AdaptivePenalty.starting(10 ** rng.uniform(-6, -1, links)),
    )
    answered = rng.integers(-1, 2, 40)
    found = []
    for many in (False, True):
        in_one_pass(pair_exchange, many)
        found.append(ledger.updated(graph, answered, 0, 1.5))
    changed = found[0].gate.took(0)
    assert changed.any()
    assert not changed.all()
    for field in fields(PairExchange):
        if field.name not in {"penalty", "gate"}:
            assert np.array_equal(getattr(found[0], field.name), getattr(found[1], field.name)), field.name


def test_penalties(in_one_pass):
    rng, shape = np.random.default_rng(2), (50, 7)
    before = AdaptivePenalty(
        10 ** rng.uniform(-6, -1, shape), rng.uniform(0.1, 0.7, shape), rng.choice([-1.0, 0.0, 1.0], shape), 1e-5
    )
    sides = rng.normal(size=shape), np.abs(rng.normal(size=shape)) * rng.choice([0, 1e-9, 1], shape)
    residuals = Residuals(*sides, rng.uniform(1, 9, 50), 0.2, 1e-3)
    new = rng.random(50) < 0.7
    found = []
    for many in (False, True):
        in_one_pass(penalty, many)
        found.append(before.balanced(residuals, new))
    assert np.array_equal(found[0].step, found[1].step)
    assert np.array_equal(found[0].way, found[1].way)
    assert found[0].value == pytest.approx(found[1].value, rel=1e-14)  # the exponential is another one
    assert (found[0].value >= 1e-5).all()


def test_a_round_of_bids(in_one_pass):
    rng, shape = np.random.default_rng(3), (40, 6)
    own = 10 ** rng.uniform(-6, -3, shape)
    ledger = BidExchange.empty(PriceCurve.own(rng.uniform(0.05, 0.3, shape), rng.normal(size=shape), own))
    slopes = rng.normal(size=(6, 2, 2)) * 1e-3
    slopes[4] = 0.0  # there prices follow each bid alone
    curve = replace(ledger.curve, slope_root=slopes, place=rng.integers(0, 2, 40))
    ledger = replace(
        ledger,
        curve=curve,
        bid_kw=rng.normal(size=shape),
        asked_kw=rng.normal(size=shape),
        wanted_kw=rng.normal(size=shape),
        lmp_usd_per_kwh=rng.uniform(size=shape),
        penalty=AdaptivePenalty.starting(10 ** rng.uniform(-6, -3, shape)),
        gate=ledger.gate.take(rng.integers(-1, 2, 40), 0)[1],
    )
    found = []
    for many in (False, True):
        in_one_pass(bid_exchange, many)
        found.append(ledger.answered(None, 0))
    for name in ("wanted_kw", "lmp_usd_per_kwh", "mismatch_kw", "moved_usd_per_kwh"):
        assert np.array_equal(getattr(found[0], name), getattr(found[1], name)), name
    assert (found[0].lmp_usd_per_kwh == ledger.lmp_usd_per_kwh).all(axis=1).any()  # whose turn it is not
    assert (found[0].wanted_kw == ledger.bid_kw).all(axis=0).tolist() == [t == 4 for t in range(6)]


def test_sizes(in_one_pass):
    names = [f"h{n}" for n in range(40)]
    graph = TradeGraph(names, [Link(names[n], names[n + 1], 5.0) for n in range(38)])  # the last trades with nobody
    market = Model()
    found = []
    for many in (False, True):
        in_one_pass(platform, many)
        ledger = SharingPlatform(market, graph, 6, SharingRules(1e-3, True, 0.0, 1.0, 1e-4))
        bids, pairs = ledger.state.bids, ledger.state.pairs
        rng = np.random.default_rng(4)
        ledger.state = replace(
            ledger.state,
            bids=replace(bids, bid_kw=rng.normal(size=(40, 6))),
            pairs=replace(pairs, power_kw=rng.normal(size=(76, 6))),
        )
        found.append(platform._size_kw(graph, ledger.state))
    assert np.array_equal(*found)
    assert found[0][-1] == np.abs(ledger.state.bids.bid_kw[-1]).max()
