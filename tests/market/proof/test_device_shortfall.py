"""Households that must go short because stores do not last are found, against an independent model in cvxpy."""

from __future__ import annotations

import re
from dataclasses import replace

import cvxpy as cp
import numpy as np
import pytest
from device_models import model_of, random_devices

from gridbazaar.agents import Link, TradeGraph
from gridbazaar.agents.devices.battery import Battery
from gridbazaar.market import EnergyMarket
from gridbazaar.market.outcome import Outcome
from gridbazaar.market.proof.device_shortfall import find_device_shortfall
from gridbazaar.market.proof.shortfall import find_shortfall
from gridbazaar.scenarios import load

PERIODS = 6


def least_missing_kwh(homes, graph):
    """The same by cvxpy, with its own model of every device."""
    trades = cp.Variable((len(graph.links), PERIODS))
    rules = [cp.abs(trades) <= np.tile(graph.cap_kw[:, None], PERIODS)]
    missing = []
    for n, home in enumerate(homes):
        devices = model_of(home)
        net = sum(trades[k] if link.a == home.name else -trades[k] for k, link in enumerate(graph.links)
                  if home.name in (link.a, link.b))  # fmt: skip
        need = home.fixed_kw + home.elastic_min_kw - home.renewable_kw - home.bid_max_kw
        missing.append(cp.sum(cp.pos(need - devices.injection - net)))
        rules += devices.rules
        assert graph.names[n] == home.name
    problem = cp.Problem(cp.Minimize(sum(missing)), rules)
    problem.solve(cp.CLARABEL)
    assert problem.status == cp.OPTIMAL
    return homes[0].dt_h * problem.value


@pytest.mark.parametrize("seed", range(12))
def test_against_cvxpy(home, seed):
    rng = np.random.default_rng(seed)
    homes = []
    for n, name in enumerate("abc"):
        series = {key: 30.0 * rng.random(PERIODS) for key in ("fixed_kw", "renewable_kw", "bid_max_kw")}
        limits = {"elastic_min_kw": np.zeros(PERIODS), "elastic_max_kw": np.full(PERIODS, 5.0)}
        one = replace(home(), name=name, feed_in_max_kw=np.zeros(PERIODS), **series, **limits)
        homes.append(replace(one, devices=random_devices(10 * seed + n, 15.0, PERIODS, one.dt_h)) if n < 2 else one)
    graph = TradeGraph(list("abc"), [Link("a", "b", 8.0), Link("b", "c", 8.0)])
    expected = least_missing_kwh(homes, graph)
    found = find_device_shortfall({one.name: one for one in homes}, graph)
    if expected < 1e-4:
        assert found is None
    else:
        assert found.missing_kwh == pytest.approx(expected, rel=1e-5)
        assert set(found.names) <= set("abc")


def short_homes(capacity_kwh, soc_end=None):
    """Two homes that lack 1 kW together in all 24 hours; the battery of one of them could give that in each of them."""
    ann, bob = load("two_homes").build_households()
    flat = {"renewable_kw": 0.0, "elastic_min_kw": 0.0}
    store = Battery(
        name="b", capacity_kwh=capacity_kwh, p_charge_max_kw=4, p_discharge_max_kw=4, soc_start=1.0, soc_end=soc_end
    )
    one = replace(ann, bid_max_kw=np.full(24, 3.0), fixed_kw=np.full(24, 2.0), devices=(store,), **flat)
    other = replace(bob, bid_max_kw=np.full(24, 1.5), fixed_kw=np.full(24, 3.5), **flat)
    return [one, other]


def test_a_market_that_stores_cannot_carry_ends_with_that_in_words():
    """Of 24 kWh the battery may give 10, less what is lost on the way: 9.5."""
    scenario, homes = load("two_homes"), short_homes(10.0, 0.0)
    parts = scenario.build_clearing(), homes, scenario.build_links()
    market = EnergyMarket(*parts, settings=replace(scenario.build_settings(), max_rounds=120), rng=1)
    needs = market.communities.needs()
    assert find_shortfall(needs.need_kw, needs.have_kw, market.graph, 1.0) is None  # in no hour by itself
    result = market.run()
    assert result.outcome is Outcome.HOUSEHOLD_SHORTAGE
    assert re.fullmatch(  # who goes short is not unique
        r"infeasible: prosumers? .*: 14\.5 kWh of fixed loads and elastic_min_kw cannot be served, whatever is traded "
        r"and whenever devices give: what they hold does not last; raise bid_max_kw, .* or the load",
        result.message,
    )
    assert market.rounds < 200


def test_a_store_that_lasts_is_enough():
    homes = {one.name: one for one in short_homes(26.0, 0.0)}
    graph = TradeGraph(list(homes), load("two_homes").build_links())
    assert find_device_shortfall(homes, graph) is None
    apart = find_device_shortfall(homes, TradeGraph(list(homes), []))  # bob has no part in it: 2 kW in 24 hours
    assert (apart.names, apart.missing_kwh) == (("bob",), pytest.approx(48.0))
    assert find_device_shortfall({name: replace(one, devices=()) for name, one in homes.items()}, graph) is None
