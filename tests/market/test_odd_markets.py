"""Markets of other shapes: one prosumer, several at one bus, other lengths of period, partners who cannot help."""

from dataclasses import replace

import numpy as np
import pytest

from gridbazaar.agents import HouseholdError
from gridbazaar.market import Outcome
from gridbazaar.network import FeederError, InputError


@pytest.fixture
def at_optimum(joint):
    """That a settled run is the joint optimum."""

    def check(result, bazaar):
        best = joint(bazaar)
        assert result.outcome is Outcome.SETTLED
        assert result.welfare_usd == pytest.approx(best.welfare_usd, rel=1e-5, abs=1e-4)
        assert result.elastic_kw == pytest.approx(best.elastic_kw, abs=0.3)
        assert result.dispatch.lmp_usd_per_kwh == pytest.approx(best.lmp_usd_per_kwh, abs=1e-4)

    return check


@pytest.mark.parametrize("case", [1, 2, 3])
def test_one_prosumer_without_links(street, home, open_market, at_optimum, case):
    bazaar = street(home())
    result = open_market(bazaar, case=case).run()
    at_optimum(result, bazaar)
    assert result.trade_kw.shape == (0, 2)
    assert result.trades.empty
    assert sum(result.settlement.balance_cents().values()) == 0


def test_several_at_one_bus(street, home, open_market, at_optimum):
    """They pay one price, and their trades with each other use no wire."""
    homes = [home(name="a"), home(name="b", renewable_kw=90.0, fixed_kw=5.0), home(name="c", bus="y")]
    bazaar = street(*homes, links=[("a", "b", 60.0), ("b", "c", 20.0)])
    result = open_market(bazaar, regret_tolerance=1e-9).run()
    at_optimum(result, bazaar)
    assert np.array_equal(result.lmp_usd_per_kwh[0], result.lmp_usd_per_kwh[1])
    at_x = result.dispatch.demand_kw[result.feeder.index("x")]
    assert at_x == pytest.approx(result.bid_kw[0] + result.bid_kw[1])


def test_prosumers_at_the_root(street, home, open_market, at_optimum):
    bazaar = street(home(bus="r"), home(name="b", bus="y"), links=[("a", "b", 20.0)])
    at_optimum(open_market(bazaar, regret_tolerance=1e-9).run(), bazaar)


def test_quarter_hours(street, home, open_market):
    """With the same powers in every period, a quarter of the hours costs a quarter; prices and powers are the same."""
    homes = home(), home(name="b", bus="y", renewable_kw=60.0)
    bazaar = street(*homes, links=[("a", "b", 20.0)])
    settings = {"regret_tolerance": 1e-9}
    hours, quarters = (open_market(b, **settings).run() for b in (bazaar, bazaar.homes(dt_h=0.25)))
    for key in ("dso_cost_usd", "utility_usd", "prosumer_cost_usd", "payment_usd"):
        assert getattr(quarters, key) == pytest.approx(np.asarray(getattr(hours, key)) / 4, rel=1e-5, abs=1e-4), key
    for key in ("bid_kw", "elastic_kw", "bought_kw", "sold_kw", "lmp_usd_per_kwh", "price_usd_per_kwh"):
        assert getattr(quarters, key) == pytest.approx(getattr(hours, key), rel=1e-4, abs=1e-4), key
    assert sum(quarters.settlement.balance_cents().values()) == 0


def test_renewables_beyond_all_use_are_curtailed(street, home, open_market, at_optimum):
    bazaar = street(home(renewable_kw=500.0), home(name="b", bus="y"), links=[("a", "b", 30.0)])
    result = open_market(bazaar, regret_tolerance=1e-9).run()
    at_optimum(result, bazaar)
    assert (result.curtailed_kw[0] > 380).all()
    assert result.trade_kw == pytest.approx(-30, abs=0.1)


def test_partners_who_count_on_each_other_in_vain(street, home, open_market):
    """Each could be served by the other's link, but nobody has anything: no such market is feasible."""
    poor = {"fixed_kw": 100.0, "renewable_kw": 0.0, "bid_max_kw": 50.0}
    bazaar = street(home(**poor), home(**poor | {"name": "b", "bus": "y"}), links=[("a", "b", 100.0)])
    result = open_market(bazaar, max_rounds=60, max_iterations=4).run()
    assert result.outcome is Outcome.HOUSEHOLD_SHORTAGE
    place, rest = result.message.split(": period 1 (00:00-01:00) needs ")
    need = 2 * (100 + home(**poor).elastic_min_kw[0])
    assert place == "infeasible: prosumers a and b"
    assert rest.startswith(f"{need:.4g} kW (fixed loads plus elastic_min_kw) and has 100 kW (renewables, bid_max_kw,")
    assert f"whatever is traded: {need - 100:.4g} kW too little; raise bid_max_kw of one of them" in rest


@pytest.mark.parametrize("case", [2, 3])
def test_by_however_little(street, home, open_market, case):
    """A hundredth of a kW is no solver noise: nobody calls that settled."""
    poor = {"fixed_kw": 45.01, "renewable_kw": 0.0, "bid_max_kw": 45.0, "elastic_min_kw": 0.0}
    bazaar = street(home(**poor), home(**poor | {"name": "b", "bus": "y"}), links=[("a", "b", 100.0)])
    result = open_market(bazaar, case=case).run()
    assert result.outcome is Outcome.HOUSEHOLD_SHORTAGE
    assert "0.02 kW too little" in result.message


REFUSED = {
    "nobody": (lambda b: b.with_(households=[]), InputError, "a market needs at least one prosumer; add one"),
    "twice": (
        lambda b: b.with_(households=[b.households[0]] * 2),
        HouseholdError,
        "prosumer a: this name is given twice; rename one",
    ),
    "other periods": (
        lambda b: b.with_(load_kw=b.load_kw[:, :1], load_kvar=b.load_kvar[:, :1]),
        HouseholdError,
        "prosumer a: periods is 2, but 1 for the feeder's loads; make them equal",
    ),
    "other hours": (
        lambda b: b.with_(households=[b.households[0], replace(b.households[1], dt_h=0.5)]),
        HouseholdError,
        "prosumer b: dt_h is 0.5, but 1 for the feeder's loads; make them equal",
    ),
    "a link that is none": (
        lambda b: b.with_(links=[("a", "b", 1.0)]),
        InputError,
        r"link 1 is \('a', 'b', 1\.0\); give Link\(a, b, cap_kw\)",
    ),
    "no such bus": (lambda b: b.homes(bus="zz"), FeederError, "zz"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refusal(street, home, open_market, name):
    change, kind, sentence = REFUSED[name]
    bazaar = change(street(home(), home(name="b", bus="y")))
    if not bazaar.households:
        clearing = street(home()).clearing()
        bazaar = bazaar.with_(households=bazaar.households)
        object.__setattr__(bazaar, "clearing", lambda: clearing)
    with pytest.raises(kind, match=sentence):
        open_market(bazaar)
