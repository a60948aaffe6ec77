"""The section `messages` of a scenario: it reaches the market, and what is wrong in it is said in one sentence."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import gridbazaar.scenarios as gb
from gridbazaar.market import Absence, EnergyMarket, MessageFaults
from gridbazaar.scenarios.files.file_schema import file_schema

COMMAND = (sys.executable, "-m", "gridbazaar.scenarios")
ALL_OF_IT = """\
base: ieee33
seed: 4
messages:
  delay_rounds: 3
  loss: 0.2
  stale_rounds: 2
  quantum_kw: 0.01
  away:
    p2: {from_round: 5, rounds: 30}
market:
  regret_tolerance: 1.0e-5
"""
FAULTS = MessageFaults(3, 0.2, 2, 0.01, {"p2": Absence(5, 30)})


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Write a scenario that has the paper's case as its base."""
    monkeypatch.chdir(tmp_path)

    def file(text: str) -> str:
        (tmp_path / "mine.yaml").write_text(text)
        return "./mine.yaml"

    return file


def gridbazaar(*words: str, folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*COMMAND, *words], cwd=folder, capture_output=True, text=True, check=False, timeout=120)


def test_a_section_of_the_file_reaches_the_market(write: Any) -> None:
    """Bit by bit the run of a market that was told so in Python, which is not the one where all messages arrive."""
    scenario = gb.load(write(ALL_OF_IT))
    assert scenario.build_messages() == FAULTS
    market = scenario.market()
    by_hand = EnergyMarket(
        scenario.build_clearing(),
        scenario.build_households(),
        scenario.build_links(),
        settings=scenario.build_settings(),
        rng=np.random.SeedSequence(4),
        messages=FAULTS,
    )
    found, expected = market.run(), by_hand.run()
    assert found.settled
    assert np.array_equal(found.trade_kw, expected.trade_kw)
    assert market.sharing_rounds == by_hand.sharing_rounds
    reliable = gb.load("ieee33", {"market.regret_tolerance": 1e-5}).market()
    reliable.run()
    assert sum(market.sharing_rounds) > sum(reliable.sharing_rounds)


def test_the_seed_of_the_scenario_is_that_of_the_messages() -> None:
    rounds = []
    for seed in (1, 1, 2):
        market = gb.load("ieee33", {"messages.loss": 0.3, "seed": seed}).market()
        market.run()
        rounds.append(market.sharing_rounds)
    assert rounds[0] == rounds[1] != rounds[2]


def test_changes_reach_it_row_by_row(write: Any) -> None:
    changes = {"messages.loss": 0.4, "messages.away.p2.rounds": 7, "messages.away.p1": {"from_round": 2, "rounds": 1}}
    built = gb.load(write(ALL_OF_IT), changes).build_messages()
    assert built == MessageFaults(3, 0.4, 2, 0.01, {"p2": Absence(5, 7), "p1": Absence(2, 1)})
    assert gb.load(write(ALL_OF_IT), {"messages.away.p2": None}).build_messages().away == {}


def test_a_scenario_without_it_loses_nothing() -> None:
    assert gb.load("ieee33").build_messages() == MessageFaults()
    assert not gb.load("ieee33").build_messages()


def test_the_command_line_sets_it_and_says_when_it_is_in_the_way(tmp_path: Path) -> None:
    words = ["messages.away.p2.from_round=1", "messages.away.p2.rounds=9999", "messages.delay_rounds=1"]
    limits = ["market.max_rounds=10", "market.max_iterations=3"]
    told = [part for word in (*words, *limits) for part in ("--set", word)]
    done = gridbazaar("run", "ieee33", "--no-ac", "--json", *told, folder=tmp_path)
    found = json.loads(done.stdout)
    assert done.returncode == 3, done.stderr
    assert found["settled"] is False
    assert "p2 was still away: shorten messages.away, or raise market.max_rounds" in found["message"]


REFUSED = {
    "negative delay": ("messages:\n  delay_rounds: -1", "mine.yaml:3 messages.delay_rounds: -1 is below 0; give"),
    "half a round": ("messages:\n  stale_rounds: 1.5", "mine.yaml:3 messages.stale_rounds: 1.5 is not a whole number"),
    "all lost": ("messages:\n  loss: 1", "mine.yaml:3 messages.loss: 1 is not below 1"),
    "negative loss": ("messages:\n  loss: -0.1", "mine.yaml:3 messages.loss: -0.1 is below 0; give at least that"),
    "no number": ("messages:\n  loss: 30%", "mine.yaml:3 messages.loss: '30%' is not a number; write a plain number"),
    "infinite": ("messages:\n  quantum_kw: .inf", "mine.yaml:3 messages.quantum_kw: inf is not a finite number; write"),
    "unknown key": ("messages:\n  los: 0.1", "mine.yaml:3 messages.los: unknown key; did you mean loss?"),
    "unknown prosumer": (
        "messages:\n  loss: 0.1\n  away: {p22: {from_round: 5, rounds: 3}}",
        "mine.yaml:4 messages.away.p22: there is no prosumer p22; did you mean p2?",
    ),
    "round 0": (
        "messages:\n  away:\n    p2: {from_round: 0, rounds: 3}",
        "mine.yaml:4 messages.away.p2.from_round: 0 is below 1; give at least that",
    ),
    "no end": (
        "messages:\n  away:\n    p2: {from_round: 1}",
        "mine.yaml:4 messages.away.p2.rounds: this value is missing; add it",
    ),
    "unknown key of an absence": (
        "messages:\n  away:\n    p2: {from_round: 1, round: 3}",
        "mine.yaml:4 messages.away.p2.round: unknown key; did you mean rounds?",
    ),
    "no rows": ("messages:\n  away: p2", "mine.yaml:3 messages.away: 'p2' is one value where a table is needed; write"),
    "planned": (
        "market:\n  case: 2\nmessages:\n  loss: 0.1",
        "mine.yaml:4 messages: mean nothing in market.case 2, where nobody exchanges any; leave them out",
    ),
    "gauss_seidel": (
        "market:\n  order: gauss_seidel\nmessages:\n  loss: 0.1",
        "mine.yaml:4 messages: cannot fail in market.order gauss_seidel: it needs the newest ones; "
        "use order proximal_jacobi",
    ),
}


@pytest.mark.parametrize("what", REFUSED)
def test_what_is_wrong_is_refused_with_its_place_and_cure(write: Any, what: str) -> None:
    section, sentence = REFUSED[what]
    with pytest.raises(gb.ScenarioError) as refused:
        gb.load(write(f"base: ieee33\n{section}\n")).check()
    assert sentence in str(refused.value)
    assert refused.value.exit_code == 2
    assert len(str(refused.value).splitlines()) == 1


def test_a_wrong_change_is_refused_with_what_asked_for_it() -> None:
    with pytest.raises(gb.ScenarioError) as refused:
        gb.load("ieee33", {"messages.loss": 1.5}).check()
    assert "messages.loss=1.5 messages.loss: 1.5 is not below 1" in str(refused.value)
    with pytest.raises(gb.ScenarioError, match=r"messages\.delay_round: unknown key; did you mean delay_rounds\?"):
        gb.load("ieee33", {"messages.delay_round": 3}).check()


def test_the_schema_has_the_section_with_its_ranges(tmp_path: Path) -> None:
    printed = json.loads(gridbazaar("schema", folder=tmp_path).stdout)
    for schema in (printed, file_schema()):
        where = json.dumps(schema["properties"]["messages"])
        assert "MessagesRow" in where
        row = schema["$defs"]["MessagesRow"]
        assert set(row["properties"]) == {"delay_rounds", "loss", "stale_rounds", "quantum_kw", "noise_kw", "away"}
        assert row["additionalProperties"] is False
        assert "required" not in row
        assert "exclusiveMaximum" in json.dumps(row["properties"]["loss"])
        assert "from_round" in json.dumps(schema["$defs"]["AbsenceRow"])
