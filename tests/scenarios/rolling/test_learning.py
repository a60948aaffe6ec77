"""Behaviours that learn go on from window to window, from what they have learnt, wherever they live."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from rolling_homes import DT_H, PRICES, homes, load

import gridbazaar.scenarios as gb
from gridbazaar.market import Workers
from gridbazaar.market.hosting.plain import from_plain
from gridbazaar.scenarios.errors import ScenarioError
from gridbazaar.scenarios.files.scenario import Scenario
from gridbazaar.scenarios.rolling.opening import Windows
from gridbazaar.scenarios.rolling.parts import Parts
from gridbazaar.scenarios.rolling.rolling import run_rolling
from gridbazaar.scenarios.rolling.window_error import WindowError
from gridbazaar.scenarios.runs.resuming import recorded_scenario

pytestmark = pytest.mark.xdist_group("rolling learns")
DAYS = {"length_h": 48, "step_h": 24, "forecast": "persistence", "imbalance_price_usd_per_kwh": PRICES}
DIARY = """
from pathlib import Path

from gridbazaar.agents import Behaviour
from gridbazaar.agents.behaviours.declared_utility import shaded

class Diary(Behaviour):
    '''Shades by a percent more every day, and writes down what that costs, and a number by chance.'''

    def __init__(self, until=99):
        self.until, self.costs, self.chances = until, [], []

    def declare(self, household):
        return shaded(household, float(len(self.costs)))

    def learn(self, own_cost_usd):
        if len(self.costs) == self.until:
            raise RuntimeError("the diary is full")
        self.costs.append(own_cost_usd)
        self.chances.append(self.rng.random())


class Holding(Diary):
    '''Holds something outside until it is closed, and fails then.'''

    def __init__(self, until=99):
        super().__init__(until)
        self.note("opened")

    def close(self):
        self.note("closed")
        raise RuntimeError("it will not let go")

    def note(self, what):
        with Path(__file__).with_name("held").open("a") as file:
            file.write(what + " ")


class Forgetful(Diary):
    '''Never told anything, as it does not learn.'''

    learn = Behaviour.learn

    def declare(self, household):
        self.costs.append(0.0)
        return shaded(household, float(len(self.costs)))
"""


def scenario(folder: Path, behaviour: str = "Diary", **horizon: Any) -> Scenario:
    (folder / "diary.py").write_text(DIARY)
    said = homes(days=3, horizon={**DAYS, **horizon})
    said["prosumers"]["bob"]["behaviour"] = f"{folder / 'diary.py'}:{behaviour}"
    return load(folder, said)


class _Stopped(Exception):  # noqa: N818  # nothing is wrong
    """Before the windows are put together, and what is kept of each goes."""


def stop_at(beginning: str) -> Callable[[str], None]:
    def note(sentence: str) -> None:
        if sentence.startswith(beginning):
            raise _Stopped

    return note


def memories(folder: Path, asked: Scenario | None = None, **more: Any) -> list[dict[str, Any]]:
    """What is remembered after each window, by prosumer."""
    results = folder / "results"
    results.mkdir(exist_ok=True)
    with pytest.raises(_Stopped):
        run_rolling(asked or scenario(folder), results, note=stop_at("putting"), **more)
    return [
        {name: from_plain(kept) for name, kept in one.memories.items()} for one in Parts(results / "checkpoint").all()
    ]


@pytest.fixture(scope="session")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[dict[str, Any]]]:
    folder = tmp_path_factory.mktemp("diary")
    return folder, memories(folder)


def test_it_goes_on_from_what_it_learnt_and_was_told_what_was_kept_cost(tmp_path, undisturbed):
    """Of the tables alone: what bob bought, traded, consumed, stored and lacked in each day."""
    folder, remembered = undisturbed
    shutil.copytree(folder / "results", tmp_path / "results")
    stored = gb.load_run(run_rolling(recorded_scenario(tmp_path / "results"), tmp_path / "results").folder)
    own = stored.prosumers.query("prosumer == 'bob'").set_index("period")
    elastic = own["elastic_kw"]
    paid = own["bid_kw"] * own["lmp_usd_per_kwh"] - elastic * (0.4 - 0.02 * elastic)
    paid += 1e-4 * stored.devices.query("prosumer == 'bob'").set_index("period")[["charge_kw", "discharge_kw"]].sum(
        axis=1
    )
    trades = stored.trades.set_index("period")  # ann is a: what she buys, bob sells
    sold = trades["trade_kw"].clip(lower=0) * trades["seller_gets_usd_per_kwh"]
    paid += (-trades["trade_kw"]).clip(lower=0) * trades["buyer_pays_usd_per_kwh"] - sold
    cost = DT_H * paid + stored.imbalances.query("prosumer == 'bob'").set_index("period")["amount_usd"]
    by_day = cost.groupby((cost.index - 1) // 4).sum().tolist()
    assert trades["trade_kw"].abs().max() > 0.1
    assert remembered[-1]["bob"]["costs"] == pytest.approx(by_day, rel=1e-9, abs=1e-9)
    for day, one in enumerate(remembered, start=1):
        assert list(one) == ["bob"]
        assert one["bob"]["costs"] == remembered[-1]["bob"]["costs"][:day]
    assert len(set(remembered[-1]["bob"]["chances"])) == 3


def test_each_window_is_played_with_what_was_learnt_before_it(tmp_path, undisturbed):
    """The windows once more, one market after the other, in which bob declares a percent less each day."""
    folder, _ = undisturbed
    whole = recorded_scenario(folder / "results")
    windows, parts = Windows(whole), list(Parts(folder / "results" / "checkpoint").all())
    levels_kwh, messages = windows.begin_kwh, []
    for day, (window, part) in enumerate(zip(windows.all, parts, strict=True)):
        planned = windows.scenario(window, levels_kwh)
        bob = planned.prosumers["bob"].model_copy(update={"behaviour": f"Shading(percent={day})"})
        market = planned.model_copy(update={"prosumers": {**planned.prosumers, "bob": bob}}).market()
        result = market.run()
        messages.append(result.message)
        bids = result.bid_kw[:, : window.kept]
        assert bids.tobytes() == part.arrays["bid_kw"].tobytes()
        levels_kwh = part.levels_kwh
    of_whom = "; by what is declared and believed: bob acts on a behaviour of its own"
    assert messages == [f"settled: nobody gains by deviating{of_whom}"] * 3
    shutil.copytree(folder / "results", tmp_path / "results")
    result = run_rolling(whole, tmp_path / "results").result  # puts the windows together
    assert result.message == f"settled: nobody gains by deviating in any of 3 windows{of_whom}"


def test_resumed_and_on_workers_the_same_is_remembered(tmp_path, undisturbed):
    _, expected = undisturbed
    (tmp_path / "results").mkdir()
    with pytest.raises(_Stopped):
        run_rolling(scenario(tmp_path), tmp_path / "results", note=stop_at("window 2 of 3"), backend=Workers(2))
    assert memories(tmp_path, recorded_scenario(tmp_path / "results")) == expected


def test_what_does_not_learn_begins_each_window_with_nothing_remembered(tmp_path):
    assert memories(tmp_path, scenario(tmp_path, "Forgetful")) == [{}, {}, {}]


def test_who_cannot_learn_ends_the_run_with_its_place(tmp_path):
    (tmp_path / "results").mkdir()
    with pytest.raises(
        WindowError, match=r"^window 2 of 3 .*behaviour Diary of bob, in learn\(\): RuntimeError: the diary"
    ) as caught:
        run_rolling(scenario(tmp_path, "Diary(until=1)"), tmp_path / "results")
    assert caught.value.exit_code == 2
    assert len(gb.load_run(tmp_path / "results").windows) == 1


@pytest.mark.parametrize("until", [99, 1])
def test_who_holds_something_outside_lets_go_of_it(tmp_path, until):
    """Also where it fails at that, and where it cannot learn, which is what is told."""
    (tmp_path / "results").mkdir()
    learner = scenario(tmp_path, f"Holding(until={until})")
    (tmp_path / "held").unlink(missing_ok=True)
    if until == 1:
        with pytest.raises(WindowError, match=r"in learn\(\): RuntimeError: the diary is full"):
            run_rolling(learner, tmp_path / "results")
    else:
        run_rolling(learner, tmp_path / "results")
    held = (tmp_path / "held").read_text().split()
    assert held.count("opened") == held.count("closed") >= 4


def test_folders_of_windows_and_learning_exclude_each_other(tmp_path):
    (tmp_path / "results").mkdir()
    with pytest.raises(ScenarioError, match=r"horizon.keep_windows: bob learns from window to window"):
        run_rolling(scenario(tmp_path, keep_windows=True), tmp_path / "results")
