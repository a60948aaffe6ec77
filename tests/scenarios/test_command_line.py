"""The command line: what it prints, its exit codes, what is on disk afterwards, and that refusals come at once."""

from __future__ import annotations

import errno
import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from gridbazaar.scenarios.errors import UnwrittenError
from gridbazaar.scenarios.runs.tables_on_disk import read_rounds

COMMAND = (sys.executable, "-m", "gridbazaar.scenarios")
TABLES = ("rounds", "prosumers", "trades", "prices", "generators", "buses", "lines", "bills")


def gridbazaar(*words: str, folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*COMMAND, *words], cwd=folder, capture_output=True, text=True, check=False, timeout=120)


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, Any], Path, subprocess.CompletedProcess[str]]:
    """One run of ieee33 with --json: what it printed, and its folder."""
    folder = tmp_path_factory.mktemp("ran")
    done = gridbazaar("run", "ieee33", "--json", folder=folder)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout), folder, done


def test_json_has_what_programs_need(ran: tuple[dict[str, Any], Path, Any]) -> None:
    found, folder, done = ran
    assert done.stderr == ""
    assert found["settled"] is True
    assert len(found["sharing_rounds"]) == found["outer_iterations"] > 1
    assert found["dso_cost_usd"] == pytest.approx(15_614.36, abs=1)  # the joint problem, by an independent solution
    assert found["welfare_usd"] == pytest.approx(-12_299.33, abs=0.01)
    assert found["voltage_min_pu"] == pytest.approx(0.9531, abs=1e-4)
    assert found["losses_kwh"] > 0
    assert found["max_cone_gap"] < 1e-6
    assert 0 <= found["regret_usd"] < 1e-4 * found["dso_cost_usd"]
    assert set(found["prosumer_cost_usd"]) == {"p1", "p2", "p3"}
    for key in ("lmp_usd_per_kwh", "elastic_load_kw", "bid_kw"):
        assert [len(hours) for hours in found[key].values()] == [24, 24, 24]
    assert {"setup", "clearing", "sharing", "delivery", "loading", "saving"} <= set(found["seconds"])
    assert (folder / found["results"]).is_dir()


def test_everything_is_on_disk_and_agrees(ran: tuple[dict[str, Any], Path, Any]) -> None:
    found, folder, _ = ran
    results = folder / found["results"]
    assert results.parent == folder / "results" / "ieee33"
    assert sorted(file.name for file in results.iterdir()) == sorted(
        ["manifest.json", "kpis.json", *(f"{name}.parquet" for name in TABLES)]
    )
    frames = {name: pd.read_parquet(results / f"{name}.parquet") for name in TABLES}
    phases = frames["rounds"]["phase"].value_counts()
    assert phases["sharing"] == sum(found["sharing_rounds"])
    assert phases["clearing"] == found["outer_iterations"] == found["clearings"]
    assert phases["delivery"] >= found["outer_iterations"] - 1
    assert list(frames["rounds"]["number"]) == list(range(1, len(frames["rounds"]) + 1))
    last = frames["rounds"].iloc[-1]
    assert last["bid_kw"].tolist() == [kw for hours in found["bid_kw"].values() for kw in hours]
    prices = frames["prices"]
    parts = prices[[f"{part}_usd_per_kwh" for part in ("energy", "loss", "voltage", "congestion")]].sum(axis=1)
    assert (parts - prices["lmp_usd_per_kwh"]).abs().max() < 1e-6
    assert round(frames["bills"]["amount_usd"].sum(), 2) == 0
    elastic = frames["prosumers"].groupby("prosumer")["elastic_kw"].apply(list).to_dict()
    assert elastic == found["elastic_load_kw"]
    assert json.loads((results / "kpis.json").read_text()) == found
    manifest = json.loads((results / "manifest.json").read_text())
    assert manifest["outcome"] == "settled"
    assert manifest["scenario"]["prosumers"]["p2"]["renewable_peak_kw"] == 480
    assert {"mesa", "osqp", "clarabel"} <= set(manifest["versions"])


def test_a_run_tells_a_person_what_happened(tmp_path: Path) -> None:
    done = gridbazaar("run", "ieee33", "--case", "1", "-o", "mine", folder=tmp_path)
    assert done.returncode == 0
    for words in (
        "p1",
        "p2",
        "p3",
        "DSO cost $15,9",
        "lowest voltage",
        "no prosumer could gain more than",
        "results: mine",
    ):
        assert words in done.stdout
    assert "step 2: the DSO clears the market at $" in done.stderr
    again = gridbazaar("run", "ieee33", "-o", "mine", folder=tmp_path)
    assert again.returncode == 2
    assert again.stderr.strip() == "mine is not empty; name a new folder with -o, so that no results are lost"


def test_options_are_values_of_the_scenario(tmp_path: Path) -> None:
    words = ("--case", "2", "--alpha-scale", "2", "--seed", "5", "--set", "market.max_iterations=9", "-o", "r")
    done = gridbazaar("run", "ieee33", "--json", *words, folder=tmp_path)
    assert json.loads(done.stdout)["settled"]
    scenario = json.loads((tmp_path / "r" / "manifest.json").read_text())["scenario"]
    assert (scenario["market"]["case"], scenario["alpha_scale"], scenario["seed"]) == (2, 2.0, 5)
    assert scenario["market"]["max_iterations"] == 9


def test_the_dispatch_can_be_replayed_in_an_ac_power_flow(tmp_path: Path) -> None:
    done = gridbazaar("run", "ieee33", "--ac", "-o", "r", folder=tmp_path)
    assert re.search(r"voltages within \de-\d\d pu of the AC flow by sweeps", done.stdout)
    assert "AC power flow (pandapower): voltages within" in done.stdout
    found = json.loads((tmp_path / "r" / "kpis.json").read_text())
    assert found["ac_voltage_error_pu"] < 1e-4
    assert found["ac_losses_kwh"] == pytest.approx(found["losses_kwh"], rel=1e-4)


def test_a_run_that_goes_on_keeps_what_it_kept_and_refuses_another_choice(tmp_path: Path) -> None:
    limits = ("--set", "market.max_iterations=2", "--set", "market.regret_tolerance=1e-12")
    done = gridbazaar("run", "ieee33", "--record", "summary", *limits, "-o", "r", folder=tmp_path)
    assert "of every round one row without arrays is kept; --record all keeps those of all" in done.stdout
    assert json.loads((tmp_path / "r" / "manifest.json").read_text())["record"] == "summary"
    again = gridbazaar("run", "--resume", "r", "--record", "none", folder=tmp_path)
    assert again.returncode == 2
    assert again.stderr.endswith("a run goes on where it is, with what is recorded there; leave out --record none\n")


FAILURES = {
    "bad input": (("run", "ieee33", "--set", "market.oder=x"), 2, "market.oder: unknown key; did you mean order?"),
    "no key": (("run", "ieee33", "--set", "x"), 2, "--set x: this is not a key and a value; write it like --set"),
    "option": (("run", "ieee33", "--order", "foo"), 2, "--order foo market.order: 'foo' is not known; write one of"),
    "no scenario": (("validate", "nothing"), 2, "there is no scenario nothing"),
    "behaviour": (("run", "ieee33", "--behaviour", "p2=no.py:B"), 2, "there is no file"),
    "household": (
        ("validate", "ieee33", "--set", "links={}", "--set", "prosumers.p2.bid_max_kw=0"),
        4,
        "prosumers.p2: prosumer p2: period 13 (12:00-13:00) needs 145.2 kW",
    ),
    "feeder": (("run", "ieee33", "--set", "feeder.lines.6-26.p_max_kw=300"), 4, "line 6-26 is full at 300 kW"),
    "usage": (("run", "ieee33", "--cse", "1"), 2, "No such option"),
    "record": (
        ("run", "ieee33", "--record", "some"),
        2,
        "'some' is not known; write one of 'all', 'summary' or 'none'",
    ),
    "list": (("list", "foo"), 2, "list foo: 'foo' is not known; write one of 'scenarios', 'behaviours' or 'devices'"),
}


@pytest.mark.parametrize("what", FAILURES)
def test_a_failure_is_a_sentence_and_an_exit_code(what: str, tmp_path: Path) -> None:
    words, code, sentence = FAILURES[what]
    done = gridbazaar(*words, folder=tmp_path)
    assert done.returncode == code
    assert sentence in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""


def test_a_run_that_diverges_says_why_and_is_saved(tmp_path: Path) -> None:
    done = gridbazaar("run", "ieee33", "--order", "jacobi", "--json", folder=tmp_path)
    found = json.loads(done.stdout)
    assert done.returncode == 3
    assert found["settled"] is False
    assert "has no proximal term and diverges for every penalty once bids are interior" in found["message"]
    assert found["regret_usd"] is None
    assert len(read_rounds(tmp_path / found["results"])) == 101


def test_an_infeasible_run_leaves_its_reason(tmp_path: Path) -> None:
    gridbazaar("run", "ieee33", "--set", "feeder.lines.6-26.p_max_kw=300", "-o", "r", folder=tmp_path)
    manifest = json.loads((tmp_path / "r" / "manifest.json").read_text())
    assert manifest["outcome"] == "failed"
    assert "line 6-26 is full at 300 kW" in manifest["message"]


ENDLESS = ("run", "ieee33", "--alpha-scale", "0.3", "--set", "market.max_iterations=100000", "-v", "-o", "r")


def started(folder: Path) -> subprocess.Popen[str]:
    """A run that would not end by itself, once it has made some rounds."""
    run = subprocess.Popen([*COMMAND, *ENDLESS], cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert run.stderr is not None
    while "step 3" not in run.stderr.readline():
        assert run.poll() is None
    return run


def test_ctrl_c_leaves_the_finished_rounds_and_what_they_found(tmp_path: Path) -> None:
    run = started(tmp_path)
    run.send_signal(signal.SIGINT)
    out, err = run.communicate(timeout=30)
    assert run.returncode == 130
    assert "Traceback" not in err
    assert "not finished: the run was stopped before the market settled" in out
    rounds = read_rounds(tmp_path / "r").to_pandas()
    assert rounds["iteration"].max() >= 3
    assert json.loads((tmp_path / "r" / "manifest.json").read_text())["outcome"] == "interrupted"
    assert len(pd.read_parquet(tmp_path / "r" / "buses.parquet")) == 33 * 24
    assert len(pd.read_parquet(tmp_path / "r" / "lines.parquet")) == 32 * 24


def test_a_killed_run_leaves_the_finished_rounds(tmp_path: Path) -> None:
    run = started(tmp_path)
    time.sleep(0.2)
    run.kill()
    run.communicate(timeout=30)
    rounds = read_rounds(tmp_path / "r").to_pandas()
    assert rounds["iteration"].max() >= 3
    assert list(rounds["number"]) == list(range(1, len(rounds) + 1))


def test_a_stream_that_was_cut_is_read_up_to_the_cut(tmp_path: Path) -> None:
    run = started(tmp_path)
    run.kill()
    run.communicate(timeout=30)
    stream = tmp_path / "r" / "rounds.arrows"
    whole = len(read_rounds(tmp_path / "r"))
    os.truncate(stream, stream.stat().st_size - 100)
    assert len(read_rounds(tmp_path / "r")) in (whole - 1, whole)


@pytest.mark.parametrize("words", [(), ("--help",), ("-h",)])
def test_alone_it_prints_help(words: tuple[str, ...], tmp_path: Path) -> None:
    done = gridbazaar(*words, folder=tmp_path)
    assert done.returncode == 0
    assert done.stderr == ""
    assert "Usage: " in done.stdout
    assert "validate" in done.stdout


FULL = "the output cannot be written: No space left on device; make room, or write elsewhere"


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="a device of Linux")
@pytest.mark.parametrize(
    "words", [("--help",), ("list",), ("schema",), ("validate", "ieee33"), ("run", "ieee33", "--json")]
)
def test_a_full_output_is_a_sentence_and_an_exit_code(words: tuple[str, ...], tmp_path: Path) -> None:
    command = f"{sys.executable} -m gridbazaar.scenarios {' '.join(words)} > /dev/full"
    done = subprocess.run(command, shell=True, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=60)
    assert (done.returncode, done.stderr) == (6, f"{FULL}\n")
    done = subprocess.run(f"{command} 2>&1", shell=True, cwd=tmp_path, capture_output=True, check=False, timeout=60)
    assert done.returncode == 6  # even if nobody can be told


def test_a_disk_that_fills_up_keeps_the_finished_rounds_and_the_run_goes_on(tmp_path: Path) -> None:
    done = run_on_a_disk_of(20_000, tmp_path)
    assert done.returncode == 6
    cure = "once that is mended, `gridbazaar run --resume r` goes on after the rounds that are there"
    assert done.stderr.splitlines()[-1] == f"r/rounds.arrows: File too large; {cure}"
    assert "Traceback" not in done.stderr
    kept = read_rounds(tmp_path / "r")["number"].to_pylist()
    assert len(kept) > 1
    assert kept == list(range(1, len(kept) + 1))
    done = gridbazaar("run", "--resume", "r", "--no-ac", "--json", folder=tmp_path)
    assert (done.returncode, sum(json.loads(done.stdout)["sharing_rounds"])) == (0, 38)
    assert not list((tmp_path / "r").glob("*.partial"))


def test_a_disk_that_is_full_from_the_start(tmp_path: Path) -> None:
    done = run_on_a_disk_of(1_000, tmp_path)
    cure = "mend that and run the scenario anew, or name another folder with -o"
    assert (done.returncode, done.stderr) == (6, f"r/manifest.json: File too large; {cure}\n")
    assert list((tmp_path / "r").iterdir()) == []  # so that it can be run there anew


def run_on_a_disk_of(size: int, folder: Path) -> subprocess.CompletedProcess[str]:
    """A run that can write no more bytes than that into any file."""
    resource = pytest.importorskip("resource")
    return subprocess.run(
        [*COMMAND, "run", "ieee33", "--no-ac", "-o", "r"],
        cwd=folder, capture_output=True, text=True, check=False, timeout=60,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (size, size)),
    )  # fmt: skip


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    failed = UnwrittenError(PermissionError(errno.EACCES, os.strerror(errno.EACCES), "mine/report.html"))
    assert str(failed) == "mine/report.html: Permission denied; correct its name or its rights"
    assert failed.exit_code == 2
    (tmp_path / "file").touch()
    done = gridbazaar("run", "ieee33", "-o", "file/r", folder=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "file/r cannot be made: Not a directory; name another folder with -o\n"


OLD_NAMES = {
    "order": (("--order", "proximal"), "--order proximal market.order: proximal is called proximal_jacobi now; write"),
    "method": (("--set", "market.method=price_curve"), "market.method: price_curve is called newton now; write newton"),
    "file": ((), "old.yaml:4 market.order: sequential is called gauss_seidel now; write gauss_seidel\n"),
}


@pytest.mark.parametrize("what", OLD_NAMES)
def test_an_old_name_is_understood_with_one_plain_note(what: str, tmp_path: Path) -> None:
    words, note = OLD_NAMES[what]
    old = "sequential" if what == "file" else "gauss_seidel"
    (tmp_path / "old.yaml").write_text(f"base: ieee33\nmarket:\n  case: 1\n  order: {old}\n")
    done = gridbazaar("run", "old.yaml", "--json", "-o", "r", *words, folder=tmp_path)
    assert done.returncode == 0
    assert note in done.stderr
    assert len(done.stderr.splitlines()) == 1
    market = json.loads((tmp_path / "r" / "manifest.json").read_text())["scenario"]["market"]
    assert market["order"] in ("proximal_jacobi", "gauss_seidel")
    assert market["method"] == "newton"


def test_what_was_read_otherwise_is_said_once_and_tables_are_named_in_files(tmp_path: Path) -> None:
    (tmp_path / "s.yaml").write_text('base: ieee33\nfeeder: {buses: {"2": {p_mw: 0.1}}}\n')
    done = gridbazaar("validate", "s.yaml", folder=tmp_path)
    assert done.stderr.splitlines() == ["note: s.yaml feeder.buses: p_mw is read as p_kw, times 1,000"]
    done = gridbazaar("validate", "s.yaml", "--set", "feeder.lines=mine.csv", folder=tmp_path)
    assert done.returncode == 2
    assert done.stderr.endswith(
        "feeder.lines: the file of a table is named in a scenario file; write one that says base: and lines: mine.csv\n"
    )


def _rows(printed: str) -> dict[str, list[str]]:
    """What a list says of each name."""
    return {name: cells for name, *cells in (line.split("\t") for line in printed.splitlines())}


def test_lists_and_schema(tmp_path: Path) -> None:
    assert gridbazaar("list", folder=tmp_path).stdout.startswith("ieee33\t")
    rows = {
        what: _rows(gridbazaar("list", *what, folder=tmp_path).stdout) for what in ((), ("behaviours",), ("devices",))
    }
    assert all(len(cells) == 2 and cells[1] for known in rows.values() for cells in known.values())
    assert rows[()]["island"][1] == "An island without a cable: a diesel, wind, sun and stores must balance it alone"
    shading = "Declares a marginal utility (12) that is lower than its own by some percent."
    assert rows["behaviours",]["Shading"] == ["gridbazaar.agents.behaviours.shading:Shading", shading]
    pump = "A heat pump that charges a store of heat, from which a demand of heat is met."
    assert rows["devices",]["heat_pump"] == ["gridbazaar.agents.devices.heat_pump:HeatPump", pump]
    assert gridbazaar("list", "behaviours", folder=tmp_path).stdout.startswith("price_taker\t")
    assert json.loads(gridbazaar("schema", folder=tmp_path).stdout)["properties"]["market"]
    text = gridbazaar("schema", folder=tmp_path).stdout
    for old in ("sequential", "simultaneous", "exchange", "price_curve", '"proximal"'):
        assert old not in text
    assert gridbazaar("--version", folder=tmp_path).stdout.strip()
