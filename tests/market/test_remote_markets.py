"""Markets with prosumers whose behaviour is a program of another language, and whose programs are killed."""

from __future__ import annotations

import os
import shlex
import shutil
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from bits import equal_runs

from gridbazaar.agents import BehaviourError
from gridbazaar.agents.behaviours.remote import HOOKS, Remote
from gridbazaar.market import EnergyMarket, Hosting, MarketSettings, Workers

PYTHON = f"""
import json, os, sys
open(os.path.join(sys.argv[1], str(os.getpid())), "w").close()
for line in sys.stdin:
    asked = json.loads(line)
    answers = {{
        "hello": lambda: {{"protocol": 1, "best_response": True, "wants": {list(HOOKS)}}},
        "declare": lambda: {{"household": {{}}}},
        "spread_usd_per_kwh": lambda: {{"spread_usd_per_kwh": 0}},
        "believe": lambda: asked,
        "answer": lambda: {{"plan": asked["plan"]}},
        "offer": lambda: {{**asked["quote"], "power_kw": asked["plan"]["trade_kw"]}},
        "bid": lambda: asked["plan"],
    }}
    print(json.dumps(answers[asked["ask"]]()), flush=True)
"""
JAVASCRIPT = f"""
const fs = require("fs"), readline = require("readline");
fs.closeSync(fs.openSync(process.argv[2] + "/" + process.pid, "w"));
readline.createInterface({{ input: process.stdin }}).on("line", (line) => {{
  const asked = JSON.parse(line);
  const answers = {{
    hello: () => ({{ protocol: 1, best_response: true, wants: {list(HOOKS)} }}),
    declare: () => ({{ household: {{}} }}),
    spread_usd_per_kwh: () => ({{ spread_usd_per_kwh: 0 }}),
    believe: () => ({{ lmp_usd_per_kwh: asked.lmp_usd_per_kwh }}),
    answer: () => ({{ plan: asked.plan }}),
    offer: () => ({{ power_kw: asked.plan.trade_kw, price_usd_per_kwh: asked.quote.price_usd_per_kwh }}),
    bid: () => ({{ bid_kw: asked.plan.bid_kw }}),
  }};
  console.log(JSON.stringify(answers[asked.ask]()));
}});
"""
NODE = shutil.which("node")
LANGUAGES = {
    "python": (PYTHON, sys.executable, "-S"),
    "javascript": pytest.param(
        (JAVASCRIPT, NODE), id="javascript", marks=pytest.mark.skipif(NODE is None, reason="there is no node here")
    ),
}


@pytest.fixture
def command(tmp_path: Path):
    """A command that copies a price taker; each of its processes leaves a file of its number in a folder."""
    (tmp_path / "started").mkdir()

    def of(code, *words):
        (tmp_path / "program").write_text(code)
        return shlex.join([*words, str(tmp_path / "program"), str(tmp_path / "started")])

    return of


@pytest.fixture
def run(ieee33_bazaar):
    def go(behaviours, place=None, before=None, **settings):
        bazaar, rounds = ieee33_bazaar(), []
        with EnergyMarket(
            bazaar.clearing(),
            bazaar.households,
            bazaar.links,
            settings=MarketSettings(network_use="bids", **settings),
            behaviours=behaviours,
            rng=5,
            hosting=Hosting(place),
        ) as market:
            while market.running:
                if before:
                    before(market)
                market.step()
                rounds.append(market.last)
            return type("Run", (), {"rounds": rounds, "result": market.result(), "market": market})

    return go


def pids(folder: Path) -> list[int]:
    return [int(file.name) for file in (folder / "started").iterdir()]


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().split(")")[1].split()[0] != "Z"
    except OSError:
        return False


def none_left(folder: Path) -> bool:
    until = time.monotonic() + 5
    while any(map(alive, pids(folder))) and time.monotonic() < until:
        time.sleep(0.05)
    return bool(pids(folder)) and not any(map(alive, pids(folder)))


@pytest.mark.parametrize("language", [LANGUAGES["javascript"], pytest.param(LANGUAGES["python"], id="python")])
@pytest.mark.parametrize("place", [None, Workers(2)], ids=["here", "workers"])
def test_a_copy_of_a_price_taker_gives_the_same_market(run, command, tmp_path, language, place):
    words = command(*language)
    taken, copied = run({}), run({"p1": Remote(words), "p2": Remote(words)}, place)
    assert copied.result.settled
    assert len(copied.rounds) == len(taken.rounds)
    for name in ("bid_kw", "trade_kw", "elastic_kw", "lmp_usd_per_kwh", "price_usd_per_kwh", "prosumer_cost_usd"):
        one, other = getattr(copied.result, name), getattr(taken.result, name)
        assert one == pytest.approx(other, abs=1e-9, rel=1e-9)
    assert none_left(tmp_path)


def striking(folder, rounds):
    """Kill all programs before these rounds."""

    def strike(market):
        if market.rounds in rounds:
            for pid in filter(alive, pids(folder)):
                os.kill(pid, 9)

    return strike


WHEN = {1 + int(r) for r in np.random.default_rng(3).choice(30, 4, replace=False)}


@pytest.mark.parametrize("place", [None, Workers(2)], ids=["here", "workers"])
@pytest.mark.parametrize("on", ["last", "exclude"])
def test_killed_at_random_rounds_the_market_goes_on(run, command, tmp_path, on, place):
    words = command(*LANGUAGES["python"])
    done = run({"p2": Remote(words)}, place, striking(tmp_path, WHEN), on_misbehaviour=on)
    assert done.result.settled
    (one,) = done.result.hosting.misbehaved
    assert "was killed by signal 9" in one.first
    assert one.excluded == (on == "exclude")
    assert one.times == (1 if on == "exclude" else len(WHEN))
    taken = run({})
    assert done.result.dso_cost_usd == pytest.approx(taken.result.dso_cost_usd, rel=1e-4)
    assert none_left(tmp_path)


def test_killed_where_the_scenario_says_stop_the_run_ends(run, command, tmp_path):
    words = command(*LANGUAGES["python"])
    with pytest.raises(BehaviourError, match=r"^behaviour Remote of p2, in \w+\(\): .* was killed by signal 9$"):
        run({"p2": Remote(words)}, None, striking(tmp_path, {5}))
    assert none_left(tmp_path)


def test_no_program_is_left_when_a_worker_is_killed(run, command, tmp_path, kill):
    words = command(*LANGUAGES["python"])

    def strike(market):
        if market.rounds == 6:
            kill(market.communities.proxies[0])

    here, there = run({"p1": Remote(words)}), run({"p1": Remote(words)}, Workers(2), strike)
    assert equal_runs(here, there)
    assert len(there.result.hosting.incidents) == 1
    assert none_left(tmp_path)
