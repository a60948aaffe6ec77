"""The benchmark of sizes: what it measures, and what it says of what cannot be measured."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from bench_figure import draw
from bench_rivals import market_of
from bench_scale import LABELS, Measured, _measured, _off, _table
from rich.console import Console

from gridbazaar.market import NetworkUse


def test_each_measurement_is_a_process_of_its_own_with_its_own_peak() -> None:
    found = _measured(Measured("by_period", 3, 0, 1e-4), 120, 4)
    assert not found.ended
    assert found.found["welfare_usd"] == pytest.approx(-12299.3, rel=1e-4)
    assert found.seconds > 0
    assert 30 < found.found["memory_mib"] < 300


def test_what_takes_too_long_or_too_much_is_shown_as_such() -> None:
    assert _measured(Measured("joint", 30, 0, 1e-8), 0.2, 4).ended == "more than 0.2 s"
    assert _measured(Measured("by_period", 30, 0, 1e-4), 120, 0.2).ended
    assert _measured(Measured("script", 30, 0, 1e-4), 120, 4).ended.startswith("AssertionError")


def test_the_table_and_the_figure_tell_of_all(tmp_path: Path) -> None:
    numbers = {"setup_s": 0.1, "solve_s": 2.0, "memory_mib": 80.0, "dso_cost_usd": 200.0}
    done = [
        Measured("gridbazaar", 30, 0, 1e-6, found={**numbers, "welfare_usd": 99.0, "rounds": 21, "clearings": 3}),
        Measured("by_period", 30, 0, 1e-6, found={**numbers, "welfare_usd": 100.0}),
        Measured("joint", 30, 0, 1e-8, ended="more than 5 s"),
    ]
    assert [_off(each, done) for each in done[:2]] == [pytest.approx(0.005), 0.0]
    console = Console(width=120, record=True)
    console.print(_table(done))
    text = console.export_text()
    assert "more than 5 s" in text
    assert "5e-03" in text
    told = {"limit_s": 5.0, "measured": [vars(each) for each in done]}
    draw(told, LABELS, tmp_path / "figure.svg")
    drawn = (tmp_path / "figure.svg").read_text()
    assert "(a) gridbazaar, to 1e-06" in drawn
    assert "prosumers" in drawn


def test_three_prosumers_are_the_papers_case_and_others_a_town() -> None:
    assert market_of(3, 0)[1] is NetworkUse.BIDS
    data, use = market_of(7, 0)
    assert (len(data["households"]), use) == (7, NetworkUse.WITHDRAWALS)


def test_the_whole_benchmark_runs(tmp_path: Path) -> None:
    script = Path(__file__).with_name("bench_scale.py")
    words = ["--sizes", "3", "--rivals", "gridbazaar,by_period", "--limit", "120"]
    subprocess.run([sys.executable, str(script), *words], cwd=tmp_path, check=True, capture_output=True)
    told = json.loads((tmp_path / "results" / "bench_scale.json").read_text())
    assert [each["tolerance"] for each in told["measured"]] == [1e-4, 1e-6] * 2
    assert all(each["found"]["settled"] for each in told["measured"][:2])
    assert (tmp_path / "results" / "bench_scale.svg").is_file()
