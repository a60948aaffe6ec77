"""Markets with behaviours that fail go on as the settings say: the same bits here, on workers, saved and resumed."""

from __future__ import annotations

import re

import numpy as np
import pytest
from bits import _cells, _equal

from gridbazaar.agents import Behaviour, BehaviourError, Offer
from gridbazaar.market import EnergyMarket, Hosting, MarketSettings, Workers
from gridbazaar.market.checkpoints import Checkpoints
from gridbazaar.market.hosting.checkpoint import MOST_BYTES
from gridbazaar.market.hosting.plain import UnsavedError
from gridbazaar.market.settings import SettingsError


class Moods(Behaviour):
    """Trades a little less than planned, and fails in some rounds."""

    def __init__(self, fails=(4, 9)):
        self.asked, self.fails = 0, list(fails)

    def believe(self, lmp_usd_per_kwh):
        return lmp_usd_per_kwh + 0.001

    def offer(self, quote, plan):
        self.asked += 1
        if self.asked in self.fails:
            raise RuntimeError("no mood")
        return Offer(plan.trade_kw, quote.price_usd_per_kwh)


@pytest.fixture
def opened(ieee33_bazaar):
    def go(on, place=None, behaviours=None, **settings):
        bazaar = ieee33_bazaar()
        return EnergyMarket(
            bazaar.clearing(),
            bazaar.households,
            bazaar.links,
            settings=MarketSettings(on_misbehaviour=on, network_use="bids", **settings),
            behaviours={"p1": Moods([2]), "p2": Moods()} if behaviours is None else behaviours,
            rng=5,
            hosting=Hosting(place),
        )

    return go


class Run:
    """What a market has come to."""

    def __init__(self, market):
        self.rounds = []
        self.result = market.run(self.rounds.append)
        self.market = market


def alike(one, other):
    """Also in what is said of those who failed, but for where their code stands."""
    told = [[re.sub(r"\(at .*?\)", "", r.incidents) for r in run.rounds] for run in (one, other)]
    cells = [_cells(run) for run in (one, other)]
    assert told[0] == told[1]
    return all(_equal(a, b) for a, b in zip(*cells, strict=True))


@pytest.mark.parametrize("on", ["last", "exclude"])
def test_the_same_here_on_workers_and_restored(opened, on, kill):
    here = Run(opened(on))
    assert here.result.settled
    with opened(on, Workers(2)) as market:
        there = Run(market)
    assert alike(here, there)

    middle = opened(on)
    for _ in range(7):
        middle.step()
    with opened(on, Workers(3)) as market:
        market.restore(middle.snapshot())
        for proxy in market.communities.proxies:
            kill(proxy)
        rest = Run(market)
    assert [r.number for r in rest.rounds] == [r.number for r in here.rounds[7:]]
    assert np.array_equal(rest.result.bid_kw, here.result.bid_kw)
    assert [one.times for one in rest.result.hosting.misbehaved] == [
        one.times for one in here.result.hosting.misbehaved
    ]


@pytest.mark.parametrize(("on", "times"), [("last", (1, 2)), ("exclude", (1, 1))])
def test_who_failed_is_told(opened, on, times):
    run = Run(opened(on))
    first, second = run.result.hosting.misbehaved
    assert (first.prosumer, first.first_round, first.times) == ("p1", 3, times[0])
    assert (second.prosumer, second.first_round, second.times) == ("p2", 5, times[1])
    assert first.excluded == second.excluded == (on == "exclude")
    assert "behaviour Moods of p1, in offer(): RuntimeError: no mood (at " in run.rounds[2].incidents
    assert sum("no mood" in r.incidents for r in run.rounds) == sum(times)
    assert str(first).startswith("p1 misbehaved once in round 3: behaviour Moods of p1, in offer(): RuntimeError")
    if on == "last":
        assert str(second).startswith("p2 misbehaved 2 times, first in round 5: behaviour Moods of p2")


def test_going_back_before_an_exclusion_undoes_it(opened):
    market = opened("exclude")
    market.step()
    state = market.snapshot()
    told = []
    for _ in range(2):
        for _ in range(8):
            market.step()
        told.append((market.bid_kw, market.platform.power_kw, market.communities.misbehaviour.so_far))
        market.restore(state)
        assert market.communities.misbehaviour.so_far == ()
    assert np.array_equal(told[0][1], told[1][1])
    assert told[0][2] == told[1][2]


def test_a_run_goes_on_from_its_checkpoint(opened, tmp_path):
    here, market, keeps = Run(opened("last")), opened("last"), Checkpoints(tmp_path / "kept")
    for _ in range(10):
        market.step()
    keeps.save(market)
    other = opened("last")
    other.restore(keeps.newest(at_most=10))
    rest = Run(other)
    assert np.array_equal(rest.result.bid_kw, here.result.bid_kw)
    assert rest.result.hosting.misbehaved == here.result.hosting.misbehaved


def _raises():
    raise LookupError("chaos")


NONSENSE = [
    lambda: None,
    lambda: "much",
    lambda: np.nan,
    lambda: np.full((3, 24), np.inf),
    lambda: np.zeros((1000, 1000)),
    lambda: [[1.0], [2.0, 3.0]],
    lambda: Offer(np.full((2, 24), 1e12), np.zeros((2, 24))),
    lambda: Offer(None, {}),
    object,
    lambda: print("x" * 50_000),
    lambda: 1 / 0,
    _raises,
]


class Chaos(Behaviour):
    """Answers a third of all questions with nonsense."""

    def _or_nonsense(self, hook, *told):
        if self.rng.random() < 1 / 3:
            return NONSENSE[self.rng.integers(len(NONSENSE))]()
        return getattr(Behaviour, hook)(self, *told)

    def declare(self, household):
        return self._or_nonsense("declare", household)

    def spread_usd_per_kwh(self, household):
        return self._or_nonsense("spread_usd_per_kwh", household)

    def believe(self, lmp_usd_per_kwh):
        return self._or_nonsense("believe", lmp_usd_per_kwh)

    def answer(self, quote, problem):
        return self._or_nonsense("answer", quote, problem)

    def offer(self, quote, plan):
        return self._or_nonsense("offer", quote, plan)

    def bid(self, delivery, plan):
        return self._or_nonsense("bid", delivery, plan)


@pytest.mark.parametrize("on", ["last", "exclude"])
def test_whatever_is_answered_the_market_goes_on(opened, on):
    limits = {"max_iterations": 4, "max_rounds": 30} if on == "last" else {}
    here = Run(opened(on, None, {"p1": Chaos(), "p3": Chaos()}, **limits))
    with opened(on, Workers(2), {"p1": Chaos(), "p3": Chaos()}, **limits) as market:
        there = Run(market)
    assert alike(here, there)
    result = here.result
    assert {one.prosumer for one in result.hosting.misbehaved} == {"p1", "p3"}
    assert result.reciprocity_kw == 0
    have = result.bid_kw + result.renewable_kw - result.curtailed_kw + result.net_trade_kw
    assert have == pytest.approx(result.fixed_kw + result.elastic_kw)
    if on == "exclude":
        assert all(one.times == 1 and one.excluded for one in result.hosting.misbehaved)
        assert result.settled
        taken = Run(opened("stop", None, {})).result  # all take prices in the end: the same optimum
        assert result.welfare_usd == pytest.approx(taken.welfare_usd, abs=0.05)
        assert result.elastic_kw == pytest.approx(taken.elastic_kw, abs=1.0)
    else:
        assert min(one.times for one in result.hosting.misbehaved) > 10


class FailsAtOnce(Behaviour):
    def declare(self, household):
        return 1 / 0


@pytest.mark.parametrize("place", [None, Workers(2)], ids=["here", "workers"])
def test_who_fails_as_it_moves_in_is_told_of_in_the_first_round(opened, place):
    with opened("last", place, {"p3": FailsAtOnce()}) as market:
        run = Run(market)
    assert "in declare(): ZeroDivisionError" in run.rounds[0].incidents
    assert not any(r.incidents for r in run.rounds[1:])
    (one,) = run.result.hosting.misbehaved
    assert str(one).startswith("p3 misbehaved once as it moved in: behaviour FailsAtOnce of p3")
    assert np.array_equal(run.result.bid_kw, Run(opened("last", None, {})).result.bid_kw)


@pytest.mark.parametrize("place", [None, Workers(2)], ids=["here", "workers"])
def test_by_default_the_run_stops(opened, place):
    with opened("stop", place) as market, pytest.raises(BehaviourError, match="behaviour Moods of p1, in offer"):
        market.run()


class Hoards(Behaviour):
    """Remembers more than anybody may."""

    def offer(self, quote, plan):
        self.text = "x" * (MOST_BYTES + 1)
        return Offer(plan.trade_kw, quote.price_usd_per_kwh)


def test_a_memory_of_many_megabytes_is_not_kept(opened):
    market = opened("stop", None, {"p2": Hoards()})
    market.step()
    market.step()
    with pytest.raises(UnsavedError, match=r"^behaviour Hoards of p2 remembers 16 MiB; more than 16 MiB are not kept"):
        market.snapshot()


def test_settings_are_checked():
    with pytest.raises(SettingsError, match=r"^on_misbehaviour fire is none of stop, last, exclude; name one of them$"):
        MarketSettings(on_misbehaviour="fire")
    with pytest.raises(SettingsError, match=r"^answer_timeout_s 0 leaves no time to answer; give seconds$"):
        MarketSettings(answer_timeout_s=0)
