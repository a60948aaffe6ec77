"""Markets in which trades load the wires, prosumers feed in and there are fees, each against the joint problem."""

from dataclasses import replace

import numpy as np
import pytest

from gridbazaar.agents import Link
from gridbazaar.market import Method, Order, Outcome

USES = ["bids", "withdrawals"]
use = pytest.mark.parametrize("network_use", USES)


@pytest.fixture(scope="module")
def bazaar(street, home):
    """Three homes with more sun than they need at noon, and a night; what they feed in is worth something."""
    sunny = home(
        name="a", fixed_kw=[10.0, 30.0], renewable_kw=np.array([260.0, 0.0]), elastic_max_kw=80.0, feed_in_max_kw=60.0,
        grid_fee_usd_per_kwh=0.03, feed_in_fee_usd_per_kwh=0.01,
    )  # fmt: skip
    far = home(name="b", bus="y", alpha_usd_per_kw2h=2e-3, elastic_max_kw=90.0, grid_fee_usd_per_kwh=0.05)
    near = home(name="c", fixed_kw=20.0, renewable_kw=0.0, beta_usd_per_kwh=0.25, elastic_min_kw=5.0)
    return street(sunny, far, near, links=[("a", "b", 40.0, 0.02), ("a", "c", 25.0), ("b", "c", 15.0)], load_kw=80.0)


@pytest.fixture(scope="module")
def best(bazaar, joint):
    """The joint optimum by case and by what the network carries."""
    alone = bazaar.with_(links=[replace(link, cap_kw=0.0) for link in bazaar.links])
    return {(case, one): joint(alone if case == 1 else bazaar, one) for case in (1, 3) for one in USES}


def check(result, best, tolerance=1e-6):
    """Welfare less fees within the certificate of the optimum; loads and LMPs are its own."""
    assert result.outcome is Outcome.SETTLED, result.message
    turnover = best.dso_cost_usd + best.utility_usd
    gap = best.objective_usd - (result.welfare_usd - result.fees_usd)
    assert -tolerance * turnover < gap <= result.certificate.total_usd + 1e-7 * turnover
    assert result.elastic_kw == pytest.approx(best.elastic_kw, abs=0.1)
    assert result.dispatch.lmp_usd_per_kwh == pytest.approx(best.lmp_usd_per_kwh, abs=1e-4)
    assert sum(result.settlement.balance_cents().values()) == 0


@use
@pytest.mark.parametrize("case", [1, 2, 3])
def test_every_case_ends_at_the_joint_optimum(bazaar, best, open_market, case, network_use):
    result = open_market(bazaar, case=case, network_use=network_use, regret_tolerance=1e-7).run()
    check(result, best[1 if case == 1 else 3, network_use])
    assert result.bid_kw.min() < -1  # somebody feeds in


@use
@pytest.mark.parametrize("method", [m for m in Method if m is not Method.NEWTON])
def test_every_method_does(bazaar, best, open_market, method, network_use):
    result = open_market(bazaar, method=method, network_use=network_use, max_iterations=300).run()
    check(result, best[3, network_use])


@use
@pytest.mark.parametrize("order", [Order.GAUSS_SEIDEL, Order.JACOBI])
def test_the_other_orders_do_where_they_can(bazaar, best, open_market, order, network_use):
    """Jacobi needs steep costs along every trade and may say that it diverges."""
    result = open_market(bazaar, order=order, network_use=network_use).run()
    if order is Order.JACOBI and result.outcome is Outcome.SHARING_DIVERGED:
        return
    check(result, best[3, network_use])


def test_without_sharing_both_are_the_same(bazaar, open_market):
    one, other = (open_market(bazaar, case=1, network_use=n).run() for n in USES)
    for what in ("bid_kw", "elastic_kw", "lmp_usd_per_kwh"):
        assert getattr(one, what) == pytest.approx(getattr(other, what), rel=1e-6)


def test_a_line_carries_trades_only_where_they_load_it(street, home, open_market, joint):
    """b lives at the end of a line of 30 kW and would have 60 from a: by contract it does, over the wire it cannot."""
    rich = home(name="a", fixed_kw=0.0, renewable_kw=200.0, bid_max_kw=0.0)
    poor = home(name="b", bus="y", fixed_kw=0.0, renewable_kw=0.0, elastic_max_kw=60.0, bid_max_kw=60.0)
    bazaar = street(rich, poor, links=[("a", "b", 60.0)], load_kw=0.0)
    lines = [{"from_bus": a, "to_bus": b, "r_ohm": 0.5, "x_ohm": 0.3} for a, b in ("rx", "xy")]
    lines[1]["p_max_kw"] = 30.0
    feeder = type(bazaar.feeder).from_tables(
        bazaar.feeder.buses, lines, bazaar.feeder.generators, root="r", base_kv=10.0
    )
    tight = bazaar.with_(feeder=feeder)
    by_contract = open_market(tight, regret_tolerance=1e-4).run()
    assert by_contract.elastic_kw[1] == pytest.approx([60.0, 60.0], abs=0.1)
    assert by_contract.dispatch.p_flow_kw[-1] == pytest.approx([0.0, 0.0], abs=0.1)
    result = open_market(tight, network_use="withdrawals").run()
    check(result, joint(tight, "withdrawals"))
    assert result.dispatch.p_flow_kw[-1] == pytest.approx([30.0, 30.0], abs=0.01)
    assert result.withdrawal_kw[1] == pytest.approx([30.0, 30.0], abs=0.01)
    assert result.network_charge_usd[0] > 0.1 * 30  # what the full line is worth to b


@use
def test_bills_are_what_was_agreed(bazaar, open_market, network_use):
    """To half a cent each, written down again from bids, trades and prices; the accounts add up to zero."""
    result = open_market(bazaar, network_use=network_use, regret_tolerance=1e-8).run()
    lmp, bid, trade, pays = result.lmp_usd_per_kwh, result.bid_kw, result.trade_kw, dict.fromkeys(result.names, 0.0)
    index = {name: i for i, name in enumerate(result.names)}
    for i, household in enumerate(bazaar.households):
        bought, sold = np.maximum(bid[i], 0).sum(), np.maximum(-bid[i], 0).sum()
        fees = household.grid_fee_usd_per_kwh * bought + household.feed_in_fee_usd_per_kwh * sold
        pays[household.name] += (lmp[i] * bid[i]).sum() + fees
    for n, link in enumerate(bazaar.links):
        price, charged = result.price_usd_per_kwh[n], lmp[index[link.a]] - lmp[index[link.b]]
        network = charged * (network_use == "withdrawals")
        fee = link.fee_usd_per_kwh * np.abs(trade[n]).sum() / 2
        pays[link.a] += ((price + network / 2) * trade[n]).sum() + fee
        pays[link.b] += ((network / 2 - price) * trade[n]).sum() + fee
    received = result.bills.groupby("account").amount_usd.sum()
    assert [received[name] for name in result.names] == pytest.approx([-pays[n] for n in result.names], abs=0.03)
    assert round(result.bills.amount_usd.sum(), 6) == 0
    dispatch = result.dispatch
    demand = dispatch.demand_kw  # what all demand is worth at its LMP, the network's charges included
    due = (demand * dispatch.lmp_usd_per_kwh).sum() - result.dso_cost_usd
    due += result.grid_fee_usd.sum() + result.feed_in_fee_usd.sum()
    assert received["DSO"] == pytest.approx(due, abs=0.1)
    assert received["platform"] == pytest.approx(result.sharing_fee_usd.sum(), abs=0.02)
    assert result.payment_usd.sum() == pytest.approx(0, abs=1e-9)
    items = set(result.bills.item)
    assert {"grid fee", "feed-in fee", "fee of sharing a-b", "fee of sharing a-c"} <= items
    assert ("network charge of sharing a-b" in items) is (network_use == "withdrawals")


@use
def test_tables_say_who_pays_what(bazaar, open_market, network_use):
    result = open_market(bazaar, network_use=network_use).run()
    trades, prosumers = result.trades, result.prosumers
    beside = trades.buyer_pays_usd_per_kwh - trades.seller_gets_usd_per_kwh
    taken = beside * trades.trade_kw.abs()
    assert taken.sum() == pytest.approx(trades.network_charge_usd.sum() + trades.fee_usd.sum())
    assert trades.fee_usd.sum() == pytest.approx(result.sharing_fee_usd.sum())
    assert trades.network_charge_usd.any() == (network_use == "withdrawals")
    assert prosumers.withdrawal_kw.to_numpy() == pytest.approx((prosumers.bid_kw + prosumers.net_trade_kw).to_numpy())
    asked = prosumers.withdrawal_kw if network_use == "withdrawals" else prosumers.bid_kw
    served = np.zeros_like(bazaar.load_kw)
    np.add.at(served, [bazaar.feeder.index(h.bus) for h in bazaar.households], asked.to_numpy().reshape(3, -1))
    assert result.dispatch.demand_kw == pytest.approx(bazaar.load_kw + served, abs=1e-6)


@use
def test_feed_in_at_an_lmp_of_nothing_settles(street, home, open_market, network_use):
    """More sun than anybody can use: some of it is curtailed, the generator is free, and nobody swings."""
    sunny = [
        home(name=name, bus=bus, renewable_kw=300.0, feed_in_max_kw=300.0, elastic_max_kw=60.0)
        for name, bus in (("a", "x"), ("b", "y"), ("c", "y"))
    ]
    bazaar = street(*sunny, links=[("a", "b", 50.0), ("b", "c", 50.0)], load_kw=90.0)
    free = replace(bazaar.feeder.generators[0], a_usd_per_kw2h=0.0, b_usd_per_kwh=0.0)
    for generator in (bazaar.feeder.generators[0], free):
        feeder = replace(bazaar.feeder, generators=(generator,))
        settings = {"network_use": network_use, "regret_tolerance_usd": 1e-5}  # LMPs are known to 1e-8 at best
        result = open_market(bazaar.with_(feeder=feeder), **settings).run()
        assert result.outcome is Outcome.SETTLED, result.message
        assert np.abs(result.lmp_usd_per_kwh).max() < 1e-3
        assert result.elastic_kw == pytest.approx(np.full((3, 2), 60.0), abs=0.5)
        assert result.curtailed_kw.sum() > 1000  # and nothing is burnt in the wires
        assert result.outer_iterations <= 20


def test_links_bring_what_no_bid_may(street, home, open_market):
    """A feeder too weak for its load refuses at once only where nobody could relieve it."""
    feeding = home(name="a", renewable_kw=200.0, feed_in_max_kw=150.0)
    bazaar = street(feeding, home(name="b", bus="y", fixed_kw=0.0, renewable_kw=0.0), load_kw=100.0)
    weak = replace(bazaar.feeder.generators[0], p_max_kw=20.0)
    result = open_market(bazaar.with_(feeder=replace(bazaar.feeder, generators=(weak,)))).run()
    assert result.outcome is Outcome.SETTLED, result.message
    assert result.bid_kw[0].max() < -80


@pytest.mark.parametrize("fee", [0.0, 0.02])
def test_a_fee_keeps_neighbours_from_trading_what_is_worth_less(street, home, open_market, fee):
    """Two homes whose kWh differ by 1.5 cents in worth: they trade for nothing, not for 2 cents."""
    one = home(name="a", fixed_kw=0.0, renewable_kw=30.0, elastic_max_kw=30.0, bid_max_kw=0.0, beta_usd_per_kwh=0.30)
    two = home(name="b", fixed_kw=0.0, renewable_kw=30.0, elastic_max_kw=60.0, bid_max_kw=0.0, beta_usd_per_kwh=0.315)
    result = open_market(street(one, two, links=[Link("a", "b", 50.0, fee)]), network_use="withdrawals").run()
    assert result.outcome is Outcome.SETTLED, result.message
    traded = np.abs(result.trade_kw).max()
    assert traded == pytest.approx(0.0, abs=0.02) if fee else traded > 3


@use
def test_where_everything_is_free_it_settles_at_once(street, home, open_market, network_use):
    """A generator without cost: LMPs are rounding errors, and penalties that shrank with them never settled."""
    one = home(name="a", renewable_kw=np.array([0.0, 60.0]))
    bazaar = street(one, home(name="b", bus="y"), links=[("a", "b", 40.0)])
    free = replace(bazaar.feeder.generators[0], a_usd_per_kw2h=0.0, b_usd_per_kwh=0.0)
    market = open_market(bazaar.with_(feeder=replace(bazaar.feeder, generators=(free,))), network_use=network_use)
    result = market.run()
    assert result.outcome is Outcome.SETTLED, result.message
    assert sum(result.sharing_rounds) <= 150
    assert result.elastic_kw == pytest.approx(np.full((2, 2), 50.0), abs=0.1)


def test_the_absolute_tolerance_counts_prosumers_and_days(street, home, open_market):
    """Two homes and two hours: an allowance of $2 per prosumer and day is a third of a dollar here."""
    bazaar = street(home(bid_max_kw=200.0), home(name="b", bus="y"), links=[("a", "b", 40.0)])
    settings = {"regret_tolerance": 1e-12, "method": "plain", "max_rounds": 2}
    regrets = []
    for allowed in (0.0, 2.0):
        result = open_market(bazaar, regret_tolerance_usd=allowed, max_iterations=4, **settings).run()
        regrets.append(result.certificate.total_usd)
        assert result.settled is (allowed > 0)
    assert regrets[1] <= 2.0 * 2 * 2 / 24
