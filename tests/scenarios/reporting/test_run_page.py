"""The page of a run: it opens without a network, its numbers are the run's, and it says what is not there."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from browser import opened

import gridbazaar.scenarios as gb
from gridbazaar.network.errors import InfeasibleError, InputError
from gridbazaar.scenarios.reporting.no_sharing import run_without_sharing
from gridbazaar.scenarios.reporting.run_page import write_run_page
from gridbazaar.scenarios.reporting.savings import Savings
from gridbazaar.scenarios.reporting.stored_schedule import StoredSchedule
from gridbazaar.scenarios.runs.running import run_scenario

SECTIONS = [
    "Key figures",
    "The feeder",
    "Power balances",
    "Prosumers",
    "Prices",
    "Voltages and lines",
    "Convergence",
    "Bills",
    "What was run",
]


def page_of(folder: Path, tmp_path: Path, savings: Savings | None = None) -> str:
    """The text of the page of a run."""
    return write_run_page(gb.load_run(folder), tmp_path / "page.html", savings).read_text(encoding="utf-8")


def titles(page: str) -> list[str]:
    return re.findall("<h2>(.*?)</h2>", page)


@pytest.mark.parametrize("width", [1280, 500])
def test_the_page_opens_in_a_browser_without_a_network(ieee33: Path, tmp_path: Path, width: int) -> None:
    run = gb.load_run(ieee33)
    file = write_run_page(run, tmp_path / "page.html", Savings.of(run, run_without_sharing(run)))
    with opened(file, width) as shown:
        sizes = shown.page.evaluate("[...document.images].map(i => [i.complete, i.naturalWidth])")
        assert len(sizes) == 6
        assert all(complete and wide > 200 for complete, wide in sizes)
        assert shown.asked_outside == []
        assert shown.told == []
        wide, window = shown.width()
        assert wide <= window
        assert shown.page.evaluate("document.querySelectorAll('figure svg').length") == 1
        figures = shown.page.evaluate(
            "Object.fromEntries([...document.querySelectorAll('dl div')].map(d => [d.children[0].innerText, "
            "d.children[1].innerText]))"
        )
    assert figures["traded"] == f"{run.kpis['traded_kwh']:,.0f} kWh"
    assert figures["self-sufficiency"] == f"{100 * run.kpis['self_sufficiency']:.1f} %"
    assert figures["lowest voltage"] == f"{run.kpis['voltage_min_pu']:.4f} pu"
    assert figures["saved by sharing"].startswith("$")


def test_a_settled_run_has_all_sections(base: Path, tmp_path: Path) -> None:
    page = page_of(base, tmp_path)
    assert titles(page) == SECTIONS
    assert '<p class="good">Settled: nobody gains by deviating.</p>' in page
    assert "<h1>Two homes &lt;on&gt; a short feeder</h1>" in page
    bills = gb.load_run(base).table("bills")
    for usd in bills[bills.amount_usd < 0].amount_usd:
        assert f"<td>{-usd:,.2f}</td>" in page


def test_the_page_calls_the_total_what_the_terminal_calls_it(base: Path, tmp_path: Path) -> None:
    page = page_of(base, tmp_path)
    (headings,) = re.findall("<th[^>]*>prosumer</th>(.*?)</tr>", page)
    assert "<th>total $</th>" in headings
    assert "<th>cost $</th>" not in headings
    for usd in gb.load_run(base).kpis["total_usd_by_prosumer"].values():
        assert f"<td>{usd:.2f}</td>" in page


def test_a_run_that_delivered_nothing_says_so(diverged: Path, tmp_path: Path) -> None:
    page = page_of(diverged, tmp_path)
    assert '<p class="bad">Not settled: Algorithm 1 diverges' in page
    assert "No schedule was delivered: what is shown is the last clearing, and nothing is proven of it." in page
    assert titles(page) == [title for title in SECTIONS if title not in {"Power balances", "Prosumers", "Bills"}]
    assert "<dt>self-sufficiency</dt>" not in page


def test_a_run_that_was_stopped_has_what_is_there(stopped: Path, tmp_path: Path) -> None:
    page = page_of(stopped, tmp_path)
    assert '<p class="bad">Interrupted in the middle of a round.</p>' in page
    assert "The run (interrupted) has left no results." in page
    assert titles(page) == ["Key figures", "Convergence", "What was run"]


def test_an_infeasible_run_has_a_page(saved: Callable[..., gb.StoredRun], tmp_path: Path) -> None:
    run = saved(feeder__generators__grid__p_max_kw=8)
    assert run.outcome == "shortage"
    page = page_of(run.folder, tmp_path)
    assert '<p class="bad">Infeasible: bids and prices rest, but the feeder cannot serve them: ' in page
    assert "Costs are known within" not in page


def test_a_run_that_failed_has_a_page(saved: Callable[..., gb.StoredRun], tmp_path: Path) -> None:
    with pytest.raises(InfeasibleError) as failed:
        saved(feeder__generators__grid__p_max_kw=5)
    page = page_of(tmp_path / "run", tmp_path)
    assert str(failed.value)[1:] in page
    assert "The run (failed) has left no results." in page


def test_a_run_without_links_without_ratings_and_without_rounds(
    saved: Callable[..., gb.StoredRun], tmp_path: Path
) -> None:
    changes = {"links": None, "feeder__lines__a-b__p_max_kw": "inf"}
    run = saved(**changes)
    (run.folder / "rounds.parquet").unlink()
    page = page_of(run.folder, tmp_path)
    assert titles(page) == [title for title in SECTIONS if title != "Convergence"]


def test_many_prosumers_are_shown_together_first(twelve: Path, tmp_path: Path) -> None:
    folder = tmp_path / "run"
    folder.mkdir()
    more = {"bus": "b3", "alpha_usd_per_kw2h": 0.002, "beta_usd_per_kwh": 0.3, "elastic_max_kw": 60, "bid_max_kw": 120}
    run_scenario(gb.load(str(twelve), {"prosumers.h12": more}), folder)
    page = page_of(folder, tmp_path)
    assert "All 13 prosumers together, then the 6 that trade most." in page
    assert page.count("Power balance of ") == 2 * 7  # each is named by its picture and its caption


def test_the_schedule_of_a_saved_run_is_that_of_its_result(ieee33: Path) -> None:
    result = gb.load("ieee33").market().run()
    schedule = StoredSchedule.of(gb.load_run(ieee33))
    for key in ("names", "dt_h", "bid_kw", "elastic_kw", "fixed_kw", "renewable_kw", "curtailed_kw", "trade_kw"):
        np.testing.assert_array_equal(getattr(schedule, key), getattr(result, key))
    np.testing.assert_array_equal(schedule.lmp_usd_per_kwh, result.lmp_usd_per_kwh)
    np.testing.assert_array_equal(schedule.price_usd_per_kwh, result.price_usd_per_kwh)
    np.testing.assert_allclose(schedule.traded_kwh, (result.bought_kw + result.sold_kw).sum(axis=1))
    together = schedule.together("all")
    np.testing.assert_allclose(together.bid_kw, result.bid_kw.sum(axis=0, keepdims=True))
    supply = together.bid_kw + together.renewable_kw - together.curtailed_kw
    np.testing.assert_allclose(supply, together.fixed_kw + together.elastic_kw, atol=1e-6)


def test_what_was_changed_is_told(base: Path, tmp_path: Path) -> None:
    folder = tmp_path / "changed"
    shutil.copytree(base, folder)
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest |= {"overrides": ["--set dt_h=1", "--case 3"], "resumed": ["later"]}
    manifest["scenario"]["prosumers"]["bob"]["behaviour"] = "mine.py:Mine"
    (folder / "manifest.json").write_text(json.dumps(manifest))
    page = page_of(folder, tmp_path)
    assert "--set dt_h=1; --case 3" in page
    assert "bob: mine.py:Mine" in page
    assert " and resumed later" in page


# --- savings ---------------------------------------------------------------------------------------------------------


def test_savings_are_the_difference_of_what_it_comes_to(ieee33: Path) -> None:
    run = gb.load_run(ieee33)
    alone = run_without_sharing(run)
    assert alone.manifest["scenario"]["market"]["case"] == 1
    assert alone.folder == ieee33 / "no-sharing"
    savings = Savings.of(run, alone)
    for name, usd in savings.usd.items():
        parts = [one.kpis["prosumer_cost_usd"][name] + one.kpis["payment_usd"][name] for one in (alone, run)]
        assert usd == pytest.approx(parts[0] - parts[1])
    assert savings.total_usd == pytest.approx(sum(savings.usd.values()))
    started = alone.manifest["started"]
    assert run_without_sharing(run).manifest["started"] == started  # it is not made twice


def test_fairness_is_not_told_of_savings_that_are_not_known() -> None:
    assert Savings({"a": 3.0, "b": 1.0}, {"a": 0.1, "b": 0.1}).fairness == pytest.approx(16 / 20)
    assert Savings({"a": 3.0, "b": 1.0}, {"a": 0.1, "b": 1.1}).fairness is None
    assert Savings({"a": 3.0, "b": 1.0}, {}).fairness is None
    assert Savings({"a": 3.0, "b": -1.0}, {"a": 0.1, "b": 0.1}).fairness is None


def test_savings_need_a_run_without_sharing(base: Path, ieee33: Path, diverged: Path) -> None:
    run = gb.load_run(ieee33)
    with pytest.raises(InputError, match=r"has sharing in it; name one that was run with --case 1$"):
        Savings.of(run, gb.load_run(base))
    alone = run_without_sharing(run)
    with pytest.raises(InputError, match=r"differs in more than sharing \(.*\); name one of the same scenario$"):
        Savings.of(gb.load_run(base), alone)
    with pytest.raises(InputError, match=r"\(sharing_diverged\) has no costs to compare; name one that has settled$"):
        Savings.of(gb.load_run(diverged), alone)


# --- the command -----------------------------------------------------------------------------------------------------


def told(*words: str, folder: Path, code: int = 0) -> tuple[str, str]:
    command = [sys.executable, "-m", "gridbazaar.scenarios", "report", *words]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, timeout=200)
    assert done.returncode == code, done.stderr
    return done.stdout, done.stderr


def test_the_command_writes_the_page_into_the_run_or_where_it_is_told(base: Path, tmp_path: Path) -> None:
    folder = tmp_path / "run"
    shutil.copytree(base, folder)
    out, _ = told("run", "--against-no-sharing", folder=tmp_path)
    assert out == "settled: nobody gains by deviating\nreport: run/report.html\n"
    assert "saved by sharing" in (folder / "report.html").read_text()
    out, _ = told("run", "--against", "run/no-sharing", "-o", "elsewhere.html", folder=tmp_path)
    assert "saved by sharing" in (tmp_path / "elsewhere.html").read_text()


def test_refusals_of_the_command(base: Path, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    run, no_run = str(base), "holds no run; name a results folder with its manifest.json"
    as_it_was = "a run that is saved is reported as it was; run the scenario anew with what you want to change"
    both = f"the run to compare with is given: {run}; leave one of them out"
    for words, sentence in {
        ("empty",): f"empty {no_run}",
        ("nowhere",): f"nowhere {no_run}",
        (run, "--against", "empty"): f"empty {no_run}",
        (run, "--set", "dt_h=1"): f"--set dt_h=1: {as_it_was}",
        (run, "--against", run, "--against-no-sharing"): f"--against-no-sharing: {both}",
        (run, "-o", "no/page.html"): "no/page.html: No such file or directory; correct its name or its rights",
        ("ieee33", "--against-no-sharing"): "--against: ieee33 is no saved run; name a results folder, or leave this "
        "out",
    }.items():
        assert told(*words, folder=tmp_path, code=2)[1] == f"{sentence}\n"


def test_a_scenario_is_still_studied_with_a_note(tmp_path: Path) -> None:
    words = ("ieee33", "--set", "market.case=x")
    _, err = told(*words, folder=tmp_path, code=2)
    note, refusal = err.splitlines()[:2]
    assert note == (
        "the paper's case study is called `gridbazaar study` now; `gridbazaar report RUN` is the page of a run"
    )
    assert refusal.startswith("--set market.case=x market.case: ")
