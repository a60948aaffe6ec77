"""Remote behaviours: programs that speak JSON lines, what is wrong with some, and that none is left behind."""

from __future__ import annotations

import os
import pickle
import re
import shlex
import shutil
import subprocess
import sys
import time
from pathlib import Path

import mesa
import numpy as np
import pytest

from gridbazaar.agents import BehaviourError, Delivery, PriceTaker, Prosumer, Quote, behaviours, json_program
from gridbazaar.agents.behaviour_errors import AnswerError
from gridbazaar.agents.behaviours.loss_averse import LossAverse
from gridbazaar.agents.behaviours.remote import HOOKS, Remote

SHAPE = 1, 2
ZERO = np.zeros(SHAPE)
FIXED = np.full(2, 0.2), np.zeros(2), np.zeros(2)
QUOTE = Quote(*FIXED, np.full(SHAPE, 0.15), ZERO, ZERO, np.full(SHAPE, 1e-3), np.full(SHAPE, 1e-3))
DELIVERY = Delivery(np.full(2, 0.2), np.full(SHAPE, 0.2), ZERO)

FRAME = """
import json, os, sys, time
for line in sys.stdin:
    asked = json.loads(line)
    answer = {"protocol": 1, "wants": WANTS}
    if asked["ask"] != "hello":
        answer = {}
        BODY
    print(json.dumps(answer), flush=True)
"""
COPY = """
        plan = asked.get("plan")
        answer = {
            "declare": lambda: {"household": {}},
            "spread_usd_per_kwh": lambda: {"spread_usd_per_kwh": 0},
            "believe": lambda: {"lmp_usd_per_kwh": asked["lmp_usd_per_kwh"]},
            "answer": lambda: {"plan": plan},
            "offer": lambda: {"power_kw": plan["trade_kw"], "price_usd_per_kwh": asked["quote"]["price_usd_per_kwh"]},
            "bid": lambda: {"bid_kw": plan["bid_kw"]},
        }[asked["ask"]]()
""".strip()


@pytest.fixture
def program(tmp_path: Path):
    """A command that runs a Python program which wants this and answers like this."""

    def written(wants, body):
        file = tmp_path / "program.py"
        file.write_text(FRAME.replace("WANTS", repr(list(wants))).replace("BODY", body))
        return shlex.join([sys.executable, "-S", str(file)])

    return written


@pytest.fixture
def moved_in(home):
    made = []

    def go(behaviour):
        made.append(behaviour)
        return Prosumer(mesa.Model(rng=1), home(), np.array([40.0]), behaviour, np.random.default_rng(1))

    yield go
    for behaviour in made:
        behaviour.close()


def test_a_program_that_copies_answers_as_a_price_taker(program, moved_in):
    remote, taker = moved_in(Remote(program(HOOKS, COPY))), moved_in(PriceTaker())
    told, expected = remote.answer(QUOTE), taker.answer(QUOTE)
    assert told[0].power_kw.any()
    for one, other in zip(told, expected, strict=True):
        assert np.array_equal(one.power_kw, other.power_kw)
    assert np.array_equal(remote.deliver(DELIVERY)[0].power_kw, taker.deliver(DELIVERY)[0].power_kw)


def test_a_program_declares(program, moved_in):
    half = """answer = {"household": {"alpha_usd_per_kw2h": 2e-3, "elastic_max_kw": [7.0, 8.0]}}"""
    remote = moved_in(Remote(program(["declare"], half)))
    assert remote.problem.household.alpha_usd_per_kw2h == 2e-3
    assert remote.problem.household.elastic_max_kw.tolist() == [7.0, 8.0]
    assert remote.household.elastic_max_kw[0] != 7.0


def test_who_wants_nothing_is_not_started_again(program, moved_in, tmp_path):
    marks = tmp_path / "starts"
    command = program([], "pass")
    file = Path(shlex.split(command)[-1])
    file.write_text(f"open({str(marks)!r}, 'a').write('x')\n{file.read_text()}")
    remote, taker = moved_in(Remote(command)), moved_in(PriceTaker())
    assert np.array_equal(remote.answer(QUOTE)[0].power_kw, taker.answer(QUOTE)[0].power_kw)
    remote.deliver(DELIVERY)
    assert marks.read_text() == "x"
    assert not any(remote.behaviour.overrides(hook) for hook in HOOKS)


WRONG = {
    "dies": ("sys.exit(3)", "ended with exit code 3"),
    "killed": ("os.kill(os.getpid(), 9)", "was killed by signal 9"),
    "late": ("time.sleep(60)", "did not answer within 1 s"),
    "no JSON": ("print('hallo', flush=True)", "answered b'hallo\\n', which is no JSON object in one line"),
    "a list": ("answer = [1]", "answered b'[1]\\n', which is no JSON object in one line"),
    "refuses": ("answer = {'error': 'not today'}", "says: not today"),
    "lacks": ("pass", "answered without power_kw"),
    "floods": ("sys.stdout.write('x' * 2_000_000)", "answered more than 1 MiB in one line"),
    "closes": ("os.close(1); time.sleep(60)", "closed its stdout"),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_is_wrong_with_a_program_is_told(program, moved_in, name, monkeypatch):
    monkeypatch.setattr(json_program, "LONGEST_LINE", 2**20)
    body, problem = WRONG[name]
    command = program(["offer"], body)
    prosumer = moved_in(Remote(command, timeout_s=1))
    with pytest.raises(BehaviourError) as failed:
        prosumer.answer(QUOTE)
    assert str(failed.value) == f"behaviour Remote of a, in offer(): {command!r} {problem}"


@pytest.mark.parametrize(
    ("hello", "problem"),
    [
        ('{"protocol": 2, "wants": []}', "speaks protocol 2; 1 is spoken here"),
        ('{"protocol": 1, "wants": ["ofer"]}', "wants ['ofer']; a list of declare, spread_usd_per_kwh, believe, "),
        ('{"wants": []}', "speaks protocol None; 1 is spoken here"),
    ],
)
def test_a_hello_that_cannot_be_understood(moved_in, tmp_path, hello, problem):
    file = tmp_path / "hello.py"
    file.write_text(f"print({hello!r}, flush=True)\ninput()\ninput()\n")
    with pytest.raises(BehaviourError, match=r"^behaviour Remote of a, in declare\(\): ") as failed:
        moved_in(Remote(shlex.join([sys.executable, str(file)]))).answer(QUOTE)
    assert problem in str(failed.value)


def test_a_command_that_is_none(moved_in):
    with pytest.raises(BehaviourError) as failed:
        moved_in(Remote("no-such-program --x"))
    assert str(failed.value) == (
        "behaviour Remote of a, in declare(): 'no-such-program --x' cannot be started: No such file or directory; "
        "correct the command, or install it"
    )


def test_a_household_that_has_no_such_value(program, moved_in):
    command = program(["declare"], 'answer = {"household": {"alpha": 1}}')
    with pytest.raises(BehaviourError, match="changes alpha, which no household has"):
        moved_in(Remote(command))


def test_a_program_that_died_is_started_and_greeted_again(program, moved_in):
    body = """
        if asked["ask"] == "offer":
            answer = {"power_kw": asked["plan"]["trade_kw"], "price_usd_per_kwh": [[float(os.getpid())] * 2]}
    """.strip()
    prosumer = moved_in(Remote(program(["offer"], body)))
    first = prosumer.answer(QUOTE)[0].price_usd_per_kwh[0, 0]
    assert prosumer.answer(QUOTE)[0].price_usd_per_kwh[0, 0] == first
    os.kill(int(first), 9)
    with pytest.raises(BehaviourError, match="was killed by signal 9"):
        prosumer.answer(QUOTE)
    assert prosumer.answer(QUOTE)[0].price_usd_per_kwh[0, 0] != first


COUNTS = """
        count = globals().get("count", 0)
        if asked["ask"] == "offer":
            count += 1
            answer = {"power_kw": asked["plan"]["trade_kw"], "price_usd_per_kwh": [[float(count)] * 2]}
        elif asked["ask"] == "save":
            answer = {"state": {"count": count}}
        elif asked["ask"] == "restore":
            count = asked["state"]["count"]
""".strip()


def test_what_a_program_remembers_goes_on_in_another(program, moved_in):
    command = program(["offer", "save", "restore"], COUNTS)
    one, other = moved_in(Remote(command)), moved_in(Remote(command))
    for _ in range(3):
        one.answer(QUOTE)
    other.behaviour.restore_state(one.behaviour.saved_state())
    assert [p.answer(QUOTE)[0].price_usd_per_kwh[0, 0] for p in (one, other)] == [4.0, 4.0]


def test_the_seed_is_the_prosumer_s(program, moved_in):
    body = """
        answer = {"household": {"beta_usd_per_kwh": 0.1 + seed / 2**54}}
    """.strip()
    command = program(["declare"], body)
    file = Path(shlex.split(command)[-1])
    file.write_text(
        file.read_text().replace("    if asked", "    seed = asked.get('seed', globals().get('seed'))\n    if asked")
    )
    told = [moved_in(Remote(command)).problem.household.beta_usd_per_kwh for _ in range(2)]
    assert told[0] == told[1] == 0.1 + int(np.random.default_rng(1).integers(2**53)) / 2**54


def test_it_travels_without_its_program(program, moved_in):
    prosumer = moved_in(Remote(program(HOOKS, COPY)))
    prosumer.answer(QUOTE)
    twin = pickle.loads(pickle.dumps(prosumer.behaviour))
    assert twin.wants == HOOKS
    assert twin._program is None
    assert np.array_equal(moved_in(twin).answer(QUOTE)[0].power_kw, prosumer.answer(QUOTE)[0].power_kw)


@pytest.mark.skipif(shutil.which("node") is None, reason="there is no node here")
def test_the_program_of_the_page_asks_a_cent(moved_in, tmp_path):
    page = Path(behaviours.__file__).with_name("README.md").read_text(encoding="utf-8")
    (code,) = re.findall(r"```js\n(.*?)```", page, re.DOTALL)
    (tmp_path / "cent.js").write_text(code)
    remote, told = moved_in(Remote(f"node {tmp_path / 'cent.js'}")), moved_in(LossAverse(spread_cents=1.0))
    assert np.array_equal(remote.answer(QUOTE)[0].power_kw, told.answer(QUOTE)[0].power_kw)
    assert np.array_equal(remote.problem.fee_usd_per_kwh, told.problem.fee_usd_per_kwh)
    assert told.problem.fee_usd_per_kwh[0] == 0.01


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().split(")")[1].split()[0] != "Z"
    except OSError:
        return False


@pytest.mark.parametrize("way", ["close", "drop"])
def test_no_process_is_left(program, moved_in, way):
    remote = Remote(program(HOOKS, COPY + "\n        time.sleep(0)"))
    Prosumer.answer(moved_in(remote), QUOTE)
    pid = remote._program._process.pid
    assert alive(pid)
    if way == "close":
        remote.close()
    else:
        remote._program = None
    assert not alive(pid)


def test_no_process_is_left_when_its_parent_is_killed(program, tmp_path):
    command = program(["offer"], "pass")
    file = Path(shlex.split(command)[-1])
    file.write_text(f"import os\nopen({str(tmp_path / 'pid')!r}, 'w').write(str(os.getpid()))\n{file.read_text()}")
    code = (
        "import os; from gridbazaar.agents.json_program import JsonProgram;"
        f"p = JsonProgram({command!r}, '.', 10); p.ask({{'ask': 'hello'}}); os.kill(os.getpid(), 9)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == -9
    pid = int((tmp_path / "pid").read_text())
    until = time.monotonic() + 5
    while alive(pid) and time.monotonic() < until:
        time.sleep(0.05)
    assert not alive(pid)


def test_errors_of_a_program_are_plain_sentences(program):
    with pytest.raises(AnswerError, match=re.escape("is no JSON object")):
        Remote(program(HOOKS, "answer = 5"))._ask("believe", lmp_usd_per_kwh=[])
