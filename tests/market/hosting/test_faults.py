"""Workers that die, hang or fail: the run goes on, or says why it cannot; and nobody is left behind."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from textwrap import dedent
from types import SimpleNamespace

import numpy as np
import pytest

from gridbazaar.agents import Behaviour, BehaviourError, HouseholdShortageError
from gridbazaar.market import EnergyMarket, Hosting, MarketSettings, WorkerLostError, Workers
from gridbazaar.market.hosting import workers as workers_module
from gridbazaar.market.hosting.calls import Call
from gridbazaar.network import GridbazaarError, InputError


class Once(Behaviour):
    """Does something dreadful in its fourth answer, but only the first time that anybody gets there."""

    def __init__(self, mark: Path) -> None:
        self.mark, self.answers = str(mark), 0

    def answer(self, quote, problem):
        self.answers += 1
        if self.answers == 4 and not Path(self.mark).exists():
            Path(self.mark).touch()
            self.dread()
        return problem.share(quote)

    def dread(self):
        os.kill(os.getpid(), signal.SIGKILL)


class Hangs(Once):
    def dread(self):
        time.sleep(600)


class Exits(Once):
    def dread(self):
        os._exit(3)


class Raises(Once):
    """Raises what no behaviour may: it is not caught where errors of behaviours are."""

    def dread(self):
        raise BaseExceptionGroup("oh", [KeyboardInterrupt()])


DREADFUL = {
    Once: "was killed by SIGKILL",
    Hangs: "did not answer within 1.5 s",
    Exits: "ended with exit code 3",
    Raises: "ended with exit code 1",
}


@pytest.mark.parametrize("kind", DREADFUL)
def test_whatever_happens_once_the_run_goes_on_to_the_same_end(run_at, same, tmp_path, kind):
    mark = tmp_path / "mark"
    mark.touch()
    here = run_at("ieee33", behaviours={"p2": kind(mark)})
    mark.unlink()
    there = run_at("ieee33", Workers(2, patience_s=1.5), behaviours={"p2": kind(mark)})
    assert same(here, there)
    (incident,) = there.result.hosting.incidents
    assert incident.how == DREADFUL[kind]
    assert "p2" in incident.members
    assert (incident.call, incident.verb) == (4, "answer")
    assert str(incident) in "".join(record.incidents for record in there.rounds)


class Always(Behaviour):
    def answer(self, quote, problem):
        os.kill(os.getpid(), signal.SIGKILL)


def test_who_dies_again_and_again_is_lost_for_good(run_at):
    with pytest.raises(WorkerLostError) as caught:
        run_at("ieee33", Workers(3), behaviours={"p2": Always()})
    assert caught.value.exit_code == 5
    assert (caught.value.times, caught.value.incident.members) == (3, ("p2",))
    assert str(caught.value).startswith(
        "worker process 2 (p2): lost 3 times in a row at the same question ('answer'); "
    )
    assert "the last one was killed by SIGKILL. Look for" in str(caught.value)


class Wrong(Behaviour):
    def offer(self, quote, plan):
        raise ValueError("no idea")


def test_what_a_behaviour_does_wrong_is_told_as_at_home(run_at):
    sentences = []
    for place in (None, Workers(2)):
        with pytest.raises(BehaviourError, match=r"behaviour Wrong of p2, in offer\(\): ValueError: no idea") as caught:
            run_at("ieee33", place, behaviours={"p2": Wrong()})
        sentences.append(str(caught.value))
    assert sentences[0] == sentences[1]


def test_a_household_that_cannot_be_served_is_refused_as_at_home(data):
    given = data("ieee33")
    homes = given["households"]
    greedy = replace(homes[0], elastic_min_kw=np.array(1e5), elastic_max_kw=np.array(1e5))
    with pytest.raises(HouseholdShortageError, match="prosumer p1"):
        EnergyMarket(**{**given, "households": [greedy, *homes[1:]]}, hosting=Hosting(Workers(2)))


def test_after_an_error_no_answer_is_taken_for_another(data):
    with EnergyMarket(**data("ieee33"), behaviours={"p1": Wrong()}, hosting=Hosting(Workers(3))) as market:
        market.step()
        for _ in range(2):
            with pytest.raises(BehaviourError):
                market.communities.answer(market.platform.quotes((0, 1, 2)))
        assert market.communities.schedules(market.proof.state.valued).bid_kw.shape == (3, 24)


@pytest.mark.parametrize(
    ("count", "patience", "sentence"), [(0, 1.0, "0 workers cannot"), (2, 0.0, "a patience of 0 s")]
)
def test_workers_without_a_number_or_patience_are_refused(count, patience, sentence):
    with pytest.raises(InputError, match=sentence):
        Workers(count, patience)


def test_where_there_is_no_fork_server_processes_are_spawned(run_at, same, monkeypatch):
    monkeypatch.setattr(workers_module.mp, "get_all_start_methods", lambda: ["spawn"])
    assert same(run_at("ieee33"), run_at("ieee33", Workers(2)))


def test_closing_leaves_nobody_behind(data):
    market = EnergyMarket(**data("ieee33"), hosting=Hosting(Workers(2)))
    pids = [proxy._transport.process.pid for proxy in market.communities.proxies]
    market.step()
    market.close()
    market.close()
    assert not any(alive(pid) for pid in pids)


IMPORTING = r"Exception ignored in: <function _get_module_lock.*?KeyboardInterrupt: ?\n"
"""What Python says of a Ctrl-C that comes to a callback of its imports, which drops it: the run goes on."""

SCRIPT = """
    import os, signal, sys, threading
    import gridbazaar.scenarios as gb
    from gridbazaar.agents import Behaviour
    from gridbazaar.market import Workers

    class Careful(Behaviour):  # a class of the script, which no other process could import
        def believe(self, lmp_usd_per_kwh):
            {body}
            return lmp_usd_per_kwh + 0.01

    print("ran", flush=True)
    scenario = gb.load("ieee33")
    from gridbazaar.market import EnergyMarket, Hosting
    market = EnergyMarket(
        scenario.build_clearing(), scenario.build_households(), scenario.build_links(),
        behaviours={{"p1": Careful()}}, hosting=Hosting(Workers(2)),
    )
    print(*[proxy._transport.process.pid for proxy in market.communities.proxies], flush=True)
    print(market.communities._scratch.name, flush=True)
    print(*[proxy._transport._folder for proxy in market.communities.proxies], flush=True)
    print(market.run().message, flush=True)
"""


def start(tmp_path: Path, body: str) -> subprocess.Popen[str]:
    script = tmp_path / "mine.py"
    script.write_text(dedent(SCRIPT.format(body=body)))
    return subprocess.Popen([sys.executable, str(script)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def alive(pid: int) -> bool:
    """Whether a process runs; who is dead and not yet fetched does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def gone(pids: list[int], within_s: float = 10.0) -> bool:
    end = time.monotonic() + within_s
    while any(map(alive, pids)) and time.monotonic() < end:
        time.sleep(0.05)
    return not any(map(alive, pids))


def test_a_script_is_run_once_and_may_define_behaviours(tmp_path):
    process = start(tmp_path, "pass")
    out, err = process.communicate(timeout=60)
    assert (process.returncode, err) == (0, "")
    first, pids, scratch, shared, message = out.splitlines()
    assert not any(Path(folder).exists() for folder in (scratch, *shared.split()))
    assert first == "ran"
    assert message.startswith("settled: nobody gains by deviating; by what is declared and believed: ")
    assert gone([int(pid) for pid in pids.split()])


AT_WORK, HANGING = "import time; time.sleep(0.05)", "while True: pass"
ENDS = [
    pytest.param(signal.SIGKILL, HANGING, id="killed, hanging"),
    pytest.param(signal.SIGINT, AT_WORK, id="Ctrl-C, at work"),
    pytest.param(signal.SIGKILL, AT_WORK, id="killed, at work", marks=pytest.mark.long),
    pytest.param(signal.SIGINT, HANGING, id="Ctrl-C, hanging", marks=pytest.mark.long),
    pytest.param(signal.SIGTERM, AT_WORK, id="ended, at work", marks=pytest.mark.long),
    pytest.param(signal.SIGTERM, HANGING, id="ended, hanging", marks=pytest.mark.long),
]


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="looks processes up in /proc")
@pytest.mark.parametrize(("number", "body"), ENDS)
def test_no_orphans_whatever_ends_the_market(tmp_path, number, body):
    process = start(tmp_path, body)
    assert process.stdout is not None
    assert process.stdout.readline() == "ran\n"
    pids = [int(pid) for pid in process.stdout.readline().split()]
    scratch = Path(process.stdout.readline().strip())
    shared = [Path(name) for name in process.stdout.readline().split()]
    time.sleep(0.5)
    assert all(map(alive, pids))
    assert all(folder.is_dir() for folder in (scratch, *shared))
    process.send_signal(number)
    process.communicate(timeout=30)
    assert gone(pids)
    assert not any(folder.exists() for folder in (scratch, *shared))


@pytest.mark.parametrize("after_s", [1.1, *(pytest.param(t, marks=pytest.mark.long) for t in (0.9, 1.3, 1.6))])
def test_ctrl_c_while_workers_start_is_ctrl_c(tmp_path, after_s):
    """A terminal sends it to the whole group, the fork server included."""
    command = [sys.executable, "-m", "gridbazaar.scenarios", "run", "ieee33", "--workers", "2", "--no-ac", "-o", "r"]
    process = subprocess.Popen(
        command, cwd=tmp_path, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True, start_new_session=True
    )
    time.sleep(after_s)
    os.killpg(process.pid, signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode in {0, 130, -signal.SIGINT}, err
    err = re.sub(IMPORTING, "", err, flags=re.DOTALL)
    assert process.returncode == -signal.SIGINT or "Traceback" not in err


def test_one_place_may_serve_several_markets(data):
    place = Workers(2, patience_s=1.5)
    with EnergyMarket(**data("ieee33"), hosting=Hosting(place)) as first:
        with EnergyMarket(**data("ieee33"), hosting=Hosting(place)) as second:
            second.step()
        first.step()
        os.kill(
            first.communities.proxies[0]._transport.process.pid, signal.SIGSTOP
        )  # it hangs: somebody must still look
        first.step()
        assert [incident.how for incident in first.communities.incidents] == ["did not answer within 1.5 s"]


def test_a_daemon_cannot_have_workers():
    script = """
        import multiprocessing as mp
        import gridbazaar.scenarios as gb
        from gridbazaar.market import Workers

        def run(_):
            try:
                gb.load("ieee33").market(backend=Workers(2))
            except Exception as error:
                return f"{type(error).__name__}: {error}"

        if __name__ == "__main__":
            with mp.get_context("fork").Pool(1) as pool:
                print(pool.map(run, [0])[0])
    """
    done = subprocess.run(
        [sys.executable, "-c", dedent(script)], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout.startswith("InputError: a daemonic process, such as a worker of a multiprocessing.Pool, cannot")


def test_a_spec_that_fails_leaves_no_worker(data):
    given = data("ieee33")
    started = []
    opened = Workers.open

    class Watched(Workers):
        def open(self):
            started.append(opened(self))
            return started[-1]

    home = given["households"][2]
    greedy = replace(home, fixed_kw=np.array(1e6))
    with pytest.raises(HouseholdShortageError):
        EnergyMarket(**{**given, "households": [*given["households"][:2], greedy]}, hosting=Hosting(Watched(3)))
    assert len(started) == 3
    for carrier in started:
        with pytest.raises(ValueError, match="closed"):
            carrier.process.is_alive()


class Locked(Behaviour):
    def __init__(self) -> None:
        self.lock = threading.Lock()


def test_a_behaviour_that_cannot_travel_is_named(data):
    place = Workers(2)
    with pytest.raises(
        BehaviourError, match=r"Locked of p2, in __init__\(\): it cannot be brought into another process"
    ):
        EnergyMarket(**data("ieee33"), behaviours={"p2": Locked()}, hosting=Hosting(place))
    assert not place._watchdog._watched


class OddError(InputError):
    """Cannot be made again from what it holds."""

    def __init__(self, one: str, *, two: str) -> None:
        super().__init__(one)
        self.two = two

    def __str__(self) -> str:
        return f"odd: {self.args[0]} {self.two}"


class Odd(Behaviour):
    def offer(self, quote, plan):
        raise OddError("one", two="two")


def test_an_error_that_cannot_travel_is_told_by_its_sentence(run_at):
    for place in (None, Workers(2)):
        with pytest.raises(GridbazaarError, match="odd: one two") as caught:
            run_at("ieee33", place, behaviours={"p2": Odd()})
        assert caught.value.exit_code == 2


def test_markets_may_be_opened_in_threads(run_at, same):
    main, threads = sys.modules["__main__"], os.environ.get("OMP_NUM_THREADS")
    with ThreadPoolExecutor(3) as pool:
        runs = list(pool.map(lambda _: run_at("ieee33", Workers(2)), range(3)))
    assert all(same(runs[0], run) for run in runs[1:])
    assert sys.modules["__main__"] is main
    assert os.environ.get("OMP_NUM_THREADS") == threads


def test_after_ctrl_c_in_the_middle_of_an_answer_a_market_goes_on(data, run_at, same):
    whole = run_at("ieee33")
    rounds = []
    bids = MarketSettings(network_use="bids")
    with EnergyMarket(**data("ieee33"), settings=bids, rng=5, hosting=Hosting(Workers(2))) as market:
        for _ in range(6):
            market.step()
            rounds.append(market.last)
        home = market.communities.proxies[0]
        home.ask(Call(market.communities.calls, "books", home.membership.cut(market.platform.deliveries())))
        while market.running:  # that answer is never fetched
            market.step()
            rounds.append(market.last)
        again = SimpleNamespace(rounds=rounds, result=market.result())
    assert same(whole, again)
    assert [incident.how for incident in again.result.hosting.incidents] == ["was interrupted while it answered"]
