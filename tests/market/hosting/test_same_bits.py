"""Wherever the prosumers live, and whoever dies on the way, a run gives the same numbers to the last bit."""

from __future__ import annotations

import pickle
import re

import numpy as np
import pytest
from bits import Moody

from gridbazaar.market import EnergyMarket, Hosting, Outcome, Workers, checkpoints
from gridbazaar.market.checkpoints import Checkpoints
from gridbazaar.market.hosting import communities
from gridbazaar.market.hosting.plain import UnsavedError

SHORT = {"max_rounds": 12, "max_iterations": 3}
"""So many rounds are enough to compare the 300: every phase, and sharing that goes on after a delivery."""
CASES = {
    "newton": ("ieee33", {}),
    "gauss_seidel": ("ieee33", {"order": "gauss_seidel"}),
    "admm": ("ieee33", {"method": "admm"}),
    "withdrawals": ("ieee33", {"network_use": "withdrawals"}),
    "tariffs": ("charging", {"network_use": "withdrawals"}),
    "town": ("town", SHORT),
}
QUICK = {("newton", 2), ("gauss_seidel", 2), ("admm", 3), ("newton", 1), ("withdrawals", 2), ("tariffs", 2)}
PRODUCT = [
    pytest.param(
        *case, workers, id=f"{what}, {workers} workers", marks=() if (what, workers) in QUICK else pytest.mark.long
    )
    for what, case in CASES.items()
    for workers in (1, 2, 3)
]


@pytest.mark.parametrize(("name", "settings", "workers"), PRODUCT)
def test_workers_change_nothing(run_at, same, name, settings, workers):
    here = run_at(name, **settings)
    there = run_at(name, Workers(workers), **settings)
    assert same(here, there)
    assert len(there.market.communities.proxies) == workers
    assert there.result.hosting.incidents == ()


def test_the_comparison_can_fail(run_at, same):
    assert not same(run_at("ieee33"), run_at("ieee33", primal_tolerance_kw=0.9))


@pytest.fixture
def saving(monkeypatch):
    """Communities are saved ten times as often as they would be in such short runs."""
    monkeypatch.setattr(communities, "_EVERY_S", 0.1)


@pytest.mark.usefixtures("saving")
@pytest.mark.parametrize(
    ("name", "settings", "kills"),
    [
        pytest.param("ieee33", {}, 4, id="ieee33"),
        pytest.param("ieee33", {}, 20, id="ieee33, often", marks=pytest.mark.long),
        pytest.param("town", {"max_rounds": 25, "max_iterations": 2}, 20, id="town, often", marks=pytest.mark.long),
    ],
)
def test_kills_at_random_rounds_change_nothing(run_at, same, kill, name, settings, kills):
    here = run_at(name, **settings)
    rng = np.random.default_rng(7)
    when = {1 + int(r) for r in rng.choice(len(here.rounds) - 2, kills, replace=False)}

    def strike(market):
        if market.rounds in when:
            kill(market.communities.proxies[int(rng.integers(2))])

    there = run_at(name, Workers(2), before=strike, **settings)
    assert same(here, there)
    assert len(there.result.hosting.incidents) == kills
    assert {incident.how for incident in there.result.hosting.incidents} == {"was killed by SIGKILL"}
    assert sum(record.incidents.count("was killed by SIGKILL in call") for record in there.rounds) == kills


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
            for proxy in market.communities.proxies:
                kill(proxy)

    here, there = run(), run(Workers(2), strike)
    assert same(here, there)
    assert len(there.result.hosting.incidents) == 6
    unsaved = there.market.communities.unsaved_because
    assert unsaved == "" if kind is Moody else "remembers a method" in unsaved


def test_who_lives_together_can_be_said(run_at, same):
    together = {"h1": "north", "h20": "north", "h29": "north", "h5": "south"}
    there = run_at("village", Workers(3), together=together, **SHORT)
    homes = [set(home.membership.names) for home in there.market.communities.proxies]
    assert any({"h1", "h20", "h29"} <= home for home in homes)
    assert not any({"h1", "h5"} <= home for home in homes)
    assert same(run_at("village", **SHORT), there)


def test_more_workers_than_prosumers_are_not_started(run_at):
    run = run_at("ieee33", Workers(5))
    assert len(run.market.communities.proxies) == 3
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
def test_what_cannot_be_saved_costs_time_and_nothing_else(run_at, same, kill, monkeypatch, tmp_path, kind):
    monkeypatch.setattr(communities, "_EVERY_S", 0.0)
    monkeypatch.setattr(checkpoints, "_EVERY_S", 0.0)
    keeps = Checkpoints(tmp_path)
    here = run_at("village", behaviours={"h3": kind()}, before=keeps.keep, **SHORT)
    there = run_at(
        "village",
        Workers(2),
        behaviours={"h3": kind()},
        before=lambda market: kill(market.communities.proxies[0]) if market.rounds == 9 else None,
        **SHORT,
    )
    assert same(here, there)
    assert here.result.hosting.unsaved_because.startswith(UNSAVED[kind])
    assert there.result.hosting.unsaved_because.startswith(UNSAVED[kind])
    assert keeps.newest(at_most=1000) is None


@pytest.mark.parametrize("kind", UNSAVED)
@pytest.mark.parametrize("place", [None, Workers(2)], ids=["here", "workers"])
def test_what_cannot_be_saved_cannot_be_snapped(data, kind, place):
    with EnergyMarket(**data("village"), behaviours={"h3": kind()}, rng=5, hosting=Hosting(place)) as market:
        market.step()
        for way in (market.snapshot, market.copy, lambda: pickle.dumps(market)):
            with pytest.raises(UnsavedError, match=re.escape(UNSAVED[kind])):
                way()
        market.step()
        assert market.rounds == 2


def test_where_nothing_can_be_written_the_run_goes_on(run_at, monkeypatch, tmp_path):
    monkeypatch.setattr(checkpoints, "_EVERY_S", 0.0)
    (tmp_path / "gone").touch()  # a file where a folder should be
    for place in (None, Workers(2)):
        run = run_at("village", place, before=Checkpoints(tmp_path / "gone").keep, **SHORT)
        assert run.result.hosting.unsaved_because.startswith("the run cannot be saved in ")
        assert "File exists" in run.result.hosting.unsaved_because
