"""The page as a person meets it: the command, a browser, and no network but this machine."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import pytest
from tabs import COMMAND, Served, Tab, serving

import gridbazaar.scenarios as gb
from gridbazaar.scenarios.reporting.accuracy import cost_within_by_prosumer_usd, cost_within_usd
from gridbazaar.scenarios.runs.amounts import dollars, energy, last_place
from gridbazaar.scenarios.view.server import RECONNECT_S

pytestmark = pytest.mark.xdist_group("page")  # one server and one browser for all of them


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with serving(tmp_path_factory.mktemp("served"), "ieee33", "--workers", "2") as served:
        yield served


@pytest.fixture
def tab(browser: Any, served: Served) -> Iterator[Tab]:
    tab = Tab(browser, served)
    yield tab
    tab.close()


@pytest.fixture(scope="module")
def printed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What `gridbazaar run ieee33 --json` prints, and what its costs are known within."""
    folder = tmp_path_factory.mktemp("printed")
    done = subprocess.run(
        [*COMMAND, "run", "ieee33", "--json"],
        cwd=folder,
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    numbers = dict(json.loads(done.stdout))
    run = gb.load_run(folder / numbers["results"])
    return {**numbers, "cost_within": cost_within_usd(run), "within": cost_within_by_prosumer_usd(run)}


def test_it_ends_with_the_numbers_that_a_run_prints(tab: Tab, printed: dict[str, Any], tmp_path: Path) -> None:
    tab.go("step", r"^round 1, step 1: the DSO clears .*; next, prosumers answer")
    tab.go("to-clearing", r"^round 11, step 2: the DSO clears")
    tab.go("to-end", r"^round 43, settled: nobody gains by deviating")
    assert tab.text("dso_cost_usd") == dollars(printed["dso_cost_usd"], printed["cost_within"])
    assert tab.text("welfare_usd") == dollars(printed["welfare_usd"], printed["regret_usd"])
    assert tab.text("voltage_min_pu") == f"{printed['voltage_min_pu']:.4f} pu"
    assert tab.text("certificate") == printed["certificate"]
    head, everybody, *rows = tab.rows("people")
    assert head[:2] == ["prosumer", "bids, kWh"]
    assert [row[:2] for row in rows] == [[name, energy(sum(kw))] for name, kw in printed["bid_kw"].items()]
    assert everybody[1] == energy(sum(map(sum, printed["bid_kw"].values())))
    assert [row[4] for row in rows] == [
        dollars(usd, last_place(printed["within"][name])) for name, usd in printed["payment_usd"].items()
    ]
    lmp = printed["lmp_usd_per_kwh"]["p2"][0]
    assert f"bus 13\nLMP {lmp:.6g} $/kWh\nprosumers: p2" in [
        title.strip() for title in tab.page.get_by_test_id("feeder").locator("title").all_text_contents()
    ]
    tab.page.screenshot(path=tmp_path / "settled-1280.png", full_page=True)
    tab.page.set_viewport_size({"width": 500, "height": 900})
    tab.page.wait_for_function("document.documentElement.scrollWidth <= innerWidth")  # charts follow by and by
    tab.page.screenshot(path=tmp_path / "settled-500.png", full_page=True)


def test_it_goes_back_forks_and_compares(tab: Tab, printed: dict[str, Any]) -> None:
    tab.go("to-end", r"^round 43, settled")
    tab.go("back", r"^round 42, ")
    assert tab.text("round") == "round 42 of 43"
    tab.press("fork")
    tab.page.get_by_test_id("fork-changes").fill("alpha_scale=much")
    tab.press("fork-begin")
    problem = tab.page.get_by_text("alpha_scale: 'much' is not a number")
    tab.wait(problem.is_visible)
    tab.page.get_by_test_id("fork-changes").fill("alpha_scale=2")
    tab.press("fork-begin")
    tab.wait(lambda: tab.text("branches").endswith("nothing that was proven before counts)"))
    tab.wait(lambda: not problem.is_visible())
    tab.go("to-end", r"settled: nobody gains by deviating")
    assert tab.text("other-dso_cost_usd") == dollars(printed["dso_cost_usd"], printed["cost_within"])
    assert tab.text("dso_cost_usd") != tab.text("other-dso_cost_usd")
    assert "alpha_scale: as the scenario has it | 2" in tab.text("difference")
    tab.choose("branch", "main")
    tab.wait(lambda: tab.text("standing").startswith("round 43, settled"))
    assert tab.text("dso_cost_usd") == dollars(printed["dso_cost_usd"], printed["cost_within"])


def test_the_timeline_and_the_period_are_sliders(tab: Tab) -> None:
    tab.go("to-clearing", r"^round 1, ")
    tab.go("to-clearing", r"^round 11, ")
    handle = tab.page.get_by_test_id("timeline").locator("[tabindex]")
    handle.press("ArrowLeft")
    tab.wait(lambda: tab.text("round") == "round 10 of 11")
    handle.press("PageDown")  # ten steps
    tab.wait(lambda: tab.text("round") == "round 0 of 11")
    tab.page.get_by_test_id("period-slider").locator("[tabindex]").press("ArrowRight")
    tab.wait(lambda: tab.text("period") == "period 2 (01:00-02:00)")


def test_it_plays_and_pauses(tab: Tab) -> None:
    tab.press("play")
    tab.wait(lambda: tab.text("standing").startswith("round 2, "))
    assert tab.text("play") == "Pause"
    tab.press("play")
    tab.wait(tab.is_free)
    assert tab.text("round") in ("round 2 of 2", "round 3 of 3")


def test_it_runs_until_something_holds(tab: Tab) -> None:
    condition = tab.page.get_by_test_id("until")
    condition.fill("primal_kw < 20")
    tab.go("run-until", r"^round 6, ")
    for words, problem in (
        ("primal < 20", "there is no primal; did you mean primal_kw?"),
        ("voltage_min_pu > 2", "the run ended, and voltage_min_pu > 2 never held"),
    ):
        condition.fill(words)
        tab.press("run-until")
        tab.wait(lambda said=problem: said in tab.page.locator("label.q-field", has=condition).inner_text())
    assert tab.text("standing").startswith("round 43, settled")


def test_what_prosumers_tell_nobody_is_hidden_by_default(tab: Tab) -> None:
    tab.go("to-end", r"^round 43, settled")
    tab.choose("prosumer", "p2")
    private = re.compile("elastic|renewables|fixed load|worth_usd_per_kwh")
    assert not private.search(tab.page.inner_text("body"))
    tab.press("private")
    tab.wait(lambda: "worth_usd_per_kwh" in tab.text("plans"))
    assert {"elastic, kWh", "cost"} <= set(tab.rows("people")[0])
    tab.wait(lambda: "renewables" in tab.page.inner_text("body"))


def test_a_bad_value_has_its_message_beside_it(tab: Tab) -> None:
    penalty = tab.page.get_by_test_id("market.penalty_usd_per_kw2h")
    penalty.fill("-1")
    tab.press("open")
    field = tab.page.locator("label.q-field", has=penalty)
    tab.wait(lambda: "-1.0 must be a finite number above 0" in field.inner_text())
    penalty.fill("1e-3")
    tab.page.get_by_test_id("alpha_scale").fill("2")
    tab.press("open")
    tab.wait(lambda: "must be a finite number" not in field.inner_text())

    def stepped() -> bool:
        """Whether the market that is being opened has been stepped; before it is open nothing comes of a click."""
        if tab.is_free() and tab.text("standing").startswith("round 0"):
            tab.press("step")
        return bool(re.search(r"^round [1-9]", tab.text("standing")) and tab.is_free())

    tab.wait(stepped)
    tab.choose("market.case", "1 no sharing")
    behaviour = tab.page.get_by_test_id("behaviour").first
    behaviour.fill("mine.py:Missing")  # and no Enter
    tab.press("open")
    beside = tab.page.locator("label.q-field", has=behaviour)
    tab.wait(lambda: "mine.py; correct the path before the colon" in beside.inner_text())
    behaviour.fill("Inert")  # to look for one
    tab.page.get_by_role("option", name="Inertial").click()
    tab.wait(lambda: "behaviours: p1: Inertial" in tab.page.locator("body").inner_text())
    behaviour.blur()
    tab.page.get_by_test_id("alpha_scale").fill("1")
    assert "behaviours: p1: Inertial" in tab.page.locator("body").inner_text()


@pytest.mark.long
def test_a_session_outlives_a_browser_that_stands_still(tab: Tab, browser: Any) -> None:
    tab.go("step", r"^round 1, ")
    told = browser.new_browser_cdp_session().send("SystemInfo.getProcessInfo")["processInfo"]
    stopped = [one["id"] for one in told if one["type"] == "renderer"]
    assert stopped
    try:
        for pid in stopped:
            os.kill(pid, signal.SIGSTOP)
        time.sleep(RECONNECT_S)
    finally:
        for pid in stopped:
            os.kill(pid, signal.SIGCONT)
    tab.go("step", r"^round 2, ")
    assert {*tab.complaints} <= {"WebSocket is already in CLOSING or CLOSED state."}  # until it has found back
    tab.complaints.clear()


def test_a_tab_that_is_loaded_anew_finds_its_session_again(browser: Any, tmp_path: Path) -> None:
    with serving(tmp_path, "ieee33") as served:
        tab = Tab(browser, served)
        tab.go("step", r"^round 1, ")
        tab.page.get_by_test_id("alpha_scale").fill("2")
        tab.go("open", r"^round 0, ")
        tab.go("to-clearing", r"^round 1, ")
        tab.go("step", r"^round 2, ")
        tab.choose("prosumer", "p1")
        tab.press("private")
        tab.wait(lambda: "worth_usd_per_kwh" in tab.text("plans") and tab.is_free())
        seen = {name: tab.text(name) for name in ("standing", "round", "plans", "dso_cost_usd", "residuals")}
        tab.page.reload()
        tab.wait(lambda: tab.text("standing").startswith("round 2, "))
        tab.wait(lambda: tab.page.get_by_test_id("alpha_scale").input_value() == "2")
        assert {name: tab.text(name) for name in seen} == seen
        assert tab.page.get_by_test_id("private").get_attribute("aria-checked") == "true"
        time.sleep(RECONNECT_S + 2)  # by then the page before has been given up
        tab.go("back", r"^round 1, ")
        tab.go("step", r"^round 2, ")
        other = Tab(browser, served)
        assert other.text("round") == "round 0 of 0"
        with urlopen(served.address) as answer:  # somebody without a browser, for whom nothing is opened
            assert b"<html" in answer.read()
        for each in (tab, other):
            each.close()


def test_tabs_are_apart_and_a_closed_one_leaves_no_worker(browser: Any, served: Served) -> None:
    def workers() -> int:
        """Worker processes: children of the server's children that serve communities."""
        return len([pid for child in children(served.process.pid) for pid in children(child)])

    tab = Tab(browser, served)
    tab.wait(lambda: workers() == 2, RECONNECT_S + 30)  # those of tabs that other tests have closed are gone
    other = Tab(browser, served)
    assert workers() == 4
    tab.go("step", r"^round 1, ")
    other.go("to-end", r"^round 43, settled")
    assert tab.text("round") == "round 1 of 1"
    other.press("open")  # begins anew, and lets go of the workers that there were
    other.wait(lambda: other.text("standing").startswith("round 0, ") and other.is_free())
    other.wait(lambda: workers() == 4)
    other.close()
    tab.wait(lambda: workers() == 2, RECONNECT_S + 20)
    tab.go("step", r"^round 2, ")
    tab.close()
    end = time.monotonic() + RECONNECT_S + 20
    while workers() and time.monotonic() < end:
        time.sleep(0.1)
    assert workers() == 0


def test_a_page_from_elsewhere_gets_nothing(served: Served) -> None:
    host, port = served.address.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port))) as line:
        line.sendall(b"GET / HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n")
        assert line.recv(4096).startswith(b"HTTP/1.1 400")


def children(pid: int) -> list[int]:
    """The processes that a process has started and that live."""
    found = []
    for file in [entry / "stat" for entry in Path("/proc").iterdir() if entry.name.isdigit()]:
        try:
            state, parent = file.read_text().rpartition(")")[2].split()[:2]
        except OSError:  # it has ended meanwhile
            continue
        if int(parent) == pid and state != "Z":
            found.append(int(file.parent.name))
    return found
