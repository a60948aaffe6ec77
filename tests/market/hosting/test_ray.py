"""Communities on a real Ray, started on this machine: the same bits and faults, and no port beyond the loopback."""

from __future__ import annotations

import ipaddress
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from textwrap import dedent

import numpy as np
import pytest

pytest.importorskip("ray")

from gridbazaar.agents import Behaviour
from gridbazaar.market import EnergyMarket, Hosting, RayCluster, Round
from gridbazaar.network import InputError

pytestmark = pytest.mark.xdist_group("ray")  # there is one Ray on a machine
SHORT = {"max_rounds": 12, "max_iterations": 3}


@pytest.fixture(scope="module", autouse=True)
def ray():
    """One Ray for all tests: a market that finds one running uses it, and leaves it running."""
    cluster = RayCluster()
    connected = cluster._connected()
    yield connected
    cluster.close()


@pytest.mark.parametrize(
    ("name", "settings"), [("ieee33", {}), pytest.param("town", SHORT, marks=pytest.mark.long)], ids=["ieee33", "town"]
)
def test_ray_changes_nothing(run_at, same, name, settings):
    there = run_at(name, RayCluster(count=2), **settings)
    assert same(run_at(name, **settings), there)
    assert len(there.market.communities.proxies) == 2
    assert there.result.hosting.timing.noun == "Ray actor"


def test_as_many_actors_as_cores_unless_told_otherwise(ray):
    cores = int(ray.cluster_resources()["CPU"])
    assert RayCluster().communities(1000) == cores
    assert RayCluster().communities(1) == 1
    assert RayCluster(count=3).communities(1000) == 3


class Sick(Behaviour):
    """Falls ill in its fourth answer, but only the first time that anybody gets there."""

    def __init__(self, mark: Path, *, hangs: bool) -> None:
        self.mark, self.hangs, self.count = str(mark), hangs, 0

    def answer(self, quote, problem):
        self.count += 1
        if self.count == 4 and not Path(self.mark).exists():
            Path(self.mark).touch()
            if self.hangs:
                time.sleep(600)
            os.kill(os.getpid(), signal.SIGKILL)
        return problem.share(quote)


LOST = [
    pytest.param(False, "was lost (ActorDiedError)", id="killed"),
    pytest.param(True, "did not answer within 30 s", id="hangs", marks=pytest.mark.long),
]


@pytest.mark.parametrize(("hangs", "how"), LOST)
def test_a_lost_actor_is_replaced_and_the_run_ends_the_same(run_at, same, tmp_path, hangs, how):
    mark = tmp_path / "mark"
    mark.touch()
    here = run_at("ieee33", behaviours={"p2": Sick(mark, hangs=hangs)})
    mark.unlink()
    there = run_at("ieee33", RayCluster(count=3, patience_s=30.0), behaviours={"p2": Sick(mark, hangs=hangs)})
    assert same(here, there)
    (incident,) = there.result.hosting.incidents
    assert (incident.noun, incident.members, incident.call, incident.how) == ("Ray actor", ("p2",), 4, how)


@pytest.mark.long
def test_actors_killed_at_random_rounds_change_nothing(run_at, same, ray):
    here = run_at("ieee33")
    rng = np.random.default_rng(3)
    when = {1 + int(r) for r in rng.choice(len(here.rounds) - 2, 4, replace=False)}

    def strike(market):
        if market.rounds in when:
            ray.kill(market.communities.proxies[int(rng.integers(2))]._transport._actor)

    there = run_at("ieee33", RayCluster(count=2), before=strike)
    assert same(here, there)
    assert len(there.result.hosting.incidents) == 4


def test_saved_communities_come_home(monkeypatch, data, ray):
    """Actors may be on other machines: what they save is written here, and a successor goes on from it."""
    monkeypatch.setattr("gridbazaar.market.hosting.communities._EVERY_S", 0.0)
    rounds: list[Round] = []
    with EnergyMarket(**data("village"), rng=5, hosting=Hosting(RayCluster(count=2))) as market:
        for number in range(12):
            market.step()
            rounds.append(market.last)
            if number == 8:
                ray.kill(market.communities.proxies[0]._transport._actor)
        assert all(len(proxy._replay) == 1 for proxy in market.communities.proxies)  # the newest round
        assert len(market.communities.incidents) == 1
    here = EnergyMarket(**data("village"), rng=5)
    for record in rounds:
        here.step()
        assert (here.last.power_kw == record.power_kw).all()


def test_nothing_listens_beyond_the_loopback(data):
    """Of all that this process and its children listen on, now that a market runs on Ray."""
    with EnergyMarket(**data("ieee33"), hosting=Hosting(RayCluster(count=2))) as market:
        market.step()
        market.step()
        heard = listening(os.getpid())
    assert len(heard) >= 4
    assert {address for address in heard if not ipaddress.ip_address(address).is_loopback} == set()


def listening(root: int) -> list[str]:
    """The addresses that a process and its descendants listen on."""
    rows = [line.split() for kind in ("tcp", "tcp6") for line in Path(f"/proc/net/{kind}").read_text().splitlines()[1:]]
    listens = {cells[9]: _address(cells[1].partition(":")[0]) for cells in rows if cells[3] == "0A"}
    handles = [handle for pid in family(root) for handle in Path(f"/proc/{pid}/fd").glob("*")]
    sockets = [re.fullmatch(r"socket:\[(\d+)\]", _told(os.readlink, handle)) for handle in handles]
    return [listens[match[1]] for match in sockets if match and match[1] in listens]


def family(root: int) -> set[int]:
    """A process and its descendants."""
    processes = [entry for entry in Path("/proc").iterdir() if entry.name.isdigit()]
    stats = {int(process.name): _told(Path.read_text, process / "stat") for process in processes}
    parents = {pid: int(text.rpartition(")")[2].split()[1]) for pid, text in stats.items() if text}
    found, more = set(), {root}
    while more:
        found |= more
        more = {pid for pid, parent in parents.items() if parent in found} - found
    return found


def _told(ask, path: Path) -> str:
    """What is found at a path of a process; nothing if the process has just ended."""
    try:
        return ask(path)
    except OSError:
        return ""


def _address(text: str) -> str:
    """An address of /proc/net: 32-bit words, each in the order of this machine."""
    words = b"".join(bytes.fromhex(text[k : k + 8])[::-1] for k in range(0, len(text), 8))
    address = ipaddress.ip_address(words)
    return str(getattr(address, "ipv4_mapped", None) or address)


@pytest.mark.parametrize(
    ("given", "sentence"), [({"count": 0}, "0 Ray actors cannot"), ({"patience_s": 0.0}, "a patience of 0 s")]
)
def test_a_cluster_without_actors_or_patience_is_refused(given, sentence):
    with pytest.raises(InputError, match=sentence):
        RayCluster(**given)


SCRIPT = """
    import sys
    import gridbazaar.scenarios as gb
    from gridbazaar.market import RayCluster
    with gb.load("ieee33").market(backend=RayCluster(sys.argv[1], 2)) as market:
        print(market.run().message)
"""


def script(tmp_path: Path, address: str, **environment: str) -> subprocess.CompletedProcess[str]:
    file = tmp_path / "mine.py"
    file.write_text(dedent(SCRIPT))
    command = [sys.executable, str(file), address]
    env = {**os.environ, **environment}
    return subprocess.run(command, env=env, capture_output=True, text=True, timeout=60, check=False)


def test_another_process_may_join_a_running_cluster(ray, tmp_path):
    address = ray.get_runtime_context().gcs_address
    done = script(tmp_path, address, RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER="0")  # this one is on the loopback
    assert (done.returncode, done.stdout) == (0, "settled: nobody gains by deviating\n"), done.stderr


@pytest.mark.parametrize("address", ["127.0.0.1:1", "nowhere.invalid:6379", "oops:port"])
def test_where_there_is_no_cluster_the_address_is_named(tmp_path, address):
    done = script(tmp_path, address)
    assert done.returncode == 1
    assert f"InputError: there is no Ray cluster at {address} (" in done.stderr
