"""A market that is lived through again from its diary goes on as if nothing had happened, wherever prosumers live."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from gridbazaar.market import Absence, EnergyMarket, Hosting, MarketSettings, MessageFaults, Workers
from gridbazaar.market.hosting import communities
from gridbazaar.market.hosting.diary import Diary, ReplayError, newest_saved

FAULTS = MessageFaults(delay_rounds=2, loss=0.2, stale_rounds=1, away={"p2": Absence(5, 5)})
RUNS = {
    "sharing": {},
    "in turn": {"order": "gauss_seidel"},
    "no sharing": {"case": 1},
    "by a planner": {"case": 2},
    "admm": {"method": "admm"},
    "damped": {"method": "damped"},
    "unreliable": {"messages": FAULTS},
}


@pytest.fixture
def begin(data, monkeypatch):
    """Open a market with a diary; communities are saved after every round."""
    monkeypatch.setattr(communities, "_EVERY_S", 0.0)

    def opened(diary, place=None, **settings):
        messages = settings.pop("messages", None)
        chosen = MarketSettings(**settings)
        return EnergyMarket(
            **data("ieee33"), settings=chosen, messages=messages, rng=5, hosting=Hosting(place, diary=diary)
        )

    return opened


def run(market, rounds=10**9):
    found = []
    with market:
        while market.running and market.rounds < rounds:
            market.step()
            found.append(market.last)
        return SimpleNamespace(rounds=found, result=market.result() if not market.running else None)


@pytest.mark.parametrize("kind", RUNS)
@pytest.mark.parametrize(("first", "then"), [(None, Workers(2)), (Workers(3), None)], ids=["out", "home"])
def test_a_run_goes_on_to_the_same_bits_wherever(begin, same, tmp_path, kind, first, then):
    whole = run(begin(None, **RUNS[kind]))
    rng = np.random.default_rng(len(kind))
    past: dict[int, tuple[str, np.ndarray]] = {}

    def note(call, verb, values):
        past[call] = verb, values

    run(begin(Diary(tmp_path, note), first, **RUNS[kind]), rounds=int(rng.integers(3, len(whole.rounds))))
    last = max(past)
    del past[last]  # killed before its last answer was noted
    saved_at, saved = newest_saved(tmp_path, at_most=max(past, default=0))
    again = run(begin(Diary(tmp_path, note, dict(past), saved_at, saved), then, **RUNS[kind]))
    assert same(whole, again)
    assert last in past  # what was lost has been answered once more


def test_saved_answers_are_not_asked_for_again(begin, tmp_path):
    past: dict[int, tuple[str, np.ndarray]] = {}
    run(begin(Diary(tmp_path, lambda call, verb, values: past.update({call: (verb, values)}))), rounds=20)
    saved_at, saved = newest_saved(tmp_path, at_most=max(past))
    assert saved_at > 10
    with begin(Diary(tmp_path, lambda *_: None, past, saved_at, saved)) as market:
        for _ in range(10):
            market.step()
        assert market.communities.relives
        assert market.communities.timing.solving_s == 0.0


def test_another_answer_than_the_recorded_one_is_an_error(begin, tmp_path):
    past: dict[int, tuple[str, np.ndarray]] = {}
    run(begin(Diary(tmp_path, lambda call, verb, values: past.update({call: (verb, values)}))), rounds=5)
    past[3] = past[3][0], past[3][1] + 1e-12
    with pytest.raises(ReplayError, match="call 3 to the prosumers gives other numbers than those recorded"):
        run(begin(Diary(tmp_path, lambda *_: None, past)))
    past[2] = "commit", past[2][1]
    with pytest.raises(ReplayError, match="call 2 to the prosumers"):
        run(begin(Diary(tmp_path, lambda *_: None, past)))


def test_only_whole_sets_of_saved_communities_count(tmp_path):
    names = ["5-1of2.npz", "5-2of2.npz", "8-1of2.npz", "8-1of1.npz", "9-1of1.partial", "30-1of1.npz", "notes.npz"]
    for name in names:
        Path(tmp_path, name).touch()
    assert newest_saved(tmp_path, at_most=20) == (8, (tmp_path / "8-1of1.npz",))
    assert newest_saved(tmp_path, at_most=7) == (5, (tmp_path / "5-1of2.npz", tmp_path / "5-2of2.npz"))
    assert newest_saved(tmp_path, at_most=4) == (0, ())
