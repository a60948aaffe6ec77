"""Bills balance to the cent, whatever is billed."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridbazaar.agents import Link, TradeGraph
from gridbazaar.market import Settlement

GRAPH = TradeGraph(["a", "b", "c"], [Link("a", "b", 1e6), Link("c", "b", 1e6)])
MONEY = st.floats(-1e6, 1e6, allow_nan=False)


def table(rows):
    return st.lists(st.lists(MONEY, min_size=2, max_size=2), min_size=rows, max_size=rows).map(np.array)


@given(bid=table(3), lmp=table(3), trade=table(2), price=table(2), cost=MONEY)
def test_any_bills_balance(bid, lmp, trade, price, cost):
    bills = Settlement.of(
        GRAPH,
        bid_kw=bid / 1e3,
        lmp_usd_per_kwh=lmp,
        trade_kw=trade / 1e3,
        price_usd_per_kwh=price,
        load_usd=12.34,
        generation_usd={"g": cost},
        dt_h=0.25,
    )
    balance = bills.balance_cents()
    assert sum(balance.values()) == 0
    assert balance["platform"] == 0
    assert balance["customers"] == -1234
    assert sum(balance[name] for name in "abc") + balance["DSO"] + balance["generators"] == 1234


@given(charge=st.lists(MONEY, min_size=2, max_size=2), fees=table(3), shared=st.lists(MONEY, min_size=2, max_size=2))
def test_any_charges_balance(charge, fees, shared):
    """Network charges and fees on bids reach the DSO, fees on trades the platform; every end of a link pays half."""
    nothing = np.zeros((3, 1))
    bills = Settlement.of(
        GRAPH,
        bid_kw=nothing,
        lmp_usd_per_kwh=nothing,
        trade_kw=nothing[:2],
        price_usd_per_kwh=nothing[:2],
        load_usd=0.0,
        generation_usd={},
        dt_h=1.0,
    ).charging(
        GRAPH,
        network_charge_usd=np.array(charge),
        grid_fee_usd=np.abs(fees[:, 0]),
        feed_in_fee_usd=np.abs(fees[:, 1]),
        sharing_fee_usd=np.abs(shared),
    )
    balance = bills.balance_cents()
    assert sum(balance.values()) == 0
    assert balance["platform"] == pytest.approx(100 * np.abs(shared).sum(), abs=2.1, rel=1e-12)
    assert balance["DSO"] == pytest.approx(100 * (sum(charge) + np.abs(fees).sum()), abs=6.1, rel=1e-12)
    assert balance["c"] == pytest.approx(-100 * (charge[1] / 2 + np.abs(fees[2]).sum() + abs(shared[1]) / 2), abs=2.1)


def test_by_hand():
    """Half an hour: a bids 10 kW at 0.2 $/kWh, buys 4 kW of b at 0.15; the generator costs 0.71 $."""
    bills = Settlement.of(
        GRAPH,
        bid_kw=np.array([[10.0], [0.0], [0.0]]),
        lmp_usd_per_kwh=np.full((3, 1), 0.2),
        trade_kw=np.array([[4.0], [0.0]]),
        price_usd_per_kwh=np.full((2, 1), 0.15),
        load_usd=2.0,
        generation_usd={"g": 0.71},
        dt_h=0.5,
    )
    assert bills.balance_cents() == {
        "a": -130,
        "b": 30,
        "c": 0,
        "DSO": 229,
        "platform": 0,
        "customers": -200,
        "generators": 71,
    }


def test_bills_of_a_run(ieee33_run):
    """Each bill is the sum of its energy at its price to half a cent, and every column of the table adds up."""
    result = ieee33_run().result
    bills = result.bills
    assert round(bills.amount_usd.sum(), 6) == 0
    paid = bills[bills.item == "bids at the LMP"].set_index("account").amount_usd
    owed = (result.lmp_usd_per_kwh * result.bid_kw).sum(axis=1)
    assert [-paid[name] for name in result.names] == pytest.approx(owed, abs=0.0051)
    generated = -bills[(bills.account == "DSO") & (bills.counterparty == "generators")].amount_usd.sum()
    assert generated == pytest.approx(result.dso_cost_usd, abs=0.005 * len(result.feeder.generators))
    # the DSO keeps what all demand is worth at its LMP, less what generation costs (loads, bids, losses and rents)
    dispatch = result.dispatch
    worth = (dispatch.demand_kw * dispatch.lmp_usd_per_kwh).sum() - result.dso_cost_usd
    assert bills[bills.account == "DSO"].amount_usd.sum() == pytest.approx(worth, abs=0.1)
    assert worth > 0
    shared = bills[bills.item.str.startswith("sharing") & bills.account.isin(result.names)]
    assert isinstance(shared, pd.DataFrame)
    assert len(shared) == 2 * len(result.graph.links)
    assert (shared.groupby("item").amount_usd.sum() == 0).all()


def test_every_account_s_bills_are_its_balance(ieee33_run):
    result = ieee33_run().result
    sums = (100 * result.bills.groupby("account").amount_usd.sum()).round().astype(int).to_dict()
    assert sums == result.settlement.balance_cents()


@pytest.mark.parametrize("sign", [1, -1], ids=["positive prices", "negative prices"])
@pytest.mark.parametrize("way", [1, -1], ids=["bought", "sold"])
def test_who_receives_has_an_amount_above_zero(sign, way):
    """Every kind of row, from both ends: who buys at a price above zero pays; sold, or below zero, it is paid."""
    bills = Settlement.of(
        GRAPH,
        bid_kw=way * np.array([[10.0], [0.0], [0.0]]),
        lmp_usd_per_kwh=sign * np.full((3, 1), 0.2),
        trade_kw=way * np.array([[4.0], [0.0]]),
        price_usd_per_kwh=sign * np.full((2, 1), 0.15),
        load_usd=sign * 3.0,
        generation_usd={"g": sign * 1.5},
        dt_h=1.0,
    )
    rows = {(row.account, row.item, row.counterparty): row.amount_usd for row in bills.frame().itertuples()}
    due = sign * way
    assert rows == {
        ("a", "bids at the LMP", "DSO"): -2.0 * due,
        ("DSO", "bids at the LMP", "a"): 2.0 * due,
        ("b", "bids at the LMP", "DSO"): 0,
        ("DSO", "bids at the LMP", "b"): 0,
        ("c", "bids at the LMP", "DSO"): 0,
        ("DSO", "bids at the LMP", "c"): 0,
        ("a", "sharing a-b", "platform"): -0.6 * due,
        ("platform", "sharing a-b", "a"): 0.6 * due,
        ("platform", "sharing a-b", "b"): -0.6 * due,
        ("b", "sharing a-b", "platform"): 0.6 * due,
        ("c", "sharing c-b", "platform"): 0,
        ("platform", "sharing c-b", "c"): 0,
        ("platform", "sharing c-b", "b"): 0,
        ("b", "sharing c-b", "platform"): 0,
        ("customers", "bus loads at the LMP", "DSO"): -3.0 * sign,
        ("DSO", "bus loads at the LMP", "customers"): 3.0 * sign,
        ("DSO", "generation g", "generators"): -1.5 * sign,
        ("generators", "generation g", "DSO"): 1.5 * sign,
    }
    assert not np.signbit(bills.frame().query("amount_usd == 0").amount_usd).any()  # no -0 in a table


def test_what_a_prosumer_is_billed_is_what_it_pays(ieee33_run):
    """An account's sum is its LMP times its bid and its payment to partners, with the sign turned."""
    result = ieee33_run().result
    received = result.bills.groupby("account").amount_usd.sum()
    owed = (result.lmp_usd_per_kwh * result.bid_kw).sum(axis=1) * result.dt_h + result.payment_usd
    assert [received[name] for name in result.names] == pytest.approx(-owed, abs=0.02)
