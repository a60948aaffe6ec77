"""What a result says in arrays and in tables is one schedule: it balances, it is reciprocal, it is what was cleared."""

import numpy as np
import pytest


@pytest.fixture(
    scope="module", params=[{}, {"order": "gauss_seidel"}, {"max_rounds": 1, "max_iterations": 4}, {"case": 2}], ids=str
)
def result(request, ieee33_run):
    return ieee33_run(**request.param).result


def test_every_prosumer_balances(result):
    """(13)"""
    have = result.bid_kw + result.renewable_kw - result.curtailed_kw + result.net_trade_kw
    assert have == pytest.approx(result.fixed_kw + result.elastic_kw, abs=1e-9)


def test_trades_cancel_and_keep_their_caps(result):
    """(15), (16)"""
    assert result.net_trade_kw.sum(axis=0) == pytest.approx(np.zeros(24), abs=1e-9)
    assert result.bought_kw - result.sold_kw == pytest.approx(result.net_trade_kw)
    assert (np.abs(result.trade_kw) <= result.graph.cap_kw[:, None] + 1e-9).all()


def test_bids_are_those_that_were_cleared(result):
    """(10), (17)"""
    rows = [result.feeder.index(bus) for bus in result.prosumer_buses]
    load = np.outer(result.feeder.p_kw[rows], np.ones(24))
    asked = result.dispatch.demand_kw[rows] - result.bid_kw
    assert (asked >= -1e-9).all()
    assert (asked <= load + 1e-9).all()
    assert (result.bid_kw >= 0).all()
    assert (result.bid_kw <= 600).all()


def test_costs_are_those_of_the_schedule(result, ieee33_bazaar):
    """(11), (12)"""
    homes = ieee33_bazaar().households
    bought = (result.lmp_usd_per_kwh * result.bid_kw).sum(axis=1)
    utility = [
        (home.beta_usd_per_kwh * e - home.alpha_usd_per_kw2h * e**2).sum()
        for home, e in zip(homes, result.elastic_kw, strict=True)
    ]
    assert result.utility_usd == pytest.approx(np.array(utility))
    assert result.prosumer_cost_usd == pytest.approx(bought - utility)
    assert result.welfare_usd == pytest.approx(sum(utility) - result.dso_cost_usd)


def test_payments_cancel_to_the_cent(result):
    assert abs(result.payment_usd.sum()) < 0.005
    paid = (result.price_usd_per_kwh * result.trade_kw).sum(axis=1)
    for name, payment in zip(result.names, result.payment_usd, strict=True):
        signs = [(link.a == name) - (link.b == name) for link in result.graph.links]
        assert payment == pytest.approx(float(np.dot(signs, paid)))


def test_tables_hold_the_arrays(result):
    assert result.prosumers.pivot_table("elastic_kw", "prosumer", "period").to_numpy() == pytest.approx(
        result.elastic_kw
    )
    assert result.prosumers.net_trade_kw.to_numpy() == pytest.approx(result.net_trade_kw.ravel())
    assert result.trades.trade_kw.to_numpy() == pytest.approx(result.trade_kw.ravel())
    network = result.buses[result.buses.bus == "18"]
    assert network.v_pu.to_numpy() == pytest.approx(result.dispatch.v_pu[result.feeder.index("18")])
    assert network.period.tolist() == list(range(1, 25))


def test_price_components_add_up_in_the_table(result):
    prices = result.prices
    parts = prices[[f"{part}_usd_per_kwh" for part in ("energy", "loss", "voltage", "congestion")]].sum(axis=1)
    assert parts.to_numpy() == pytest.approx(prices.lmp_usd_per_kwh.to_numpy(), abs=1e-6)


def test_prosumers_pay_the_price_of_their_bus(result):
    rows = [result.feeder.index(bus) for bus in result.prosumer_buses]
    assert np.array_equal(result.lmp_usd_per_kwh, result.dispatch.lmp_usd_per_kwh[rows])
