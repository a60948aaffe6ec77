"""What the page draws is what the market's tables say, and nothing of what prosumers tell nobody."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pandas as pd
import pytest

import gridbazaar.scenarios as gb
from gridbazaar.market.rounds import Phase
from gridbazaar.scenarios.runs.accuracy import CostBounds, cost_within_usd
from gridbazaar.scenarios.runs.amounts import dollars, energy, last_place
from gridbazaar.scenarios.stepping.session import Session
from gridbazaar.scenarios.view.charts import balance_chart, outer_chart, prices_chart, residuals_chart
from gridbazaar.scenarios.view.feeder_map import feeder_map
from gridbazaar.scenarios.view.scene import Scene, scene_of
from gridbazaar.scenarios.view.snapshot import snapshot_of
from gridbazaar.scenarios.view.tables import bill_rows, prosumer_rows
from gridbazaar.scenarios.view.wanted import VOLTAGE, Wanted

SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture(scope="module")
def settled() -> Iterator[Session]:
    with Session("ieee33") as session:
        session.run_to("settled")
        yield session


@pytest.fixture(scope="module")
def sharing() -> Iterator[Session]:
    with Session("ieee33") as session:
        session.step(4)
        yield session


def arrows(svg: str) -> dict[tuple[str, str], float]:
    """Seller, buyer and power of every arrow."""
    found = {}
    for title in ElementTree.fromstring(svg).iter(f"{SVG}title"):
        trade = re.fullmatch(r"(.+) to (.+): ([\d.e+-]+) kW", title.text or "")
        if trade:
            found[trade[1], trade[2]] = float(trade[3])
    return found


def shown(scene: Scene) -> str:
    """Everything that is sent to the browser."""
    return json.dumps({cell.name: getattr(scene, cell.name) for cell in fields(scene)}, default=str)


def test_nothing_is_known_at_the_beginning() -> None:
    with Session("ieee33") as session:
        scene = scene_of(session, Wanted())
    assert scene.standing.startswith("round 0, nobody has acted yet; next, the DSO clears")
    assert {figure.here for figure in scene.figures} == {"-"}
    assert scene.basis == "nothing is delivered yet"
    assert arrows(scene.feeder) == {}
    assert not scene.ended
    assert len(scene.periods) == 24


def test_figures_are_those_of_the_result(settled: Session) -> None:
    scene, result = scene_of(settled, Wanted()), settled.result()
    said = {figure.key: figure.here for figure in scene.figures}
    within, costs_within = result.certificate.total_usd, cost_within_usd(settled.scenario, result)
    paid = result.bills.query("account == 'DSO' and counterparty == 'generators'")["amount_usd"]
    assert said["dso_cost_usd"] == dollars(-float(paid.sum()), costs_within)
    assert costs_within > 100 * within
    assert said["welfare_usd"] == dollars(float(result.utility_usd.sum()) - result.dso_cost_usd, within)
    assert said["voltage_min_pu"] == f"{result.buses['v_pu'].min():.4f} pu"
    assert scene.certificate == str(result.certificate)
    assert scene.ended
    assert scene.round == scene.newest == 43


def test_tables_are_sums_of_the_results_tables(settled: Session) -> None:
    result = settled.result()
    bids = result.prosumers.groupby("prosumer")["bid_kw"].sum()
    trades = result.trades
    bought = {
        name: trades.loc[trades.a == name, "trade_kw"].clip(lower=0).sum()
        + (-trades.loc[trades.b == name, "trade_kw"]).clip(lower=0).sum()
        for name in result.names
    }
    rows = {row["prosumer"]: row for row in prosumer_rows(snapshot_of(settled.market), None, None, private=False)}
    assert list(rows) == ["all 3 prosumers", "p1", "p2", "p3"]
    for name in result.names:
        assert rows[name]["bids"] == energy(bids[name])
        assert rows[name]["bought"] == energy(bought[name])
    assert rows["all 3 prosumers"]["bids"] == energy(bids.sum())
    known = CostBounds.of(settled.scenario, result)
    assert known is not None
    rows = {row["prosumer"]: row for row in prosumer_rows(snapshot_of(settled.market), None, known, private=True)}
    for name, usd, within in zip(result.names, result.payment_usd, known.by_prosumer_usd, strict=True):
        assert rows[name]["payments"] == dollars(usd, last_place(within))
        assert "." not in rows[name]["payments"] + rows[name]["cost"]
    bills: pd.DataFrame = result.bills
    balances = bills.groupby("account")["amount_usd"].sum()
    assert {row["who"]: row["usd"] for row in bill_rows(result, None)} == {
        who: dollars(round(usd, 2)) for who, usd in balances.items()
    }
    own = bills[bills.account == "p2"]
    assert [(row["what"], row["who"], row["usd"]) for row in bill_rows(result, 1)] == [
        (row["item"], row.counterparty, dollars(row.amount_usd)) for _, row in own.iterrows()
    ]


def test_the_feeder_shows_the_trades_of_its_period(settled: Session) -> None:
    now = snapshot_of(settled.market)
    for period in (0, 12):
        svg, left_out = feeder_map(now, Wanted(period=period))
        assert left_out == ""
        table = settled.result().trades.query(f"period == {period + 1} and abs(trade_kw) > 1e-3")
        expected = {
            ((row.b, row.a) if row.trade_kw > 0 else (row.a, row.b)): abs(row.trade_kw) for row in table.itertuples()
        }
        found = arrows(svg)
        assert found.keys() == expected.keys()
        assert list(found.values()) == pytest.approx([expected[pair] for pair in found], rel=1e-5)
    prices = settled.result().prices.query("period == 13").set_index("bus")["lmp_usd_per_kwh"]
    for bus in ("1", "18", "33"):
        assert f"LMP {prices[bus]:.6g} $/kWh" in svg
    voltages = feeder_map(now, Wanted(period=12, shade=VOLTAGE))[0]
    lowest = settled.result().buses.query("period == 13").set_index("bus")["v_pu"]
    assert f"voltage {lowest['18']:.6g} pu" in voltages


def test_of_many_prosumers_those_of_a_bus_are_taken_together(many: Path) -> None:
    with Session(gb.load(str(many))) as session:
        session.step(3)
        now = snapshot_of(session.market)
        svg, left_out = feeder_map(now, Wanted(period=3))
        one, said = feeder_map(now, Wanted(period=3, prosumer="h7"))
        everybody = prosumer_rows(now, None, None, private=False)
        chosen = prosumer_rows(now, 7, None, private=False)
        prices = prices_chart(now, None, "h3-h4")
    graph, result = now.result.graph, now.result
    bus = dict(zip(result.names, result.prosumer_buses, strict=True))
    net: dict[tuple[str, str], float] = {}
    for link, kw in zip(graph.links, now.trade_kw[:, 3], strict=True):
        net[bus[link.b], bus[link.a]] = net.get((bus[link.b], bus[link.a]), 0.0) + kw
    for (seller, buyer), kw in arrows(svg).items():
        a, b = seller.rpartition(" ")[2], buyer.rpartition(" ")[2]
        assert kw == pytest.approx(net.get((a, b), 0.0) - net.get((b, a), 0.0), rel=1e-5)
    assert re.fullmatch(r"prosumers and trades are taken together by bus; the \d+ largest of \d+ are drawn", left_out)
    assert all("h7" in pair for pair in arrows(one))
    assert said == "of 60 prosumers h7 and those that it trades with are drawn"
    assert [row["prosumer"] for row in everybody] == ["all 60 prosumers"]
    assert [row["prosumer"] for row in chosen] == ["all 60 prosumers", "h7"]
    names = [series["name"] for series in prices["series"]]
    assert names == ["mean LMP of prosumers", "lowest price", "mean price", "highest price", "h3-h4"]


def test_charts_hold_the_history(settled: Session) -> None:
    history = settled.history()
    primal, dual = residuals_chart(history, 43)["series"]
    rounds = [mark for mark in history if mark.phase is Phase.SHARING]
    assert primal["data"] == [[mark.number, mark.primal_kw] for mark in rounds]
    assert dual["data"] == [[mark.number, mark.dual_usd_per_kwh] for mark in rounds]
    cost, regret = outer_chart(history, 43)["series"]
    assert cost["data"][0] == [1, settled.history()[0].dso_cost_usd]
    assert regret["data"][0] == [1, None]  # nothing is certified yet
    assert regret["data"][-1][1] == pytest.approx(settled.result().certificate.total_usd)


def test_clock_times_are_named_at_round_hours() -> None:
    calendar = {"start": "2026-03-28T05:00", "timezone": "Europe/Berlin"}
    with Session("two_homes", calendar) as session:
        session.step()
        axis = scene_of(session, Wanted()).prices["xAxis"]
    named = json.loads(re.findall(r"\[.*\]", axis["axisLabel"][":interval"])[0])
    assert [axis["data"][t] for t in named] == ["28 March 06:00", "28 March 12:00", "28 March 18:00", "29 March 00:00"]


def test_a_private_balance_adds_up(settled: Session, sharing: Session) -> None:
    for session in (settled, sharing):
        parts = balance_chart(snapshot_of(session.market), [1], private=True)["series"]
        total = np.sum([part["data"] for part in parts], axis=0)
        np.testing.assert_allclose(total, 0.0, atol=2e-3)  # what comes in goes out, to the six digits of a screen


def test_what_prosumers_tell_nobody_is_not_sent(settled: Session, sharing: Session) -> None:
    for session in (settled, sharing):
        plan = [f"{value:.6g}" for value in session.market.prosumers[1].plan.elastic_kw]
        private = {number for number in plan if len(number) >= 6}  # which no place in a drawing has
        hidden = shown(scene_of(session, Wanted(prosumer="p2")))
        told = shown(scene_of(session, Wanted(prosumer="p2", private=True)))
        assert len(private) > 18
        assert not private & set(re.findall(r"\d+\.?\d*", hidden))
        assert private <= set(re.findall(r"\d+\.?\d*", told))
        for word in ("elastic", "renewable", "fixed", "worth_usd", "curtailed"):
            assert word not in hidden


def test_a_price_is_explained_for_the_chosen_prosumer(settled: Session) -> None:
    scene = scene_of(settled, Wanted(prosumer="p2", period=18))
    assert scene.reason == settled.why("p2", 19)
    assert "The LMP at bus 13 in period 19" in scene.reason


def test_two_branches_stand_side_by_side() -> None:
    with Session("ieee33") as session:
        session.run_to("settled")
        first = {figure.key: figure.here for figure in scene_of(session, Wanted()).figures}
        session.goto(0)
        session.fork({"alpha_scale": 2.0}, "twice")
        session.run_to("settled")
        scene = scene_of(session, Wanted(other="main"))
        assert session.branch.name == "twice"
        assert session.ended
    assert {figure.key: figure.there for figure in scene.figures} == first
    assert "alpha_scale: as the scenario has it | 2.0" in scene.difference
    assert list(scene.branches) == ["main", "twice"]
    twice = gb.load("ieee33", {"alpha_scale": 2.0})
    alone = twice.market().run()
    said = {figure.key: figure.here for figure in scene.figures}
    assert said["dso_cost_usd"] == dollars(alone.dso_cost_usd, cost_within_usd(twice, alone))
    assert said["welfare_usd"] == dollars(alone.welfare_usd, alone.certificate.total_usd)
