"""State is data: a market goes on from a snapshot, a copy, a pickle or a file as if nothing had happened, anywhere."""

from __future__ import annotations

import copy
import io
import pickle
from types import SimpleNamespace

import numpy as np
import pytest
from bits import Moody, charging, equal_runs

from gridbazaar.market import Absence, EnergyMarket, Hosting, MarketSettings, MessageFaults, Workers, checkpoints
from gridbazaar.market.checkpoints import Checkpoints
from gridbazaar.market.state_file import packed, unpacked
from gridbazaar.network import InputError

pytestmark = pytest.mark.xdist_group("state")  # the undisturbed runs are made once
FAULTS = MessageFaults(delay_rounds=2, loss=0.2, stale_rounds=1, quantum_kw=0.001, away={"p2": Absence(5, 5)})
RUNS = {
    "newton": {},
    "gauss_seidel": {"order": "gauss_seidel"},
    "jacobi": {"order": "jacobi", "max_rounds": 60, "max_iterations": 3},
    "no sharing": {"case": 1},
    "by a planner": {"case": 2},
    "plain": {"method": "plain", "max_iterations": 6},
    "damped": {"method": "damped", "max_iterations": 6},
    "proximal_gradient": {"method": "proximal_gradient", "max_iterations": 6},
    "admm": {"method": "admm"},
    "withdrawals": {"network_use": "withdrawals"},
    "tariffs": {"network_use": "withdrawals", "tariffs": True},
    "unreliable": {"messages": FAULTS, "regret_tolerance": 1e-4},
    "behaviour": {"behaviours": True, "max_rounds": 30, "max_iterations": 3},
}


@pytest.fixture(scope="module")
def begin(ieee33_bazaar):
    def opened(kind, backend=None):
        settings, bazaar = dict(RUNS[kind]), ieee33_bazaar()
        if settings.pop("tariffs", False):
            bazaar = charging(bazaar)
        messages = settings.pop("messages", None)
        behaviours = {"p2": Moody()} if settings.pop("behaviours", False) else None
        return EnergyMarket(
            bazaar.clearing(),
            bazaar.households,
            bazaar.links,
            settings=MarketSettings(**{"network_use": "bids"} | settings),
            behaviours=behaviours,
            messages=messages,
            rng=5,
            hosting=Hosting(backend),
        )

    return opened


def to_the_end(market, before=()):
    """The rounds to come behind those before, and the result."""
    found = list(before)
    while market.running:
        market.step()
        found.append(market.last)
    return SimpleNamespace(rounds=found, result=market.result())


def go(market, rounds):
    """So many rounds."""
    return [market.step() or market.last for _ in range(rounds)]


@pytest.fixture(scope="module")
def whole(begin):
    """The undisturbed run of each kind."""
    runs = {}

    def of(kind):
        if kind not in runs:
            runs[kind] = to_the_end(begin(kind))
        return runs[kind]

    return of


def check_from(begin, whole, kind, at):
    """From this round on a snapshot, a copy, a pickle, a file, and the market itself are the same run."""
    market = begin(kind)
    before = go(market, at)
    state = market.snapshot()
    other = begin(kind)
    other.restore(unpacked(packed(state)))
    for twin in (market.copy(), copy.deepcopy(market), pickle.loads(pickle.dumps(market)), other, market):
        assert twin.rounds == at
        assert equal_runs(whole(kind), to_the_end(twin, before))
    market.restore(state)  # and back, as often as one likes
    assert equal_runs(whole(kind), to_the_end(market, before))


@pytest.mark.parametrize("kind", ["newton", "by a planner", "admm", "behaviour"])
def test_from_the_middle_on_it_is_the_same_run(begin, whole, kind):
    check_from(begin, whole, kind, 2 * len(whole(kind).rounds) // 3)


@pytest.mark.long
@pytest.mark.parametrize("kind", RUNS)
def test_from_any_round_on_it_is_the_same_run(begin, whole, kind):
    rng, length = np.random.default_rng(len(kind)), len(whole(kind).rounds)
    for at in (0, 1, *(int(r) for r in rng.integers(2, length, 2)), length):
        check_from(begin, whole, kind, at)


LONG = [pytest.param(kind, marks=pytest.mark.long) for kind in ("gauss_seidel", "admm", "unreliable")]


@pytest.mark.parametrize("kind", ["newton", "behaviour", *LONG])
def test_workers_take_over_and_hand_back(begin, whole, kind):
    at = len(whole(kind).rounds) // 2
    market = begin(kind)
    before = go(market, at)
    with begin(kind, Workers(2)) as there:
        there.restore(market.snapshot())
        before += go(there, 3)
        state = there.snapshot()
        assert equal_runs(whole(kind), to_the_end(there, before))
        with there.copy() as ended:
            assert not ended.running
        market.restore(state)
        assert equal_runs(whole(kind), to_the_end(market, before))
        there.restore(state)
        with there.copy() as twin:
            assert len(twin.communities.proxies) == 2
            assert equal_runs(whole(kind), to_the_end(twin, before))
        assert there.rounds == at + 3


def test_a_worker_that_is_lost_after_a_restore_goes_on_from_there(begin, whole, kill):
    market = begin("behaviour")
    before = go(market, 12)
    with begin("behaviour", Workers(2)) as there:
        there.restore(market.snapshot())
        for proxy in there.communities.proxies:
            kill(proxy)
        assert equal_runs(whole("behaviour"), to_the_end(there, before))
        assert len(there.communities.incidents) == 2


def test_looking_changes_nothing(begin, whole):
    """Not result(), at any phase, the first included, nor a snapshot, nor the certificate."""
    market, found = begin("newton"), []
    while market.running:
        looked = market.result()
        assert (looked.outcome.name == "SETTLED") is False
        assert looked.bid_kw.shape == market.bid_kw.shape
        assert np.array_equal(looked.dispatch.demand_kw, market.operator.foreseen(market.bid_kw).demand_kw)
        market.snapshot()
        market.step()
        found.append(market.last)
    assert equal_runs(whole("newton"), SimpleNamespace(rounds=found, result=market.result()))


def test_bids_that_wait_for_their_clearing_prove_nothing(begin):
    market = begin("newton")
    while market.phase != "delivery":
        market.step()
    market.step()
    assert market.phase == "clearing"
    result = market.result()
    assert np.array_equal(result.bid_kw, market.bid_kw)
    assert np.isnan(result.certificate.total_usd)
    market.step()
    assert np.array_equal(result.lmp_usd_per_kwh, market.operator.announce())


def test_a_snapshot_is_not_changed_by_what_follows(begin):
    market = begin("unreliable")
    go(market, 20)
    state = market.snapshot()
    before = packed(state)
    to_the_end(market)
    assert packed(state) == before


def test_a_copy_has_its_own_collector_random_numbers_and_agents(begin):
    market = begin("newton")
    go(market, 5)
    twin = market.copy()
    assert twin.rng.random() == market.rng.random()
    assert twin.random.random() == market.random.random()
    go(twin, 3)
    assert len(market.datacollector.get_model_vars_dataframe()) == 5
    assert len(twin.datacollector.get_model_vars_dataframe()) == 8
    assert {a.model for a in twin.agents} == {twin}


def test_checkpoints_are_whole_or_not_there(begin, whole, tmp_path, monkeypatch):
    monkeypatch.setattr(checkpoints, "_EVERY_S", 0.0)
    market, kept = begin("behaviour"), Checkpoints(tmp_path / "checkpoint")
    assert kept.newest(at_most=100) is None
    before = go(market, 7)
    kept.save(market)
    assert {path.name for path in kept.folder.iterdir()} == {"7.npz", "7-1of1.npz"}
    before += go(market, 4)
    kept.save(market)
    assert {path.name for path in kept.folder.iterdir()} == {"11.npz", "11-1of1.npz"}
    assert kept.newest(at_most=10) is None
    for name in ("20.npz", "30-1of2.npz", "30.npz", "notes.npz", "9.partial"):  # killed on the way
        (kept.folder / name).touch()
    with begin("behaviour", Workers(3)) as again:
        again.restore(kept.newest(at_most=100))
        assert again.rounds == 11
        assert equal_runs(whole("behaviour"), to_the_end(again, before))


def test_a_damaged_checkpoint_is_named_with_the_cure(begin, tmp_path):
    market, kept = begin("newton"), Checkpoints(tmp_path / "checkpoint")
    go(market, 3)
    kept.save(market)
    (kept.folder / "3.npz").write_bytes(b"nonsense")
    with pytest.raises(
        InputError, match=r"checkpoint/3\.npz: this is no state of a market, .* remove .*checkpoint, and"
    ):
        kept.newest(at_most=10)


def test_a_file_that_is_no_state_is_refused(begin):
    content = packed(begin("newton").snapshot())
    with np.load(io.BytesIO(content)) as archive:
        arrays = dict(archive)
    tree = str(arrays.pop("tree"))
    others = (tree.replace("MarketState", "OtherState"), tree.replace('"phase"', '"stage"'), '{"tuple": []}', "[", "{}")
    for damaged in (b"", b"nonsense", content[:-400], content[:400], *(archive_of(other, arrays) for other in others)):
        with pytest.raises(InputError, match="no state of a market, or one of another version"):
            unpacked(damaged)


def archive_of(tree, arrays):
    """A NumPy archive with this tree and these arrays beside it."""
    archive = io.BytesIO()
    np.savez(archive, tree=np.array(tree), **arrays)
    return archive.getvalue()
