"""Workers, Ray, message log and patience from the command line, and `community` in a scenario."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

import gridbazaar.scenarios as gb
from gridbazaar.market import Workers
from gridbazaar.scenarios.commands.arguments import with_ray_address


def run(*words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "gridbazaar.scenarios", "run", *words]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def test_workers_find_the_same_and_tell_what_it_took():
    alone, hosted = (
        run("ieee33", "--no-ac", "--json", *words, "-o", folder)
        for words, folder in (((), "alone"), (("--workers", "2"), "hosted"))
    )
    assert alone.returncode == hosted.returncode == 0, hosted.stderr
    one, two = json.loads(alone.stdout), json.loads(hosted.stdout)
    timed = {"communities", "seconds", "results"}
    assert {key: one[key] for key in one.keys() - timed} == {key: two[key] for key in two.keys() - timed}
    assert one["communities"]["lived_in"] == "this process"
    told = two["communities"]
    assert (told["lived_in"], told["prosumers"], told["incidents"]) == ("worker process", [2, 1], [])
    assert "this process alone would be faster" in told["advice"]
    for table in ("prosumers", "trades", "bills"):
        pd.testing.assert_frame_equal(*(pd.read_parquet(f"{f}/{table}.parquet") for f in ("alone", "hosted")))


def test_a_person_sees_where_the_time_went():
    told = " ".join(run("ieee33", "--no-ac", "--workers", "3").stdout.split())
    assert "where the prosumers' time went" in told
    assert "worker process prosumers s s s" in told
    assert "this process alone would be faster" in told


def test_the_message_log_is_a_table_and_a_matrix():
    done = run("ieee33", "--no-ac", "--message-log", "-o", "kept")
    assert done.returncode == 0, done.stderr
    table = pd.read_parquet("kept/messages.parquet")
    assert list(table) == ["round", "message", "fields", "sender", "receiver", "bytes"]
    quotes = int((table.message == "Quote").sum())
    told = " ".join(done.stdout.split())
    assert f"Quote {quotes}" in told
    assert "who told whom what, and how often" in told
    assert set(table.sender) | set(table.receiver) == {"platform", "DSO", "certificate", "screen", "p1", "p2", "p3"}


def test_the_old_name_of_the_option_is_understood():
    done = run("ieee33", "--no-ac", "--ledger", "-o", "kept")
    assert "--ledger is called --message-log now; write --message-log\n" in done.stderr
    assert Path("kept", "messages.parquet").exists()


def test_without_a_message_log_there_is_none():
    assert run("ieee33", "--no-ac", "-o", "bare").returncode == 0
    assert not Path("bare", "messages.parquet").exists()


@pytest.mark.parametrize(
    ("words", "meant"),
    [
        ("run ieee33 --ray", "run ieee33 --ray=local"),
        ("run --ray ieee33", "run --ray=local ieee33"),
        ("run --ray -v ieee33", "run --ray=local -v ieee33"),
        ("run --ray auto ieee33", "run --ray auto ieee33"),
        ("run ieee33 --ray 10.0.0.1:6379", "run ieee33 --ray 10.0.0.1:6379"),
        ("run --ray=ray://there:10001 ieee33", "run --ray=ray://there:10001 ieee33"),
    ],
)
def test_ray_may_stand_alone_or_before_an_address(words, meant):
    assert with_ray_address(words.split()) == meant.split()


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("--workers", "-1"), "-1 workers cannot serve anybody; ask for at least 1, or leave --workers out"),
        (("--workers", "2", "--patience", "0"), "a patience of 0 s leaves no time to answer; give some seconds"),
        (("--ray", "127.0.0.1:9"), "there is no Ray cluster at 127.0.0.1:9 ("),
        (("--ray", "--workers", "-2"), "-2 Ray actors cannot serve anybody"),
    ],
    ids=str,
)
def test_places_that_are_none_are_refused_before_a_folder_is_made(words, sentence):
    if "--ray" in words:
        pytest.importorskip("ray")
    done = run("ieee33", *words)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(sentence)
    assert len(done.stderr.splitlines()) == 1
    assert not Path("results").exists()


def test_communities_of_a_scenario_live_together():
    changes = {"prosumers.p1.community": "mine", "prosumers.p3.community": "mine"}
    with gb.load("ieee33", changes).market(backend=Workers(2)) as market:
        assert [home.membership.names for home in market.communities.proxies] == [("p1", "p3"), ("p2",)]
