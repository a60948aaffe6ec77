"""Key figures: two homes by hand, the paper's case from its tables."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import gridbazaar.scenarios as gb
from gridbazaar.market.result import Result
from gridbazaar.scenarios.runs import kpis
from gridbazaar.scenarios.runs.running import run_scenario


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> tuple[Result, Path]:
    folder = tmp_path_factory.mktemp("ieee33")
    return run_scenario(gb.load("ieee33"), folder).result, folder


@pytest.fixture(scope="module")
def by_hand(found: tuple[Result, Path]) -> Result:
    """p1 has 6 kWh of sun in the second hour and curtails 1; p2 has none; p3 is not there.

    p1: takes 3 kW at first; then of 5 kW it uses 3, sells 1 to p2 and feeds in 1.
    p2: takes 4 kW at first; then it uses 3 kW, of which 1 comes from p1.
    """
    arrays = {
        "renewable_kw": [[0, 6], [0, 0], [0, 0]],
        "curtailed_kw": [[0, 1], [0, 0], [0, 0]],
        "fixed_kw": [[2, 2], [3, 3], [0, 0]],
        "elastic_kw": [[1, 1], [1, 0], [0, 0]],
        "bid_kw": [[3, -1], [4, 2], [0, 0]],
        "trade_kw": [[0, -1], [0, 0], [0, 0]],
    }
    return replace(found[0], **{key: np.array(rows, dtype=float) for key, rows in arrays.items()})


def test_self_consumption_and_self_sufficiency_by_hand(by_hand: Result) -> None:
    # what p1 feeds in p2 takes in the same hour: together they use 5 of the 6 kWh that there are
    assert kpis.self_consumption(by_hand) == pytest.approx(5 / 6)
    # of 13 kWh they buy 7 and then 1
    assert kpis.self_sufficiency(by_hand) == pytest.approx(5 / 13)
    np.testing.assert_allclose(kpis.self_consumption_by_prosumer(by_hand), [4 / 6, np.nan, np.nan])
    np.testing.assert_allclose(kpis.self_sufficiency_by_prosumer(by_hand), [3 / 6, 1 / 7, np.nan])
    assert kpis.peak_withdrawal_kw(by_hand) == pytest.approx(7)


def test_who_resells_what_it_bought_has_not_fed_in_its_own(by_hand: Result) -> None:
    bid = by_hand.bid_kw.copy()
    bid[0, 1], bid[1, 0] = -10, 50
    resold = replace(by_hand, bid_kw=bid)
    assert kpis.self_consumption_by_prosumer(resold)[0] == 0  # all 5 kW that it has are fed in, none of what it bought
    assert kpis.self_sufficiency_by_prosumer(resold)[1] == pytest.approx(1 / 7)


def test_curtailment_by_hand(by_hand: Result) -> None:
    assert kpis.curtailed_by_prosumers_kwh(by_hand) == pytest.approx(1)
    rounding = replace(by_hand, curtailed_kw=by_hand.curtailed_kw * 1e-7)
    assert kpis.curtailed_by_prosumers_kwh(rounding) == 0


def test_a_share_of_nothing_is_none(by_hand: Result) -> None:
    dark = replace(by_hand, renewable_kw=np.zeros((3, 2)), curtailed_kw=np.zeros((3, 2)))
    assert kpis.self_consumption(dark) is None
    idle = replace(by_hand, fixed_kw=np.zeros((3, 2)), elastic_kw=np.zeros((3, 2)))
    assert kpis.self_sufficiency(idle) is None


@pytest.mark.parametrize(
    ("savings", "index"),
    [
        ([2.0, 2.0], 1.0),
        ([2.0, 0.0], 0.5),
        ([1.0, 3.0], 0.8),
        ([0.0, 0.0], None),
        ([-1.0, 3.0], None),
        ([], None),
    ],
)
def test_jain_s_index(savings: list[float], index: float | None) -> None:
    found = kpis.jain_index(np.array(savings))
    assert found == (None if index is None else pytest.approx(index))


def test_the_paper_s_case_from_its_tables(found: tuple[Result, Path]) -> None:
    result, folder = found
    told = json.loads((folder / "kpis.json").read_text())
    tables = {name: pd.read_parquet(folder / f"{name}.parquet") for name in ("prosumers", "trades", "lines", "bills")}
    people, lines = tables["prosumers"], tables["lines"]
    generators = pd.read_parquet(folder / "generators.parquet")
    load = people.fixed_kw + people.elastic_kw
    together = people.groupby("period").bid_kw.sum()
    fed_in, bought = -together.clip(upper=0).sum(), together.clip(lower=0).sum()
    assert told["self_consumption"] == pytest.approx(
        1 - (people.curtailed_kw.sum() + fed_in) / people.renewable_kw.sum()
    )
    assert told["self_sufficiency"] == pytest.approx(1 - bought / load.sum())
    for name, rows in people.groupby("prosumer"):
        own = rows.renewable_kw - rows.curtailed_kw
        used = own - (-rows.bid_kw).clip(lower=0).where((-rows.bid_kw) < own, own)
        assert told["self_consumption_by_prosumer"][name] == pytest.approx(used.sum() / rows.renewable_kw.sum())
        used = rows.fixed_kw + rows.elastic_kw
        taken = rows.bid_kw.clip(lower=0).where(rows.bid_kw < used, used)
        assert told["self_sufficiency_by_prosumer"][name] == pytest.approx(1 - taken.sum() / used.sum())
    assert told["traded_kwh"] == pytest.approx(tables["trades"].trade_kw.abs().sum())
    assert told["peak_withdrawal_kw"] == pytest.approx(people.groupby("period").withdrawal_kw.sum().max())
    assert told["peak_root_kw"] == pytest.approx(generators[generators.bus == "1"].groupby("period").p_kw.sum().max())
    assert told["curtailed_by_dso_kwh"] == pytest.approx(generators.curtailed_kw.sum())
    assert told["line_loading_max_percent"] == pytest.approx(lines.loading_percent.max())
    assert told["line_loading_max_with_trades_percent"] == pytest.approx(lines.loading_with_trades_percent.max())
    assert told["rounds"] == sum(told["sharing_rounds"])
    # what it all comes to is what the bills have, less the utility of the elastic loads
    net = tables["bills"].groupby("account").amount_usd.sum()
    for k, name in enumerate(result.names):
        total = told["total_usd_by_prosumer"][name]
        assert total == pytest.approx(-net[name] - float(result.utility_usd[k]), abs=0.02)


def test_without_ratings_there_is_no_loading(found: tuple[Result, Path]) -> None:
    result = found[0]
    lines = tuple(replace(line, p_max_kw=np.inf, q_max_kvar=np.inf, i_max_a=np.inf) for line in result.feeder.lines)
    unrated = replace(result, feeder=replace(result.feeder, lines=lines))
    told = kpis.indicators(unrated)
    assert told["line_loading_max_percent"] is None
    assert json.dumps(told, allow_nan=False)
