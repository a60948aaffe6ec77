"""A desk does one thing after the other in a thread of its own, says what failed, and lives on."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import gridbazaar.scenarios as gb
from gridbazaar.scenarios.errors import ScenarioError
from gridbazaar.scenarios.stepping.errors import SessionError
from gridbazaar.scenarios.view.desk import Desk
from gridbazaar.scenarios.view.offers import Offers
from gridbazaar.scenarios.view.scene import Scene
from gridbazaar.scenarios.view.words import said


def until(reached: Callable[[], object], seconds: float = 60.0) -> None:
    end = time.monotonic() + seconds
    while not reached():
        assert time.monotonic() < end, "it did not come to that"
        time.sleep(0.002)


def scene(desk: Desk) -> Scene:
    """What is seen once the desk has done what it was asked for."""
    until(lambda: not desk.seen.busy)
    assert desk.seen.failed is None, desk.seen.failed
    assert desk.seen.scene is not None
    return desk.seen.scene


def failure(desk: Desk) -> Exception:
    until(lambda: not desk.seen.busy)
    assert desk.seen.failed is not None
    return desk.seen.failed


@pytest.fixture
def desk() -> Iterator[Desk]:
    desk = Desk()
    desk.open("ieee33", gb.load("ieee33"), {})
    scene(desk)
    yield desk
    desk.close()
    desk.wait()


def test_it_goes_forwards_backwards_and_elsewhere(desk: Desk) -> None:
    assert scene(desk).name == "ieee33"
    desk.step()
    assert scene(desk).round == 1
    desk.run_to("clearing")
    assert scene(desk).round == 11
    desk.run_to("settled")
    assert (scene(desk).round, scene(desk).ended) == (43, True)
    desk.back()
    assert (scene(desk).round, scene(desk).newest) == (42, 43)
    desk.goto(3)
    assert scene(desk).standing.startswith("round 3, step 1, round 2")


def test_a_fork_is_compared_with_what_it_left(desk: Desk) -> None:
    desk.step()
    scene(desk)
    desk.fork("  alpha_scale = 2\n\nprosumers.p2.elastic_max_kw=500\n", "otherwise")
    forked = scene(desk)
    assert (forked.branch, desk.wanted.other) == ("otherwise", "main")
    assert "alpha_scale: as the scenario has it | 2" in forked.difference
    assert "prosumers.p2.elastic_max_kw: as the scenario has it | 500" in forked.difference
    desk.switch("main")
    assert scene(desk).branch == "main"


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("alpha_scale", "this is not a key and a value"),
        ("alpha_scale=much", "alpha_scale: 'much' is not a number"),
        ("prosumers.p9.bid_max_kw=1", "there is no p9 in prosumers"),
        ("market.penalty_usd_per_kw2h=-1", "must be a finite number above 0"),
    ],
)
def test_a_change_that_cannot_be_is_told_of_and_changes_nothing(desk: Desk, text: str, sentence: str) -> None:
    desk.step()
    before = scene(desk)
    desk.fork(text)
    assert sentence in said(failure(desk))
    desk.step()
    after = scene(desk)
    assert list(after.branches) == ["main"]
    assert after.round == before.round + 1


def test_what_cannot_be_opened_leaves_what_is_open(desk: Desk) -> None:
    desk.step()
    scene(desk)
    desk.open("ieee33", gb.load("ieee33"), {"market.penalty_usd_per_kw2h": "0"})
    error = failure(desk)
    assert isinstance(error, ScenarioError)
    assert [problem.key for problem in error.problems] == ["market.penalty_usd_per_kw2h"]
    desk.step()
    assert scene(desk).round == 2


def test_opening_anew_begins_at_round_0(desk: Desk) -> None:
    desk.step()
    scene(desk)
    desk.look(prosumer="p2", period=5)
    scene(desk)
    desk.open("ieee33", gb.load("ieee33"), {"alpha_scale": "2"})
    opened = scene(desk)
    assert (opened.round, opened.wanted.prosumer, opened.wanted.period) == (0, "", 0)


def test_playing_goes_on_until_somebody_stops_it(desk: Desk) -> None:
    desk.play()
    until(lambda: desk.seen.scene is not None and desk.seen.scene.round == 2)
    desk.step()  # is not heard while it plays
    desk.stop()
    assert scene(desk).round in (2, 3)


def test_a_computation_shows_how_far_it_is_and_can_be_stopped(many: Path) -> None:
    desk = Desk()
    never = {"market.method": "plain", "market.primal_tolerance_kw": 1e-300, "market.max_rounds": 1_000_000}
    desk.open("many", gb.load(str(many), never), {})
    scene(desk)
    desk.run_to("settled")
    until(lambda: desk.seen.scene is not None and desk.seen.scene.round > 0)
    assert desk.seen.busy == "computing"
    desk.look(period=7)  # is heard while it computes
    until(lambda: desk.seen.scene is not None and desk.seen.scene.wanted.period == 7)
    desk.stop()
    assert not scene(desk).ended
    desk.close()
    desk.wait()


def test_what_is_asked_for_while_it_draws_is_done_then(desk: Desk) -> None:
    desk.look(period=3)
    assert (desk.seen.busy, desk.seen.asked) == ("drawing", "look")
    desk.look(period=4)
    desk.step()
    assert (desk.seen.busy, desk.seen.asked) == ("one round", "step")
    assert (scene(desk).round, scene(desk).wanted.period) == (1, 4)


def test_desks_do_not_disturb_each_other(desk: Desk) -> None:
    other = Desk()
    other.open("ieee33", gb.load("ieee33"), {"alpha_scale": 3.0})
    scene(other)
    desk.step()
    other.run_to("settled")
    assert scene(desk).round == 1
    assert scene(other).ended
    other.close()
    other.wait()
    desk.step()
    assert scene(desk).round == 2


def test_nothing_can_be_stepped_before_something_is_open() -> None:
    desk = Desk()
    desk.step()
    assert isinstance(failure(desk), SessionError)
    assert said(failure(desk)) == "no market is open; open one first"
    desk.close()
    desk.step()  # nor after it was closed
    desk.close()
    desk.wait()


def test_a_behaviour_that_fails_is_told_of_and_one_can_go_back(tmp_path: Path) -> None:
    file = tmp_path / "trips.py"
    file.write_text(
        "from gridbazaar.agents import Behaviour\n\n\nclass Trips(Behaviour):\n"
        "    def believe(self, lmp_usd_per_kwh):\n        raise ValueError('tripped')\n"
    )
    desk = Desk()
    desk.open("ieee33", gb.load("ieee33"), {"prosumers.p2.behaviour": f"{file}:Trips"})
    scene(desk)
    desk.run_to("settled")
    assert "p2" in said(failure(desk))
    assert "tripped" in said(failure(desk))
    assert desk.seen.scene is not None
    desk.goto(0)
    assert scene(desk).round == 0
    desk.close()
    desk.wait()


def test_a_fault_of_ours_is_called_one() -> None:
    assert said(KeyError("x")) == "this is a fault of gridbazaar or of a behaviour: KeyError: 'x'"


def test_what_was_given_is_offered_first() -> None:
    shipped = list(gb.shipped_scenarios())
    assert Offers().names == shipped
    given = gb.load("ieee33", {"alpha_scale": 2.0})
    offers = Offers("mine.yaml", given)
    assert offers.names == ["mine.yaml", *shipped]
    assert offers.scenario("mine.yaml") is given
    assert offers.scenario("ieee33").alpha_scale == 1


def test_nobody_who_trades_is_no_fault(desk: Desk) -> None:
    desk.open("ieee33", gb.load("ieee33", {"links": {}}), {"market.case": "1"})
    assert scene(desk).links == []
    desk.run_to("settled")
    assert scene(desk).ended
    assert [series["name"] for series in scene(desk).prices["series"]] == ["mean LMP of prosumers"]


def test_it_says_when_a_condition_never_held(desk: Desk) -> None:
    desk.run_until("iteration == 2")
    assert scene(desk).round == 11
    desk.run_until("iteration > 99")
    assert said(failure(desk)) == "the run ended, and iteration > 99 never held"
    assert desk.seen.scene is not None
    assert desk.seen.scene.ended
