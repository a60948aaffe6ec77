"""Wherever the prosumers live, and whoever dies on the way, a run gives the same numbers to the last bit."""

from __future__ import annotations

import numpy as np
import pytest

from gridbazaar.agents import Behaviour, Offer
from gridbazaar.market import Outcome, Workers
from gridbazaar.market.hosting import communities
from gridbazaar.market.hosting.diary import Diary

SHORT = {"max_rounds": 12, "max_iterations": 3}
"""So many rounds are enough to compare the 300: every phase, and sharing that goes on after a delivery."""
CASES = [("ieee33", {}), ("ieee33", {"order": "gauss_seidel"}), ("ieee33", {"method": "admm"}), ("town", SHORT)]


@pytest.mark.parametrize("workers", [1, 2, 3])
@pytest.mark.parametrize(("name", "settings"), CASES, ids=str)
def test_workers_change_nothing(run_at, same, name, settings, workers):
    here = run_at(name, **settings)
    there = run_at(name, Workers(workers), **settings)
    assert same(here, there)
    assert len(there.market.communities.homes) == workers
    assert there.result.incidents == ()


def test_the_comparison_can_fail(run_at, same):
    assert not same(run_at("ieee33"), run_at("ieee33", primal_tolerance_kw=0.9))


@pytest.fixture
def saving(monkeypatch):
    """Communities are saved ten times as often as they would be in such short runs."""
    monkeypatch.setattr(communities, "_EVERY_S", 0.1)


@pytest.mark.usefixtures("saving")
@pytest.mark.parametrize(("name", "settings"), [("ieee33", {}), ("town", {"max_rounds": 25, "max_iterations": 2})])
def test_twenty_kills_at_random_rounds_change_nothing(run_at, same, kill, name, settings):
    here = run_at(name, **settings)
    rng = np.random.default_rng(7)
    when = {1 + int(r) for r in rng.choice(len(here.rounds) - 2, 20, replace=False)}

    def strike(market):
        if market.rounds in when:
            kill(market.communities.homes[int(rng.integers(2))])

    there = run_at(name, Workers(2), before=strike, **settings)
    assert same(here, there)
    assert len(there.result.incidents) == 20
    assert {incident.how for incident in there.result.incidents} == {"was killed by SIGKILL"}
    assert sum(record.incidents.count("was killed by SIGKILL in call") for record in there.rounds) == 20


class Moody(Behaviour):
    """Remembers what it has seen, and draws from its own randomness: all of it must survive its process."""

    def __init__(self) -> None:
        self.seen: list[float] = []
        self.last = {"price": np.zeros(2), "tuple": (1, "two", None)}

    def offer(self, quote, plan):
        self.seen.append(float(quote.price_usd_per_kwh.mean()))
        self.last["price"] = quote.price_usd_per_kwh
        assert self.last["tuple"] == (1, "two", None)
        nudge = 1e-3 * self.rng.random() / len(self.seen) * np.sign(self.last["price"])
        return Offer(plan.trade_kw, quote.price_usd_per_kwh + nudge)


class Attached(Moody):
    """Remembers what cannot be saved."""

    def offer(self, quote, plan):
        self.attachment = self.offer
        return super().offer(quote, plan)


@pytest.mark.usefixtures("saving")
@pytest.mark.parametrize("kind", [Moody, Attached])
def test_what_a_behaviour_remembers_survives_its_process(run_at, same, kill, kind):
    def run(place=None, before=None):
        return run_at("village", place, before=before, behaviours={"h3": kind(), "h17": kind()}, **SHORT)

    def strike(market):
        if market.rounds in {5, 11, 20}:
            for home in market.communities.homes:
                kill(home)

    here, there = run(), run(Workers(2), strike)
    assert same(here, there)
    assert len(there.result.incidents) == 6
    unsaved = there.market.communities.unsaved_because
    assert unsaved == "" if kind is Moody else "remembers a method" in unsaved


def test_who_lives_together_can_be_said(run_at, same):
    together = {"h1": "north", "h20": "north", "h29": "north", "h5": "south"}
    there = run_at("village", Workers(3), together=together, **SHORT)
    homes = [set(home.membership.names) for home in there.market.communities.homes]
    assert any({"h1", "h20", "h29"} <= home for home in homes)
    assert not any({"h1", "h5"} <= home for home in homes)
    assert same(run_at("village", **SHORT), there)


def test_more_workers_than_prosumers_are_not_started(run_at):
    run = run_at("ieee33", Workers(5))
    assert len(run.market.communities.homes) == 3
    assert run.result.outcome is Outcome.SETTLED


def test_public_sides_are_there_wherever_prosumers_live(run_at):
    here, there = run_at("ieee33").market, run_at("ieee33", Workers(2)).market
    assert [(p.name, p.bus) for p in there.prosumers] == [(p.name, p.bus) for p in here.prosumers]
    assert np.array_equal(there.prosumers[1].power_kw, here.platform.power_kw[here.graph.arcs(1)])
    assert not hasattr(there.prosumers[0], "household")


class Shadows(Moody):
    """Has attributes and methods that get in the way of saving it."""

    def __init__(self) -> None:
        super().__init__()
        self.saved_state = []


class Shares(Moody):
    """Two names for one list: both must see what either does, also in another process."""

    def __init__(self) -> None:
        super().__init__()
        self.also_seen = self.seen


class Loops(Moody):
    def __init__(self) -> None:
        super().__init__()
        self.seen.append(self.seen)


class Wide(Moody):
    def __init__(self) -> None:
        super().__init__()
        self.wide = np.longdouble(1)


UNSAVED = {
    Shadows: "prosumers cannot be saved: TypeError: 'list' object is not callable",
    Shares: "behaviour Shares of h3 remembers a list that is in two places, which cannot be kept",
    Loops: "behaviour Loops of h3 remembers a list that is in two places",
    Wide: "behaviour Wide of h3 remembers a longdouble",
}


@pytest.mark.parametrize("kind", UNSAVED)
@pytest.mark.parametrize("place", [None, Workers(2)], ids=["here", "workers"])
def test_what_cannot_be_saved_costs_time_and_nothing_else(run_at, same, kill, monkeypatch, tmp_path, kind, place):
    monkeypatch.setattr(communities, "_EVERY_S", 0.0)
    here = run_at("village", behaviours={"h3": kind()}, diary=Diary(tmp_path, lambda *_: None), **SHORT)
    there = run_at(
        "village",
        place,
        behaviours={"h3": kind()},
        before=lambda market: kill(market.communities.homes[0]) if place and market.rounds == 9 else None,
        **SHORT,
    )
    assert same(here, there)
    assert here.result.unsaved_because.startswith(UNSAVED[kind])
    if place:
        assert there.result.unsaved_because.startswith(UNSAVED[kind])


def test_where_nothing_can_be_written_the_run_goes_on(run_at, monkeypatch, tmp_path):
    monkeypatch.setattr(communities, "_EVERY_S", 0.0)
    for place in (None, Workers(2)):
        run = run_at("village", place, diary=Diary(tmp_path / "gone", lambda *_: None), **SHORT)
        assert run.result.unsaved_because.startswith("prosumers cannot be saved in ")
        assert "No such file or directory" in run.result.unsaved_because
