"""What windows hand over: at which prices partners begin, and that this saves rounds and proves nothing."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from rolling_homes import DAY, DT_H, homes, load

import gridbazaar.scenarios as gb
from gridbazaar.agents.trade_graph import Link, TradeGraph
from gridbazaar.market.proof.central import equilibrium
from gridbazaar.market.warm_start import begin_at_prices
from gridbazaar.scenarios.rolling.handover import Handover
from gridbazaar.scenarios.rolling.parts import Ended, Part
from gridbazaar.scenarios.rolling.rolling import run_rolling
from gridbazaar.scenarios.rolling.windows import Window

pytestmark = pytest.mark.xdist_group("rolling handover")
GRAPH = TradeGraph(["ann", "bob"], [Link("ann", "bob", 5.0)])


def part_of(window: Window, prices: list[float], outcome: str = "SETTLED") -> Part:
    """A window that ended with these prices of the trade, at LMPs of 0.2 and 0.4 $/kWh."""
    ended = Ended(outcome, "", "", [0.0, 0.0], 0.0, 1.0, {}, [], [], False, [], 0, 0, {}, 0.0, 0.0, [], 0.0, 0.0)
    lmp = np.outer([0.2, 0.4], np.ones(len(prices)))
    arrays = {"lmp_usd_per_kwh": lmp, "price_usd_per_kwh": np.array([prices]), "energy_kwh": np.full((1, 1), 7.0)}
    return Part(window, ended, arrays, {"bob": 1})


def test_each_hour_begins_at_the_price_of_that_hour_of_the_last_day_that_was_kept():
    begun = Handover.at_first(np.array([5.0]), GRAPH, DT_H)
    assert begun.mark_up_of(Window(1, 0, 8, 4)) is None
    begun = begun.after(part_of(Window(1, 0, 8, 6), [0.5, 0.6, 0.7, 0.8, 0.9, 1.0]))
    assert begun.levels_kwh == [7.0]
    assert begun.memories == {"bob": 1}
    found = begun.mark_up_of(Window(2, 6, 6, 6))
    assert found[0] == pytest.approx([0.4, 0.5, 0.6, 0.7, 0.4, 0.5])  # of 12:00, 18:00, 00:00, 06:00, ...
    unsettled = begun.after(part_of(Window(2, 6, 6, 6), [9.0] * 6, "ITERATION_LIMIT"))
    assert unsettled.mark_up_of(Window(3, 12, 4, 4)).tolist() == begun.mark_up_of(Window(3, 12, 4, 4)).tolist()


def test_where_periods_do_not_fill_a_day_each_window_begins_from_nothing():
    begun = Handover.at_first(np.array([5.0]), GRAPH, 7.0).after(part_of(Window(1, 0, 4, 4), [0.5] * 4))
    assert begun.mark_up_of(Window(2, 4, 4, 4)) is None


@pytest.mark.parametrize("use", ["bids", "withdrawals"])
def test_a_market_that_begins_at_its_prices_comes_to_the_same(tmp_path, use):
    scenario = load(tmp_path, homes(days=1), {"horizon": None, "market.network_use": use})
    cold = scenario.market().run()
    lmp = cold.lmp_usd_per_kwh
    with scenario.market() as market:
        begin_at_prices(market, cold.price_usd_per_kwh - lmp.mean(axis=0))
        warm = market.run()
    assert warm.settled
    assert sum(warm.sharing_rounds) <= sum(cold.sharing_rounds)
    assert np.abs(cold.trade_kw).max() > 0.1
    feeder = scenario.build_feeder()
    loads = (np.repeat(power[:, None], DAY, axis=1) for power in (feeder.p_kw, feeder.q_kvar))
    graph = TradeGraph(["ann", "bob"], scenario.build_links())
    best = equilibrium(feeder, *loads, scenario.build_households(), graph, withdrawals=use == "withdrawals")
    assert -1e-5 < best.welfare_usd - warm.welfare_usd < warm.certificate.total_usd + 1e-5


def test_windows_take_fewer_rounds_and_come_to_the_same(tmp_path):
    """A street for five days, against the same windows with folders of their own, which begin from nothing."""
    cold, warm = (gb.load_run(rolled(tmp_path / str(keeps), keeps)) for keeps in (True, False))
    assert cold.windows["settled"].all()
    assert warm.windows["settled"].all()
    rounds = [run.windows["rounds"].to_numpy() for run in (cold, warm)]
    assert rounds[0][0] == rounds[1][0]
    assert rounds[1][1:].sum() < 0.85 * rounds[0][1:].sum()
    assert abs(warm.kpis["welfare_usd"] - cold.kpis["welfare_usd"]) < 0.01  # of $ 200, and 0.004 of regrets
    lmps = [run.prosumers["lmp_usd_per_kwh"].to_numpy() for run in (cold, warm)]
    assert np.abs(lmps[0] - lmps[1]).max() < 1e-3


def rolled(folder: Path, keeps: bool) -> Path:
    folder.mkdir()
    horizon = {"length_h": 48, "step_h": 24, "forecast": "persistence", "keep_windows": keeps}
    horizon["imbalance_price_usd_per_kwh"] = {"buy": 0.5, "sell": 0.05}
    scenario = gb.load("lv_street", {"step": "1h", "window.days": 5, "horizon": horizon})
    return run_rolling(scenario, folder).folder
