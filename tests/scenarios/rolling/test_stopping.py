"""Runs of windows that stop: interrupted, killed, infeasible or not settled; what is saved, and how they go on."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
from rolling_homes import PRICES, homes, load

import gridbazaar.scenarios as gb
from gridbazaar.market import Workers
from gridbazaar.market.tables import DEVICES, TABLES
from gridbazaar.network.errors import InputError
from gridbazaar.scenarios.rolling.rolling import run_rolling
from gridbazaar.scenarios.rolling.window_error import WindowError
from gridbazaar.scenarios.runs.recorder import Origin
from gridbazaar.scenarios.runs.resuming import recorded_scenario
from gridbazaar.scenarios.runs.run import Run

pytestmark = pytest.mark.xdist_group("rolling stops")
DAYS = {"length_h": 24, "forecast": "persistence", "imbalance_price_usd_per_kwh": PRICES}
"""Three windows of a day each."""


@pytest.fixture(scope="session")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Run:
    folder = tmp_path_factory.mktemp("undisturbed")
    return rolled(folder, load(folder, homes(days=3, horizon=DAYS)))


def rolled(folder: Path, scenario, note: Callable[[str], None] = lambda _: None, **more) -> Run:
    results = folder / "results"
    results.mkdir(exist_ok=True)
    return run_rolling(scenario, results, note=note, **more)


def same_bits(one: Path, other: Path) -> None:
    for name in (*TABLES, DEVICES, "windows", "imbalances"):
        ours, theirs = (
            gb.load_run(folder).table(name).drop(columns="seconds", errors="ignore") for folder in (one, other)
        )
        pd.testing.assert_frame_equal(ours, theirs, check_exact=True)


def at_window(number: int, what: Callable[[], None]) -> Callable[[str], None]:
    return lambda sentence: what() if sentence.startswith(f"window {number} of") else None


def _crash() -> None:
    raise RuntimeError("crashed")


def _interrupt() -> None:
    os.kill(os.getpid(), signal.SIGINT)


def test_a_run_that_crashed_goes_on_with_the_same_bits(tmp_path, undisturbed):
    with pytest.raises(RuntimeError):
        rolled(tmp_path, load(tmp_path, homes(days=3, horizon=DAYS)), at_window(3, _crash))
    begun: list[str] = []
    done = rolled(tmp_path, recorded_scenario(tmp_path / "results"), begun.append)
    assert [sentence[:11] for sentence in begun] == ["window 3 of", "putting the"]
    assert done.exit_code == 0
    same_bits(done.folder, undisturbed.folder)
    assert not (done.folder / "checkpoint").exists()
    with pytest.raises(InputError, match=r"has ended \(settled\)"):
        recorded_scenario(done.folder)


def test_an_interrupted_run_has_the_tables_of_what_ended_and_goes_on(tmp_path, undisturbed):
    stopped = rolled(tmp_path, load(tmp_path, homes(days=3, horizon=DAYS)), at_window(2, _interrupt))
    assert stopped.exit_code == 130
    stored = gb.load_run(stopped.folder)
    assert stored.outcome == "interrupted"
    assert stored.message == (
        "interrupted in window 2 of 3 (day 2, 00:00-24:00): 1 window settled before; `gridbazaar run --resume` goes on"
    )
    assert stored.prosumers["period"].max() == 4
    first = gb.load_run(undisturbed.folder).prosumers.query("period <= 4").reset_index(drop=True)
    pd.testing.assert_frame_equal(stored.prosumers, first, check_exact=True)
    done = rolled(tmp_path, recorded_scenario(stopped.folder))
    same_bits(done.folder, undisturbed.folder)


def test_windows_of_a_run_that_goes_on_have_its_name(tmp_path):
    said = homes(days=3, horizon={**DAYS, "keep_windows": True})
    with pytest.raises(RuntimeError):
        rolled(tmp_path, load(tmp_path, said), at_window(3, _crash), origin=Origin(name="homes"))
    done = rolled(tmp_path, recorded_scenario(tmp_path / "results"))
    names = [gb.load_run(folder).manifest["name"] for folder in sorted((done.folder / "windows").iterdir())]
    assert names == ["homes"] * 3


def test_with_workers_there_are_the_same_bits(tmp_path, undisturbed):
    done = rolled(tmp_path, load(tmp_path, homes(days=3, horizon=DAYS)), backend=Workers(2))
    same_bits(done.folder, undisturbed.folder)


@pytest.mark.long
@pytest.mark.parametrize("seed", range(2))
def test_a_run_that_is_killed_at_random_goes_on_with_the_same_bits(tmp_path, undisturbed, seed):
    load(tmp_path, homes(days=3, horizon=DAYS))
    chance, folder = random.Random(seed), tmp_path / "results"
    command = [sys.executable, "-m", "gridbazaar.scenarios", "run"]
    words = ["homes.yaml", "-o", str(folder)]
    kills = 0
    while True:
        process = subprocess.Popen([*command, *words], cwd=tmp_path, stderr=subprocess.PIPE, stdout=subprocess.PIPE)
        try:
            process.communicate(timeout=chance.uniform(1.0, 8.0) * (1 + kills / 4))
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()
            kills += 1
        if (folder / "manifest.json").is_file():
            if gb.load_run(folder).outcome == "settled":
                break
            words = ["--resume", str(folder)]
        time.sleep(0.01)
    same_bits(folder, undisturbed.folder)


def test_an_infeasible_window_is_told_by_its_dates_and_those_before_are_saved(tmp_path):
    """On the third day 30 kW are expected, of which the network and the link bring 21."""
    said = homes(days=3, horizon={**DAYS, "forecast": "table"}, start="2026-03-28T00:00", timezone="Europe/Berlin")
    for row in said["prosumers"].values():
        del row["devices"]
    said |= {"dt_h": 1.0}
    said["horizon"] |= {"length_h": 4, "step_h": 4}
    said["profiles"]["load_forecast"] = [*said["profiles"]["load"][:8], 1.0, 10.0, 1.0, 1.0]
    with pytest.raises(WindowError) as caught:
        rolled(tmp_path, load(tmp_path, said))
    assert str(caught.value).startswith("window 3 of 3 (28 March 08:00-12:00): ")
    assert "prosumer bob: period 2 (28 March 09:00-10:00) needs 30 kW" in str(caught.value)
    assert str(caught.value).endswith("; 2 windows before it: saved")
    assert caught.value.exit_code == 4
    stored = gb.load_run(tmp_path / "results")
    assert stored.outcome == "failed"
    assert stored.message == str(caught.value)
    assert len(stored.windows) == 2
    assert stored.prosumers["time"].max() == pd.Timestamp("2026-03-28T07:00+01:00")


def test_without_a_calendar_a_later_window_says_that_its_periods_count_from_its_first(tmp_path):
    said = homes(days=2, horizon={**DAYS, "forecast": "table"})
    load_kw = said["profiles"]["load"]
    first_of_the_second_day = len(load_kw) // 2
    said["profiles"]["load_forecast"] = [
        *load_kw[:first_of_the_second_day],
        50.0,
        *load_kw[first_of_the_second_day + 1 :],
    ]
    said["horizon"] |= {"length_h": 24, "step_h": 24}
    with pytest.raises(WindowError) as caught:
        rolled(tmp_path, load(tmp_path, said))
    begins = "window 2 of 2 (day 2, 00:00-24:00), its periods and hours counted from its first: "
    assert str(caught.value).startswith(begins)
    assert "period 1 (00:00-06:00)" in str(caught.value)


def test_where_the_first_window_fails_there_is_nothing_to_save(tmp_path):
    said = homes(days=2, horizon={**DAYS, "forecast": "table"})
    said["profiles"]["load_forecast"] = [50.0, *said["profiles"]["load"][1:]]
    with pytest.raises(WindowError, match=r"^window 1 of 2 \(00:00-24:00\): .* kW, whatever its devices do"):
        rolled(tmp_path, load(tmp_path, said))
    assert gb.load_run(tmp_path / "results").tables == []


def test_what_is_interrupted_in_its_first_window_leaves_nothing_but_can_go_on(tmp_path, undisturbed):
    with pytest.raises(
        WindowError, match=r"^interrupted in window 1 of 3 \(00:00-24:00\): 0 windows settled"
    ) as caught:
        rolled(tmp_path, load(tmp_path, homes(days=3, horizon=DAYS)), at_window(1, _interrupt))
    assert caught.value.exit_code == 130
    done = rolled(tmp_path, recorded_scenario(tmp_path / "results"))
    same_bits(done.folder, undisturbed.folder)


def test_what_does_not_settle_is_named_and_the_rest_goes_on(tmp_path):
    scenario = load(
        tmp_path, homes(days=2, horizon={"length_h": 24}), {"market.max_rounds": 1, "market.max_iterations": 2}
    )
    done = rolled(tmp_path, scenario)
    assert done.exit_code == 3
    assert done.kpis["message"].startswith("not settled: 2 of 2 windows; window 1 of 2 (00:00-24:00): not settled: ")
    assert not done.kpis["settled"]
    windows = gb.load_run(done.folder).windows
    assert windows["settled"].tolist() == [0, 0]
    assert (windows["regret_usd"] > 0).all()
    assert len(gb.load_run(done.folder).prosumers) == 2 * 8
