"""A session goes to any round of any branch with the bits that it had the first time; forks never rewrite."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import gridbazaar.scenarios as gb
from gridbazaar.market import Workers
from gridbazaar.market.proof.central import equilibrium
from gridbazaar.network.errors import GridbazaarError
from gridbazaar.scenarios.stepping import keyframes
from gridbazaar.scenarios.stepping.errors import SessionError
from gridbazaar.scenarios.stepping.session import Session

HERE = Path(__file__).parent
ARRAYS = ("bid_kw", "lmp_usd_per_kwh", "power_kw", "price_usd_per_kwh", "penalty_usd_per_kw2h")


def bits(session):
    """All arrays of the round one is at."""
    assert session.last is not None
    return {name: getattr(session.last, name).tobytes() for name in ARRAYS}


@pytest.fixture
def session():
    with Session("ieee33") as opened:
        yield opened


def test_it_goes_where_a_run_goes(session):
    assert session.run_to("settled")
    result, ran = session.result(), gb.load("ieee33").market().run()
    assert np.array_equal(result.bid_kw, ran.bid_kw)
    assert result.message == ran.message
    assert [mark.number for mark in session.history()] == list(range(1, session.round + 1))
    assert session.step() is session.last  # nothing moves once it has ended


def test_goals(session):
    assert session.run_to("clearing")
    assert (session.round, session.last.phase) == (1, "clearing")
    assert session.run_to("agreed")
    assert session.market.phase == "delivery"
    assert session.run_to("clearing")
    assert session.last.iteration == 2
    with pytest.raises(SessionError, match="there is no 'end' to run to; write clearing, agreed or settled"):
        session.run_to("end")


def test_watching_can_stop_it(session):
    assert not session.run_to("settled", lambda last: last.number < 7)
    assert session.round == 7
    session.step(5, lambda _: False)
    assert session.round == 8


def test_back_and_forth_give_the_same_bits(session):
    seen = {}
    while not session.ended:
        session.step()
        seen[session.round] = bits(session)
    collected = session.market.datacollector.get_model_vars_dataframe()
    for number in (42, 3, 17, 16, 43, 1, 32):
        session.goto(number)
        assert bits(session) == seen[number]
        assert session.market.datacollector.get_model_vars_dataframe().equals(collected[:number])
    assert session.back(100) is None
    assert session.round == 0
    assert session.newest == 43


def _unreliable(path):
    return {
        "prosumers.p2.behaviour": f"{HERE / 'moody.py'}:Moody",
        "messages.loss": 0.2,
        "messages.delay_rounds": 2,
        "market.max_rounds": 25,
        "market.max_iterations": 3,
    } | path


@pytest.fixture(scope="module", params=[0, 2], ids=["here", "two workers"])
def unreliable(request):
    """A run with lost messages and a behaviour that draws and remembers, to its end, and what its rounds were."""
    backend = (lambda: Workers(2)) if request.param else (lambda: None)
    with Session("ieee33", _unreliable({}), backend=backend, memory_mib=1) as session:
        seen = {}
        while not session.ended:
            session.step()
            seen[session.round] = bits(session)
        yield session, seen


@settings(max_examples=8, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_any_round_has_the_bits_of_the_first_time(unreliable, data):
    session, seen = unreliable
    number = data.draw(st.integers(1, max(seen)))
    session.goto(number)
    assert bits(session) == seen[number]


def test_saved_states_beyond_the_budget_are_on_disk_and_gone_at_the_end(monkeypatch):
    monkeypatch.setattr(keyframes, "_EVERY", 2)
    session = Session("ieee33", memory_mib=0.5)
    session.run_to("settled")
    last = bits(session)
    kept = session._runs["main"].keyframes
    assert kept.bytes_in_memory <= 2**19
    on_disk = [file for file in kept._kept.values() if isinstance(file, Path)]
    assert len(on_disk) > 10
    session.goto(6)
    session.goto(43)
    assert bits(session) == last
    session.close()
    assert not any(file.exists() for file in on_disk)


def test_a_behaviour_that_cannot_be_saved_is_lived_through_again():
    with Session("ieee33", {"prosumers.p2.behaviour": f"{HERE / 'moody.py'}:Unsaved"}) as session:
        session.step(12)
        before = bits(session)
        session.back(5)
        session.goto(12)
        assert bits(session) == before
        with pytest.raises(GridbazaarError, match="Unsaved of p2"):
            session.fork({"alpha_scale": 2})
        assert [branch.name for branch in session.branches] == ["main"]


def test_an_answer_that_differs_the_second_time_is_told():
    with Session("ieee33", {"prosumers.p2.behaviour": f"{HERE / 'moody.py'}:Forgetful"}) as session:
        session.step(12)
        session.back(11)
        with pytest.raises(SessionError, match="came out otherwise than the first time: a behaviour answers by what"):
            session.goto(12)


# --- forks


def test_a_fork_without_a_change_goes_on_as_if_nothing_had_happened(session):
    session.run_to("settled")
    last = bits(session)
    session.goto(20)
    session.fork()
    session.run_to("settled")
    assert bits(session) == last


CHANGES = {
    "steeper": {"alpha_scale": 2},
    "smaller": {"prosumers.p2.elastic_max_kw": 50},
    "a line": {"feeder.lines.6-26.p_max_kw": 600},
    "load": {"feeder.buses.18.p_kw": 200},
    "method": {"market.method": "admm"},
    "order": {"market.order": "gauss_seidel"},
    "penalty": {"market.penalty_usd_per_kw2h": 1e-3},
    "a cap": {"links.p1-p3.cap_kw": 20},
}


@pytest.mark.parametrize("where", [4, 12, 43])
@pytest.mark.parametrize("what", CHANGES)
def test_a_fork_settles_at_the_equilibrium_of_what_was_changed(session, what, where):
    """Held against the joint problem of the changed scenario, which no market has a part in."""
    session.goto(where)
    branch = session.fork(CHANGES[what])
    assert (branch.parent, branch.round) == ("main", where)
    assert session.run_to("settled"), session.last.sentence
    changed = gb.load("ieee33", CHANGES[what])
    clearing, homes = changed.build_clearing(), changed.build_households()
    graph = session.market.graph
    joint = equilibrium(clearing.feeder, clearing.load_kw, clearing.load_kvar, homes, graph)
    result = session.result()
    within = result.certificate.total_usd + 1e-6 * result.dso_cost_usd
    assert result.welfare_usd == pytest.approx(joint.welfare_usd, abs=within)
    assert session.goto(where, "main") is session.last
    assert session.newest >= where
    assert session.branch.name == "main"


def test_what_was_proven_before_does_not_count(session):
    """A settled run of which the loads change is not settled."""
    session.run_to("settled")
    session.fork({"feeder.buses.18.p_kw": 200})
    assert not session.ended
    assert not np.isfinite(session.result().certificate.total_usd)
    session.step()
    assert not session.ended


def test_a_behaviour_comes_and_goes_and_others_keep_what_they_remember():
    moody = f"{HERE / 'moody.py'}:Moody"
    with Session("ieee33", {"prosumers.p3.behaviour": moody, "market.max_iterations": 3}) as session:
        session.step(6)
        asked = session.market.prosumers[2].behaviour.asked
        session.fork({"prosumers.p2.behaviour": f"{HERE / 'moody.py'}:Dearer"})
        assert type(session.market.prosumers[1].behaviour).__name__ == "Dearer"
        assert session.market.prosumers[2].behaviour.asked == asked > 0
        session.step(4)
        session.fork({"prosumers.p3.behaviour": "price_taker"})
        session.step(4)
        assert session.round == 14


@pytest.mark.parametrize(
    "change",
    [
        {"market.case": 1},
        {"links.p1-p2": None},
        {"market.network_use": "withdrawals"},
        {
            "prosumers.p4": {
                "bus": "9",
                "alpha_usd_per_kw2h": 1e-4,
                "beta_usd_per_kwh": 0.3,
                "elastic_max_kw": 9,
                "bid_max_kw": 9,
            }
        },
    ],
)
def test_what_cannot_be_changed_on_the_way_begins_anew_and_says_so(session, change):
    session.step(5)
    branch = session.fork(change)
    assert (branch.round, session.round) == (0, 0)
    assert branch.note.startswith("begins at round 0, not at 5: who there is, who trades with whom")
    assert str(branch).startswith("fork1: main begins anew, with ")
    session.step()
    assert session.history()[0].number == 1


def test_a_tree_of_branches(session):
    session.step(10)
    session.fork({"alpha_scale": 2}, "steep")
    session.step(3)
    session.fork({"seed": 9}, "chance")
    assert session.branch.seed == 9
    session.step(2)
    assert session.changes() == {"alpha_scale": 2, "seed": 9}
    assert [(b.name, b.parent, b.round) for b in session.branches] == [
        ("main", "", 0),
        ("steep", "main", 10),
        ("chance", "steep", 13),
    ]
    assert [mark.number for mark in session.history()] == list(range(1, 16))
    session.goto(12)
    assert session.branch.name == "steep"
    session.goto(4)
    assert session.branch.name == "main"
    session.switch("chance")
    assert session.round == 15
    session.goto("steep@11")
    assert (session.branch.name, session.round) == ("steep", 11)
    with pytest.raises(SessionError, match="there is a branch steep already; give it another name"):
        session.fork({}, "steep")
    with pytest.raises(SessionError, match=r"there is no branch stee; did you mean steep\?"):
        session.switch("stee")
    with pytest.raises(gb.ScenarioError, match=r"changes market.oder=x market.oder: unknown key; did you mean order"):
        session.fork({"market.oder": "x"})
    assert len(session.branches) == 3


def test_closing_leaves_no_worker_behind():
    made = []

    def backend():
        made.append(Workers(1))
        return made[-1]

    session = Session("ieee33", {"market.max_iterations": 2}, backend=backend)
    session.step(2)
    for n in range(3):
        session.fork({"alpha_scale": 1 + n})
    pids = [
        proxy._transport.process.pid for market in session._runs._open.values() for proxy in market.communities.proxies
    ]
    assert len(session._runs._open) == 2  # of four branches
    assert all(Path(f"/proc/{pid}").exists() for pid in pids)
    session.close()
    assert not any(Path(f"/proc/{pid}").exists() for pid in pids)


def test_a_round_that_fails_on_its_way_is_none(session, monkeypatch):
    session.step(20)
    before = bits(session)
    failing = session.market.communities
    real = type(failing).answer

    def answer(self, quotes):
        monkeypatch.setattr(type(failing), "answer", real)
        real(self, quotes)
        raise KeyboardInterrupt

    monkeypatch.setattr(type(failing), "answer", answer)
    with pytest.raises(KeyboardInterrupt):
        session.step()
    assert session.round == 20
    assert bits(session) == before
    assert session.run_to("settled")
    ran = gb.load("ieee33").market().run()
    assert np.array_equal(session.result().bid_kw, ran.bid_kw)


def test_a_behaviour_is_told_of_its_new_household():
    with Session("ieee33", {"prosumers.p2.behaviour": f"{HERE / 'moody.py'}:Knows"}) as session:
        session.step(6)
        session.fork({"prosumers.p2.elastic_max_kw": 50})
        assert session.market.prosumers[1].behaviour.most_kw == 50


def test_all_branches_together_stay_within_the_budget(monkeypatch):
    monkeypatch.setattr(keyframes, "_EVERY", 2)
    with Session("ieee33", memory_mib=2) as session:
        session.run_to("settled")
        for n in range(5):
            session.fork({"alpha_scale": 1.5 + n})
            session.step(10)
        assert sum(track.keyframes.bytes_in_memory for track in session._runs) <= 2 * 2**20


def test_a_closed_session_says_so():
    session = Session("ieee33")
    session.close()
    with pytest.raises(SessionError, match="the session is closed; open another one"):
        session.step()


def test_an_unknown_place_is_refused(session):
    with pytest.raises(SessionError, match="there is no round -1"):
        session.goto(-1)
    with pytest.raises(SessionError, match="there is no branch ²"):
        session.goto("²")
    with pytest.raises(SessionError, match="'main@x' is no place; write a round, a branch, or branch@round"):
        session.goto("main@x")
