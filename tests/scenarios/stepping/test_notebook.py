"""What a notebook shows of a market, a result and a session."""

from __future__ import annotations

from xml.etree import ElementTree

import numpy as np
import pytest

import gridbazaar.scenarios as gb


@pytest.fixture(scope="module")
def session():
    with gb.Session("ieee33", {"prosumers.p1.community": ""}) as opened:
        opened.run_to("settled")
        yield opened


def parsed(html: str) -> ElementTree.Element:
    return ElementTree.fromstring(f"<div>{html}</div>")


def test_totals_are_sums_of_the_tables(session):
    result = session.result()
    totals, table = result.totals, result.prosumers.groupby("prosumer")
    assert totals["bid_kwh"].to_dict() == pytest.approx(table["bid_kw"].sum().to_dict())
    assert totals["elastic_kwh"].to_dict() == pytest.approx(table["elastic_kw"].sum().to_dict())
    net = (totals["bought_kwh"] - totals["sold_kwh"]).to_dict()
    assert net == pytest.approx(table["net_trade_kw"].sum().to_dict(), abs=1e-6)
    assert totals["payment_usd"].sum() == pytest.approx(0.0, abs=1e-9)
    bills = result.bills[result.bills["item"].str.startswith("sharing")]
    paid = -bills.groupby("account")["amount_usd"].sum()
    of_prosumers = paid.loc[totals.index].to_dict()
    assert totals["payment_usd"].to_dict() == pytest.approx(of_prosumers, abs=0.02)  # bills are whole cents


def test_a_result_is_a_table_of_who_bought_and_paid_what(session):
    shown = parsed(session.result()._repr_html_())
    assert [cell.text for cell in shown.iter("th")][-3:] == ["p1", "p2", "p3"]
    assert "settled: nobody gains by deviating" in [p.text for p in shown.iter("p")]


def test_a_market_says_where_it_stands(session):
    market = gb.load("ieee33").market()
    assert str(market).startswith("round 0, nobody has acted yet; next, the DSO clears")
    market.step()
    assert str(market).startswith("round 1, step 1: the DSO clears the market at $13,056.59")
    assert str(market) in "".join(parsed(market._repr_html_()).itertext())
    assert str(session.market) == "round 43, settled: nobody gains by deviating"


def test_a_session_shows_its_last_rounds_and_its_branches(session):
    shown = parsed(session._repr_html_())
    rows = [cell.text for cell in shown.iter("th")]
    assert rows[-5:] == ["39", "40", "41", "42", "43"]
    session.goto(12)
    session.fork({"alpha_scale": 2}, "a<b")
    try:
        shown = parsed(session._repr_html_())  # escaped
        assert "a<b: main after round 12, with alpha_scale=2 changed" in [item.text for item in shown.iter("li")]
    finally:
        session.goto(43, "main")


def test_a_view_is_a_table_by_period(session):
    view = session.prosumer("p2")
    cells = [cell.text for cell in parsed(view._repr_html_()).iter("th")]
    assert cells[-24:] == [str(t) for t in range(1, 25)]
    assert view.frame.index.name == "period"
    assert np.isfinite(view.frame.to_numpy()).all()
