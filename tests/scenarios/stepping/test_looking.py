"""What can be asked at any round, and why power costs what it does: held against what the market itself knows."""

from __future__ import annotations

import re

import numpy as np
import pytest

from gridbazaar.market import Workers
from gridbazaar.scenarios.stepping.conditions import Condition, names
from gridbazaar.scenarios.stepping.errors import SessionError
from gridbazaar.scenarios.stepping.session import Session


@pytest.fixture(scope="module")
def settled():
    with Session("ieee33") as session:
        session.run_to("settled")
        yield session


def test_a_prosumers_own_view_is_what_it_was_told_and_answered():
    with Session("ieee33") as session:
        session.step(7)
        view, agent = session.prosumer("p2"), session.market.prosumers[1]
        frame = view.frame
        assert frame["bid_kw"].to_numpy() == pytest.approx(agent.bid_kw)
        assert frame["elastic_kw"].to_numpy() == pytest.approx(agent.plan.elastic_kw)
        assert pytest.approx(agent.power_kw) == frame[["offers_p1_kw", "offers_p3_kw"]].to_numpy().T
        balance = frame["bid_kw"] + frame["offers_p1_kw"] + frame["offers_p3_kw"]
        used = frame["elastic_kw"] + frame["fixed_kw"] + frame["curtailed_kw"] - frame["renewable_kw"]
        assert balance.to_numpy() == pytest.approx(used.to_numpy(), abs=1e-6)  # (13)
        home = agent.household
        step = 1e-4
        worth = home.utility_usd(agent.plan.elastic_kw + step) - home.utility_usd(agent.plan.elastic_kw - step)
        assert frame["worth_usd_per_kwh"].sum() * home.dt_h == pytest.approx(
            float(np.sum(worth)) / (2 * step), rel=1e-6
        )
        assert "p2 at bus" in str(view)
        assert view._repr_html_().startswith("<b>p2 at bus")


def test_of_one_that_lives_elsewhere_its_schedule_is_shown():
    with Session("ieee33", backend=lambda: Workers(1)) as session:
        session.run_to("settled")
        view = session.prosumer("p2")
        assert "its plan is in another process" in view.sentences[0]
        assert view.columns["elastic_kw"] == pytest.approx(session.result().elastic_kw[1])


def test_a_link_has_two_ends(settled):
    frame = settled.link("p1-p2").frame
    market = settled.market
    power, graph = market.platform.power_kw, market.graph
    assert frame["p1_buys_kw"].to_numpy() == pytest.approx(power[graph.forward[0]])
    assert (frame["p1_buys_kw"] - frame["p2_sells_kw"]).to_numpy() == pytest.approx(frame["mismatch_kw"].to_numpy())


def test_a_bus_has_the_components_of_its_lmp(settled):
    frame = settled.bus("26").frame
    parts = frame[[f"{part}_usd_per_kwh" for part in ("energy", "loss", "voltage", "congestion")]].sum(axis=1)
    assert parts.to_numpy() == pytest.approx(frame["lmp_usd_per_kwh"].to_numpy(), abs=1e-8)


def test_who_is_slowest_is_who_disagrees_most():
    with Session("ieee33") as session:
        assert str(session.residuals()) == "nobody has answered yet"
        session.step(9)
        told = session.residuals()
        market = session.market
        pairs, bids = (np.abs(side.mismatch_kw) for side in (market.platform.pairs, market.platform.bids))
        who, period, kw = told.slowest[0]
        assert kw == max(pairs.max(), bids.max()) == market.platform.primal_kw
        assert period in {int(t) + 1 for table in (pairs, bids) for t in table.argmax(axis=1)}
        assert who in str(told)


@pytest.mark.parametrize("what", ["prosumer", "link", "bus"])
def test_what_is_not_there_is_refused_with_the_nearest(settled, what):
    near = {"prosumer": ("p11", "p1"), "link": ("p1-p22", "p1-p2"), "bus": ("333", "33")}[what]
    with pytest.raises(SessionError, match=rf"there is no {what} {near[0]}; did you mean {near[1]}\?"):
        getattr(settled, what)(near[0])


def test_before_the_first_clearing_there_is_no_lmp():
    with Session("ieee33") as session, pytest.raises(SessionError, match="nothing has been cleared yet; step once"):
        session.why("p1", 1)


def test_the_energy_price_is_that_of_the_marginal_generators(settled):
    said = settled.why("bus 26", 19)
    result = settled.result()
    prices = result.prices.query("bus == '26' and period == 19").iloc[0]
    assert f"is ${prices.lmp_usd_per_kwh:.4f}/kWh" in said
    assert f"Energy ${prices.energy_usd_per_kwh:.4f}/kWh" in said
    row = result.generators.query("generator == 'substation' and period == 19").iloc[0]
    assert (
        f"substation (at {row.p_kw:,.1f} of 4,000 kW a kWh more costs ${row.marginal_cost_usd_per_kwh:.4f}/kWh)" in said
    )
    assert row.marginal_cost_usd_per_kwh == pytest.approx(prices.energy_usd_per_kwh, abs=1e-6)  # at the root


def test_a_full_line_is_named_with_what_it_carries():
    with Session("ieee33", {"feeder.lines.3-4.p_max_kw": 1475}) as session:
        session.run_to("settled")
        result = session.result()
        congestion = result.dispatch.components.congestion[result.feeder.index("18")]
        period = int(np.argmax(congestion)) + 1
        assert congestion.max() > 1e-3
        said = session.why("bus 18", period)
        assert f"Congestion ${congestion.max():.4f}/kWh: line 3-4 is 100.0% loaded, with 1,475.0 kW" in said


def test_a_voltage_at_its_limit_is_named():
    with Session("ieee33", {"feeder.v_min_pu": 0.9545}) as session:
        session.run_to("settled")
        dispatch, feeder = session.result().dispatch, session.result().feeder
        n, t = np.unravel_index(np.argmin(dispatch.v_pu), dispatch.v_pu.shape)
        assert dispatch.components.voltage[n, t] > 1e-3
        bus = feeder.names[n]
        assert f"bus {bus} is at its lower limit of 0.9545 pu" in session.why(f"bus {bus}", int(t) + 1)


def test_a_links_price_is_what_a_kwh_is_worth_to_both_ends(settled):
    """Where trades flow freely and the end that consumes is inside its limits, its marginal utility is the price."""
    result, told = settled.result(), 0
    for k, link in enumerate(result.graph.links):
        for period in range(1, 25):
            said = settled.why(link.name, period)
            price = result.price_usd_per_kwh[k, period - 1]
            assert f"is ${price:.4f}/kWh" in said
            worth = re.findall(r"to which a kWh more is worth \$([0-9.]+)/kWh", said)
            if "is full" not in said:
                assert all(float(usd) == pytest.approx(price, abs=2e-4) for usd in worth)
                told += len(worth)
    assert told > 50


def test_a_full_link_is_said_to_stand_between():
    with Session("ieee33", {"links.p1-p3.cap_kw": 20}) as session:
        session.run_to("settled")
        trade = session.result().trade_kw[session.market.graph.links.index(session.market.graph.links[2])]
        assert "The link is full (20 kW)" in session.why("p1-p3", int(np.argmax(np.abs(trade))) + 1)


def test_it_says_when_it_speaks_of_an_earlier_clearing():
    with Session("ieee33") as session:
        session.run_to("agreed")
        for place in ("p1", "bus 26", "p1-p3"):
            said = session.why(place, 19)
            assert said.startswith("At clearing 1, for the bids and trades that were in force then: ")
        session.run_to("clearing")
        assert session.why("p1", 19).startswith("p1 is at bus")


def test_prices_of_partners_are_whole_where_trades_load_the_wires():
    with Session("ieee33", {"market.network_use": "withdrawals"}) as session:
        session.run_to("agreed")
        rounds = session.link("p1-p2").frame["price_usd_per_kwh"]
        session.run_to("settled")
        result = session.result()
        assert session.link("p1-p2").frame["price_usd_per_kwh"].to_numpy() == pytest.approx(
            result.price_usd_per_kwh[0], abs=2e-3
        )
        assert rounds.to_numpy() == pytest.approx(result.price_usd_per_kwh[0], abs=0.02)
        assert result.price_usd_per_kwh.min() > 0.2


def test_a_condition_is_checked_before_anything_moves(settled):
    with pytest.raises(SessionError, match="there is no foo"):
        settled.run_until("foo < 3")
    with Session("ieee33") as session:
        assert session.run_until("voltage_min_pu < 1")
        assert session.round == 1
        assert session.run_until("round >= 3")
        assert session.round == 3


def test_places_and_periods_that_are_not_there(settled):
    with pytest.raises(SessionError, match=r"there is no p9; name a prosumer, a link \(p1-p2\), or a bus"):
        settled.why("p9", 1)
    with pytest.raises(SessionError, match="there is no period 25; they count from 1 to 24"):
        settled.why("p1", 25)


# --- conditions


def test_a_session_stops_where_a_condition_comes_true():
    with Session("ieee33") as session:
        assert session.run_until("iteration == 2 and primal_kw < 13")
        assert session.last.iteration == 2
        assert session.last.primal_kw < 13
        first = session.round
        session.back()
        assert not (session.last.iteration == 2 and session.last.primal_kw < 13)
        assert session.run_until("lmp('p1', 19) > 0.26 or round > 100")
        assert session.round >= first
        assert not session.run_until("voltage_min_pu < 0.5")
        assert session.ended


def test_the_names_of_a_condition_are_what_the_market_knows(settled):
    known, result = names(settled.market), settled.result()
    assert known["voltage_min_pu"] == result.dispatch.voltage_min_pu
    assert known["losses_kwh"] == result.dispatch.losses_kwh
    assert known["relative_regret"] == result.certificate.relative
    assert known["lmp"]("p2", 19) == settled.last.lmp_usd_per_kwh[1, 18]
    assert known["trade"]("p1-p3", 4) == result.trade_kw[2, 3]
    assert 100 * known["loading_max"] == pytest.approx(np.nanmax(result.lines.loading_percent.fillna(0)))


WRONG = {
    "foo < 1": "'foo < 1': there is no foo; known are number",
    "primal_kv < 1": r"there is no primal_kv; did you mean primal_kw\?",
    "1 +": "'1 \\+' is no condition; write one like voltage_min_pu < 0.95",
    "": "'' is no condition",
    "voltage_min_pu": "'voltage_min_pu' is 0.95.*, neither true nor false; compare it with something",
    "lmp('p9', 1) > 0": "cannot be evaluated: there is no p9; known are p1, p2, p3",
    "lmp > 0.2": r'^lmp needs a name and a period: write lmp\("p1", 1\)$',
    "0.2 < price": r'^price needs a name and a period: write price\("p1-p2", 1\)$',
    "bid('p1') > 0": r'cannot be evaluated: bid needs a name and a period: write bid\("p1", 1\)$',
    "lmp('p1', 99) > 0": "there is no period 99; they count from 1 to 24",
    "open('/etc/passwd')": "there is no open",
    "().__class__": "cannot be evaluated: no safe attribute",
    "__import__('os')": "there is no __import__",
}


@pytest.mark.parametrize("text", WRONG)
def test_a_wrong_condition_is_one_sentence(settled, text):
    with pytest.raises(SessionError, match=WRONG[text]):
        Condition(text).holds(settled.market)
