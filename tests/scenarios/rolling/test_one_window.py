"""A window by itself, for who steps through it: it is the one that the run had."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from rolling_homes import DAY, PRICES, homes, load

import gridbazaar.scenarios as gb
from gridbazaar.scenarios.errors import ScenarioError
from gridbazaar.scenarios.files.loading import vary
from gridbazaar.scenarios.rolling.one_window import one_window
from gridbazaar.scenarios.rolling.rolling import run_rolling
from gridbazaar.scenarios.runs.run import Run
from gridbazaar.scenarios.stepping.session import Session

pytestmark = pytest.mark.xdist_group("rolling alone")


@pytest.fixture(scope="session")
def three_days(tmp_path_factory: pytest.TempPathFactory) -> Run:
    folder = tmp_path_factory.mktemp("three")
    horizon = {"forecast": "persistence", "imbalance_price_usd_per_kwh": PRICES}
    (folder / "results").mkdir()
    return run_rolling(load(folder, homes(days=3, horizon=horizon)), folder / "results")


@pytest.mark.parametrize("number", [None, 1, 2, 3])
def test_it_is_the_window_of_the_run(three_days, number):
    stored = gb.load_run(three_days.folder)
    part, said = one_window(stored.scenario, number, str(three_days.folder))
    days = {1: "00:00-48:00", 2: "day 2, 00:00-48:00", 3: "day 3, 00:00-24:00"}
    assert said == f"window {number or 1} of 3 ({days[number or 1]})" + ("" if number else "; --window N opens another")
    with Session(part) as session:
        session.run_to("settled")
        result = session.result()
    window = (number or 1) - 1
    rows = stored.prosumers.query("period > @DAY * @window and period <= @DAY * (@window + 1)")
    bids = rows.pivot_table(index="prosumer", columns="period", values="bid_kw").to_numpy()
    lmps = rows.pivot_table(index="prosumer", columns="period", values="lmp_usd_per_kwh").to_numpy()
    assert result.settled
    assert np.abs(result.bid_kw[:, :DAY] - bids).max() < (0.05 if window else 1e-12)  # others began to share elsewhere
    assert np.abs(result.lmp_usd_per_kwh[:, :DAY] - lmps).max() < (1e-3 if window else 1e-12)
    held = part.build_households()[0].devices[0].start_kwh
    levels = stored.devices.query("device == 'battery'").set_index("period")["energy_kwh"]
    assert held == pytest.approx(levels[DAY * window] if window else 10.0, rel=1e-12)


def test_without_a_run_only_the_first_one_is_known(three_days, tmp_path):
    scenario = gb.load_run(three_days.folder).scenario
    with pytest.raises(ScenarioError) as caught:
        one_window(scenario, 3)
    assert str(caught.value) == (
        "--window 3: what stores hold at its beginning is known to a run that has settled those before it; name its "
        "results folder in the place of the scenario"
    )
    said = homes(days=3)
    for row in said["prosumers"].values():
        del row["devices"]
    part, _ = one_window(load(tmp_path, said), 3)
    assert (part.periods, part.seed) == (DAY, 2)


def test_what_is_not_there_is_refused(three_days, tmp_path):
    scenario = gb.load_run(three_days.folder).scenario
    for number in (0, 4):
        with pytest.raises(
            ScenarioError, match=rf"^--window {number}: there is no such window of 3 windows; give 1 to 3"
        ):
            one_window(scenario, number, three_days.folder)
    with pytest.raises(
        ScenarioError, match=r"^--window 2: there is no horizon, and so no windows; leave --window 2 out"
    ):
        one_window(scenario.model_copy(update={"horizon": None}), 2)
    store = {"kind": "store", "capacity_kwh": 1, "p_charge_max_kw": 1}
    more = {"prosumers.ann.devices.more": store}
    with pytest.raises(ScenarioError, match=r"^--window 2: the run in .* has no more of ann; leave out what adds it"):
        one_window(vary(scenario, more), 2, three_days.folder)
    with pytest.raises(ScenarioError, match=r"^--window 3: the run in .* has not come to the end of window 2; go on"):
        one_window(scenario, 3, _empty(tmp_path))


def _empty(folder: Path) -> Path:
    (folder / "none").mkdir()
    return folder / "none"
