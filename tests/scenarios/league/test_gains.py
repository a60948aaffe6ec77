"""What lying gains, against a central computation of the declared market, and as `gridbazaar run` tells it."""

import json
import re

import numpy as np
import pytest

from gridbazaar.agents.behaviours.declared_utility import shaded
from gridbazaar.agents.trade_graph import TradeGraph
from gridbazaar.market.proof.central import LowerLayer, equilibrium
from gridbazaar.scenarios import gains, load
from gridbazaar.scenarios.league.day import play
from gridbazaar.scenarios.league.gains import truthful


def central_costs(scenario, declared):
    """What each pays in the equilibrium of what is declared, valued by the real households, from two central problems.

    Single bids and trades are not unique there, but elastic loads and prices are (as long as no cap of a link binds),
    and with the prices what any optimal plan costs: all of them cost the same at prices at which all are optimal.
    """
    homes, clearing = scenario.build_households(), scenario.build_clearing()
    graph = TradeGraph([home.name for home in homes], scenario.build_links())
    found = equilibrium(clearing.feeder, clearing.load_kw, clearing.load_kvar, declared, graph)
    lmp = found.lmp_usd_per_kwh[[clearing.feeder.index(home.bus) for home in homes]]
    plan = LowerLayer(declared, graph).solve(lmp)
    paid = homes[0].dt_h * (lmp * plan.bid_kw).sum(axis=1)
    for k, (a, b) in enumerate((graph.names.index(link.a), graph.names.index(link.b)) for link in graph.links):
        usd = homes[0].dt_h * float((plan.price_usd_per_kwh[k] * plan.trade_kw[k]).sum())
        paid[a], paid[b] = paid[a] + usd, paid[b] - usd
    return paid - [float(home.utility_usd(load)) for home, load in zip(homes, found.elastic_kw, strict=True)]


def test_shading_on_ieee33_gains_what_a_central_computation_says():
    scenario = load("ieee33", {"prosumers.p2.behaviour": "Shading(percent=5)"})
    result = scenario.market().run()
    assert result.settled_for == "declared"
    assert result.clearings <= 10
    assert sum(result.sharing_rounds) <= 200
    assert result.certificate.relative <= 1e-6

    homes = scenario.build_households()
    lied = [shaded(home, 5) if home.name == "p2" else home for home in homes]
    central = central_costs(scenario, homes) - central_costs(scenario, lied)
    found = gains(scenario)
    error = np.abs(found.gain_usd - central)
    assert error.max() <= 1e-6 * result.certificate.turnover_usd
    assert (error <= found.known_to_usd).all()
    assert found.gain_usd[1] < -5  # p2 sells, and who wants less of its own power sells cheaper


@pytest.mark.parametrize("case", [1, 2, 3])
def test_truth_telling_gains_nothing_beyond_what_is_known(small, case):
    found = gains(load(str(small), {"market.case": case, "prosumers.ann.behaviour": "Shading(percent=0)"}))
    assert found.behaving == ("ann",)
    assert (np.abs(found.gain_usd) <= found.known_to_usd).all()
    assert abs(found.welfare_loss_usd) <= found.together_known_to_usd
    assert abs(found.dso_cost_change_usd) <= found.together_known_to_usd
    assert "ann gained nothing above" in str(found)


def test_gains_are_differences_of_two_runs(small):
    scenario = load(str(small), {"prosumers.ann.behaviour": "Shading(percent=5)"})
    found, now, truth = gains(scenario), scenario.market().run(), load(str(small)).market().run()
    alone = [run.own_cost_usd + run.payment_usd for run in (truth, now)]
    assert found.gain_usd == pytest.approx(
        alone[0] - alone[1], abs=2e-3
    )  # runs that are less close than those of gains
    assert found.welfare_loss_usd == pytest.approx(truth.welfare_usd - now.welfare_usd, abs=2e-3)
    assert found.others_lost_usd == pytest.approx(-(found.gain_usd[1] + found.gain_usd[2]))
    assert found.gain_usd[0] > 0.5


def test_truthful_others_are_left_as_they_are(small):
    scenario = load(str(small), {"prosumers.ann.behaviour": "Shading", "prosumers.bob.elastic_max_kw": 7})
    assert {row.behaviour for row in truthful(scenario).prosumers.values()} == {"price_taker"}
    assert truthful(scenario).prosumers["bob"].elastic_max_kw == 7


def test_a_day_that_cannot_come_closer_is_settled_by_the_scenario_s_own_tolerance(small):
    day = play(load(str(small), {"market.regret_tolerance": 1e-10, "market.max_iterations": 12}))
    assert day.settled
    assert day.result.certificate.relative <= 1e-10


def test_a_market_that_does_not_settle_has_no_gains(small):
    scenario = load(
        str(small), {"prosumers.ann.behaviour": "Shading", "market.max_rounds": 1, "market.max_iterations": 2}
    )
    assert gains(scenario) is None


def test_run_tells_gains_and_keeps_them(small, tmp_path, capsys, command):
    assert command("run", str(small), "--behaviour", "ann=Shading(percent=5)", "-o", str(tmp_path / "run")) == 0
    told = re.sub(r"\s+", " ", capsys.readouterr().out)
    gained = r"against price takers only, ann gained \$0\.\d+ \(known to \$[\d.e-]+\); the others together"
    assert re.search(gained, told)
    kpis = json.loads((tmp_path / "run" / "kpis.json").read_text())
    found = gains(load(str(small), {"prosumers.ann.behaviour": "Shading(percent=5)"}))
    assert kpis["settled_for"] == "declared"
    assert list(kpis["gain_usd"].values()) == pytest.approx(found.gain_usd.tolist())
    assert list(kpis["gain_known_to_usd"].values()) == pytest.approx(found.known_to_usd.tolist())


@pytest.mark.parametrize("words", [["--behaviour", "ann=Shading", "--no-gains"], []])
def test_run_looks_for_no_gains_where_nobody_asks_or_all_take_prices(small, tmp_path, command, words):
    assert command("run", str(small), *words, "-o", str(tmp_path / "run")) == 0
    assert "gain_usd" not in json.loads((tmp_path / "run" / "kpis.json").read_text())
