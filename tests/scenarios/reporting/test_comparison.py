"""Comparisons: equal runs differ in nothing, what differs has its sign and size, what is not known is not said."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import gridbazaar.scenarios as gb
from gridbazaar.network.errors import InputError
from gridbazaar.scenarios.reporting.accuracy import (
    cost_within_by_prosumer_usd,
    cost_within_usd,
    optimum_within_usd,
)
from gridbazaar.scenarios.reporting.comparison_shown import conclusion
from gridbazaar.scenarios.reporting.differences import Difference
from gridbazaar.scenarios.reporting.no_sharing import run_without_sharing
from gridbazaar.scenarios.reporting.run_page import write_run_page
from gridbazaar.scenarios.reporting.savings import Savings
from gridbazaar.scenarios.reporting.scenario_differences import cut, scenario_differences
from gridbazaar.scenarios.runs.amounts import bound
from gridbazaar.scenarios.runs.running import run_scenario

Saved = Callable[..., gb.StoredRun]


def differences(*runs: gb.StoredRun | Path) -> dict[str, Difference]:
    """The differences of two runs by what they are of."""
    first, other = (run if isinstance(run, gb.StoredRun) else gb.load_run(run) for run in runs)
    (found,) = gb.compare([first, other]).differences
    return {f"{one.section} {one.what}": one for one in found}


def test_equal_runs_differ_in_nothing(base: Path, saved: Saved) -> None:
    again = saved()
    comparison = gb.compare([gb.load_run(base), again])
    assert comparison.is_same
    assert comparison.scenario == []
    assert comparison.left_out == []
    assert set(comparison.frame["said"]) == {"same"}
    assert comparison.frame["difference"].abs().max() == 0


def test_what_no_certificate_bounds_is_not_said_to_be_more_than_is_left_open(base: Path, saved: Saved) -> None:
    """With behaviours that are no price takers nothing is bounded."""
    own = {"prosumers__ann__behaviour": "gridbazaar.agents:Behaviour"}
    fees = [saved(str(fee), prosumers__ann__grid_fee_usd_per_kwh=fee, **own) for fee in (0.01, 0.02)]
    bounded, free = (conclusion(gb.compare(runs)) for runs in ([gb.load_run(base), saved(alpha_scale=2)], fees))
    assert re.search(r"; of the numbers found, [1-9]\d* differ by more than is left open", bounded)
    assert re.search(r"; of the numbers found, 0 differ by more than is left open, and [1-9]\d* in digits that", free)


def test_a_larger_load_costs_welfare_its_lmp(base: Path, saved: Saved) -> None:
    more = saved(prosumers__ann__fixed_peak_kw=3)
    runs = [gb.load_run(base), more]
    found = differences(*runs)
    # a kW more in each of four hours is worth between the LMPs before and after: the least cost is convex in the load
    lmp = [run.table("prosumers").query("prosumer == 'ann'").lmp_usd_per_kwh.sum() for run in runs]
    welfare, ann = found["results welfare"], found["prosumers ann"]
    assert welfare.known_within == pytest.approx(max(sum(run.kpis["regret_usd"] for run in runs), 1e-6))
    assert min(lmp) - welfare.known_within <= -welfare.difference <= max(lmp) + welfare.known_within
    assert welfare.said == f"${-welfare.difference:.2f} less, known to {bound(welfare.known_within)}"
    assert ann.known_within is not None
    assert ann.difference > min(lmp) - ann.known_within  # and what else she buys is dearer, too
    assert ann.said == f"${ann.difference:.2f} more, known to {bound(ann.known_within)}"
    assert found["bills ann"].difference < 0 < found["results DSO cost"].difference
    assert found["prices LMP, mean"].difference > 0
    (asked,) = gb.compare(runs).scenario
    assert (asked.key, asked.values) == ("prosumers.ann.fixed_peak_kw", ("2", "3"))


@pytest.mark.parametrize("which", ["homes", "ieee33", "fees"])
def test_a_run_stopped_early_differs_from_an_exact_one_by_no_more_than_is_known(
    which: str, homes: str, tmp_path: Path
) -> None:
    """The two have the same optimum: whatever differs, the bounds must hold."""
    scenario = "ieee33" if which == "ieee33" else homes
    fees = {f"prosumers.{name}.grid_fee_usd_per_kwh": 0.05 for name in ("ann", "bob")} if which == "fees" else {}
    folders = {tolerance: tmp_path / str(tolerance) for tolerance in (1e-3, 1e-9)}
    for tolerance, folder in folders.items():
        folder.mkdir()
        run_scenario(gb.load(scenario, {**fees, "market.regret_tolerance": tolerance}), folder)
    runs = [gb.load_run(folder) for folder in folders.values()]
    amounts = {what: one for what, one in differences(*runs).items() if one.is_bounded}
    assert any(one.difference != 0 for one in amounts.values())
    bounded = {what: one for what, one in amounts.items() if one.known_within is not None}
    costs = {"results welfare", "results DSO cost", "results utility"}
    assert {"results welfare less fees"} == set(bounded) if fees else costs < set(bounded)
    for what, one in bounded.items():
        assert one.known_within is not None
        assert abs(one.difference) <= one.known_within, what
    if not fees:
        assert bounded["results DSO cost"].said.startswith("no difference known (within $")


def test_the_bound_on_costs_by_hand(base: Path) -> None:
    run = gb.load_run(base)
    people, regret = run.table("prosumers"), run.kpis["regret_usd"]
    steep = {name: float((rows.lmp_usd_per_kwh**2).sum()) / 0.02 for name, rows in people.groupby("prosumer")}
    assert cost_within_usd(run) == pytest.approx(regret + np.sqrt(regret * sum(steep.values())))
    known = cost_within_by_prosumer_usd(run)
    assert known == pytest.approx({name: regret + np.sqrt(regret * value) for name, value in steep.items()})


@pytest.mark.parametrize(
    ("first", "other", "within", "is_bounded", "said"),
    [
        (1.0, 0.998, 0.001, True, "$0.002 less, known to $0.001"),
        (1.0, 1.002, 0.003, True, "no difference known (within $0.003)"),
        (1.0, 1.0, 0.003, True, "same"),
        (1.0, 2.0, None, True, "$1.00 more, proven by nothing"),
        (None, 2.0, None, True, "in one of them only"),
        (-40.0, -85.0, 21.0, True, "$40 less, known to $21"),
    ],
)
def test_a_difference_of_amounts_in_words(
    first: float | None, other: float, within: float | None, is_bounded: bool, said: str
) -> None:
    assert Difference("results", "x", "$", first, other, within, is_bounded).said == said


@pytest.mark.parametrize(
    ("unit", "first", "other", "said"),
    [
        ("kWh", 100.0, 112.3, "12.3 kWh more"),
        ("share", 0.5, 0.25, "25.0 points lower"),
        ("pu", 0.95, 0.95 + 1e-9, "same to these digits"),
        ("$/kWh", 0.25, 0.26, "0.0100 higher"),
        ("", 4, 5, "1 more"),
    ],
)
def test_a_difference_that_no_certificate_bounds_in_words(unit: str, first: float, other: float, said: str) -> None:
    assert Difference("results", "x", unit, first, other).said == said


@pytest.mark.parametrize(
    ("within", "text"),
    [(0.0, "$0"), (0.0021, "$0.003"), (0.002, "$0.002"), (20.4, "$21"), (9.87, "$9.9"), (1234, "$1,300")],
)
def test_a_bound_is_rounded_up(within: float, text: str) -> None:
    assert bound(within) == text


@pytest.mark.parametrize(
    "changes",
    [
        {"prosumers__ann__grid_fee_usd_per_kwh": 0.01},
        {"prosumers__ann__behaviour": "gridbazaar.agents:Behaviour"},
    ],
)
def test_where_no_certificate_bounds_amounts_it_says_so(base: Path, saved: Saved, changes: dict[str, Any]) -> None:
    found = differences(base, saved(**changes, prosumers__bob__fixed_peak_kw=4))
    assert found["results welfare"].said.endswith(", proven by nothing")
    assert found["prosumers bob"].known_within is None


def test_nothing_is_known_of_what_cannot_be_served(tmp_path: Path) -> None:
    """Whatever ended the run: here the limit of outer steps."""
    short = {"feeder.generators.grid.p_max_kw": 20, "market.max_iterations": 2}
    run_scenario(gb.load("two_homes", short), tmp_path)
    run = gb.load_run(tmp_path)
    assert run.kpis["not_served"]
    assert run.kpis["certificate"].startswith("no certificate: what is asked for cannot be served (in ")
    assert optimum_within_usd(run) is None


def test_a_run_that_delivered_nothing_is_compared_by_its_rounds(ieee33: Path, diverged: Path) -> None:
    comparison = gb.compare([gb.load_run(ieee33), gb.load_run(diverged)])
    assert [one.what for one in comparison.differences[0]] == ["clearings", "rounds of sharing"]
    sentence = "B (sharing_diverged) has delivered nothing: of its numbers only clearings and rounds are compared"
    assert comparison.left_out == [sentence]


def test_a_run_without_results_is_compared_by_its_scenario(base: Path, stopped: Path) -> None:
    comparison = gb.compare([gb.load_run(base), gb.load_run(stopped)])
    assert comparison.differences == [[]]
    assert comparison.left_out == ["B (interrupted) has left no results: only its scenario is compared"]


def test_runs_with_other_prosumers_and_periods_are_compared_as_far_as_they_can_be(base: Path, saved: Saved) -> None:
    shorter = saved(dt_h=0.5)
    comparison = gb.compare([gb.load_run(base), shorter])
    sentence = "the periods of A and B are not the same (4 of 1 h, 4 of 30 min): prices by period are left out"
    assert [told.split(", and sums")[0] for told in comparison.left_out] == [sentence]
    assert not any(one.section == "prices" for one in comparison.differences[0])
    carl = {"bus": "b", "alpha_usd_per_kw2h": 0.02, "beta_usd_per_kwh": 0.4, "elastic_max_kw": 8, "bid_max_kw": 15}
    third = saved("third", prosumers__carl=carl, prosumers__bob=None, links=None)
    comparison = gb.compare([gb.load_run(base), third])
    assert comparison.left_out == ["prosumers that only one of A and B has are left out: bob, carl"]
    assert [one.what for one in comparison.differences[0] if one.section == "prosumers"] == ["ann"]
    keys = {one.key: one.values for one in comparison.scenario}
    assert keys["prosumers.bob"] == ("there", "not there")
    assert keys["links.ann-bob"] == ("there", "not there")


def test_what_sharing_saves_is_said_where_one_run_has_none(ieee33: Path) -> None:
    run = gb.load_run(ieee33)
    alone = run_without_sharing(run)
    (said,) = gb.compare([alone, run]).saved
    assert said == f"B against A: {Savings.of(run, alone).said}"
    assert re.fullmatch(r"B .*: sharing saves \$\d+, known to \$\d+; Jain's index of the savings is .*", said)
    assert gb.compare([run, alone]).saved == [said]
    assert gb.compare([run, run]).saved == []


def test_a_run_of_before_without_these_key_figures_is_still_compared(base: Path, tmp_path: Path) -> None:
    old = tmp_path / "old"
    shutil.copytree(base, old)
    kpis = json.loads((old / "kpis.json").read_text())
    for key in ("total_usd_by_prosumer", "rounds", "peak_root_kw", "line_loading_max_percent", "traded_kwh"):
        del kpis[key]
    (old / "kpis.json").write_text(json.dumps(kpis))
    found = differences(base, old)
    assert found["results peak at the root"].said == "in one of them only"
    assert found["results welfare"].said == "same"
    assert not any(one.section == "prosumers" for one in found.values())
    assert write_run_page(gb.load_run(old)).stat().st_size > 10_000


def test_many_differences_are_cut() -> None:
    def scenario(load: float) -> dict[str, Any]:
        lines = {f"l{k}": {"r_ohm": load} for k in range(40)}
        return {"feeder": {"lines": lines, "root": "s"}, "profiles": {"sun": {"1": load, "2": 0.5}}, "seed": int(load)}

    found = scenario_differences([scenario(1.0), scenario(1.0), scenario(2.0)])
    assert len(found) == 42
    shown = [(one.key, one.values) for one in cut(found)]
    assert shown[:2] == [("feeder.lines.l0.r_ohm", ("1", "1", "2")), ("feeder.lines.l1.r_ohm", ("1", "1", "2"))]
    assert shown[5:] == [
        ("feeder.lines: and 35 more", ("", "", "")),
        ("profiles.sun.1", ("1", "1", "2")),
        ("seed", ("1", "1", "2")),
    ]


def test_one_run_alone_is_refused(base: Path) -> None:
    with pytest.raises(
        InputError, match=r"^one run alone has nothing to differ from; name two results folders, or more$"
    ):
        gb.compare([gb.load_run(base)])


# --- the command -----------------------------------------------------------------------------------------------------


def told(*words: str, folder: Path, code: int = 0) -> str:
    """What `gridbazaar compare` says on a screen of 80 columns."""
    command = [sys.executable, "-m", "gridbazaar.scenarios", "compare", *words]
    environment = {"COLUMNS": "80", "PATH": "/usr/bin:/bin", "OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, check=False, timeout=120
    )
    assert done.returncode == code, done.stderr
    return done.stdout if code == 0 else done.stderr


def test_the_command_writes_table_csv_and_page(base: Path, saved: Saved, tmp_path: Path) -> None:
    more = saved(prosumers__ann__fixed_peak_kw=3)
    out = told(str(base), str(more.folder), "--csv", "c.csv", "--html", "c.html", folder=tmp_path)
    lines = out.splitlines()
    assert lines[0] == f"A  {base}: settled: nobody gains by deviating"
    assert any(line.split() == ["prosumers.ann.fixed_peak_kw", "2", "3"] for line in lines)
    assert any(line.split()[:1] == ["welfare"] and "known to" in line for line in lines)
    assert max(len(line) for line in lines[2:-1]) <= 80
    assert lines[-1].startswith("1 value of the scenarios differs; of the numbers found, ")
    table = pd.read_csv(tmp_path / "c.csv").set_index(["section", "what"])
    welfare = table.loc[("results", "welfare")]
    told_welfare = [run.kpis["welfare_usd"] for run in (gb.load_run(base), more)]
    assert float(welfare["difference"]) == pytest.approx(told_welfare[1] - told_welfare[0])
    assert [float(welfare["first"]), float(welfare["other"])] == pytest.approx(told_welfare)
    page = (tmp_path / "c.html").read_text()
    assert "prosumers.ann.fixed_peak_kw" in page
    assert "Two homes &lt;on&gt; a short feeder" in page
    assert page.count("<img ") == 1


def test_refusals_of_the_command(base: Path, tmp_path: Path) -> None:
    said = told(str(base), "nowhere", folder=tmp_path, code=2)
    assert said == "nowhere holds no run; name a results folder with its manifest.json\n"
    said = told(str(base), str(base), "--csv", "no/c.csv", folder=tmp_path, code=2)
    assert "no/c.csv" in said or "'no'" in said
    assert "Traceback" not in said
