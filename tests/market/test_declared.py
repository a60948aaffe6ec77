"""What a prosumer declares is its problem; what really comes of it is valued by the household that it has."""

from dataclasses import replace
from functools import partialmethod

import mesa
import numpy as np
import pytest

from gridbazaar.agents import Behaviour, BehaviourError, Household, HouseholdShortageError, Offer, Prosumer
from gridbazaar.agents.behaviours.inertial import Inertial
from gridbazaar.agents.behaviours.loss_averse import LossAverse
from gridbazaar.agents.behaviours.shading import Shading
from gridbazaar.agents.behaviours.withholding import Withholding
from gridbazaar.agents.behaviours.zero_intelligence import ZeroIntelligence
from gridbazaar.market import Hosting, Outcome, Workers


@pytest.fixture
def run(ieee33_bazaar, open_market):
    def go(bazaar=None, **settings):
        return open_market(bazaar or ieee33_bazaar(), **{"rng": 1} | settings).run()

    return go


def with_home(bazaar, name, change):
    return bazaar.with_(households=[change(home) if home.name == name else home for home in bazaar.households])


DECLARES = {
    "shading": (Shading(7.0), lambda home: scaled(home, 1 - 7.0 / 100)),
    "withholding": (Withholding(20.0), lambda home: replace(home, renewable_kw=0.8 * home.renewable_kw)),
}


def scaled(home, left):
    utility = {"alpha_usd_per_kw2h": left * home.alpha_usd_per_kw2h, "beta_usd_per_kwh": left * home.beta_usd_per_kwh}
    return replace(home, **utility)


@pytest.mark.parametrize("network_use", ["bids", "withdrawals"])
@pytest.mark.parametrize("what", DECLARES)
def test_the_market_is_that_of_the_household_that_is_declared(run, ieee33_bazaar, what, network_use):
    behaviour, change = DECLARES[what]
    declared = run(behaviours={"p2": behaviour}, network_use=network_use)
    true = run(with_home(ieee33_bazaar(), "p2", change), network_use=network_use)
    assert declared.settled_for == "declared"
    assert true.settled_for == "everybody"
    for key in ("bid_kw", "trade_kw", "lmp_usd_per_kwh", "price_usd_per_kwh"):
        assert np.array_equal(getattr(declared, key), getattr(true, key)), key
    assert declared.certificate.regret_usd == pytest.approx(true.certificate.regret_usd, abs=1e-9)


@pytest.mark.parametrize("what", DECLARES)
def test_what_comes_of_it_is_valued_by_the_real_household(run, ieee33_bazaar, what):
    """Whatever was bid and bought is put to the best use that the real household has for it."""
    behaviour, _ = DECLARES[what]
    result = run(behaviours={"p2": behaviour})
    home = next(home for home in ieee33_bazaar().households if home.name == "p2")
    have = result.bid_kw[1] + result.net_trade_kw[1] + home.renewable_kw - home.fixed_kw
    wanted = np.minimum(home.beta_usd_per_kwh / (2 * home.alpha_usd_per_kw2h), home.elastic_max_kw)
    best = np.minimum(have, wanted)
    assert result.elastic_kw[1] == pytest.approx(best, abs=1e-9)
    assert result.curtailed_kw[1] == pytest.approx(have - best, abs=1e-9)
    utility = home.beta_usd_per_kwh * best - home.alpha_usd_per_kw2h * best**2
    assert result.utility_usd[1] == pytest.approx(home.dt_h * utility.sum())


def test_a_spread_is_a_wedge_between_what_a_kwh_is_worth_to_both_ends(run, ieee33_bazaar):
    """Bids and loads are those of a market in which the same wedge is a fee on its links."""
    spread, bazaar = 0.01, ieee33_bazaar()
    asked = run(behaviours={"p2": LossAverse(spread_cents=1.0)})
    links = [replace(link, fee_usd_per_kwh=spread if "p2" in (link.a, link.b) else 0.0) for link in bazaar.links]
    charged = run(bazaar.with_(links=links))
    assert asked.settled_for == "declared"
    assert asked.elastic_kw == pytest.approx(charged.elastic_kw, abs=0.1)
    assert asked.dso_cost_usd == pytest.approx(charged.dso_cost_usd, rel=1e-4)
    assert np.abs(asked.elastic_kw - run().elastic_kw).max() > 5


def test_nobody_pays_a_spread(run):
    """It is no fee: what one end pays the other gets."""
    result = run(behaviours={"p2": LossAverse()})
    assert result.payment_usd.sum() == pytest.approx(0.0, abs=1e-9)
    assert result.fees_usd == 0.0


def test_inertia_ends_where_price_takers_do(run):
    slow, quick = run(behaviours={"p2": Inertial(0.5)}), run()
    assert slow.settled
    assert slow.welfare_usd == pytest.approx(quick.welfare_usd, abs=0.05)
    assert slow.elastic_kw == pytest.approx(quick.elastic_kw, abs=1.5)


def test_zero_intelligence_draws_once_and_by_the_seed(run):
    results = [run(behaviours={"p1": ZeroIntelligence()}, rng=seed) for seed in (7, 7, 8)]
    assert np.array_equal(results[0].bid_kw, results[1].bid_kw)
    assert not np.array_equal(results[0].bid_kw, results[2].bid_kw)
    assert all(result.settled for result in results)


def test_what_is_declared_is_the_same_on_workers(run):
    def behaviours():
        return {"p1": ZeroIntelligence(), "p2": Withholding(), "p3": Inertial()}

    here, there = run(behaviours=behaviours()), run(behaviours=behaviours(), hosting=Hosting(Workers(2)))
    for key in ("bid_kw", "elastic_kw", "curtailed_kw", "utility_usd", "price_usd_per_kwh"):
        assert np.array_equal(getattr(here, key), getattr(there, key)), key


# --- who acts otherwise than is best for it


class MarksUp(Behaviour):
    """Asks 5 % more in its messages than it is quoted."""

    def offer(self, quote, plan):
        return Offer(plan.trade_kw, 1.05 * quote.price_usd_per_kwh)


class BidsLess(Behaviour):
    def bid(self, delivery, plan):
        return 0.9 * plan.bid_kw


class DrawsLots(Behaviour):
    def bid(self, delivery, plan):
        return plan.bid_kw + self.rng.uniform(-90, 90, plan.bid_kw.size)


def test_a_price_marked_up_in_messages_never_agrees_and_that_is_said_soon(run):
    result = run(behaviours={"p2": MarksUp()})
    assert result.outcome is Outcome.NEVER_AGREES
    assert not result.settled
    assert result.outer_iterations <= 10
    assert sum(result.sharing_rounds) <= 1000
    assert result.message.startswith("not settled: p2 asks $0.01")
    assert "ask a spread instead (Behaviour.spread_usd_per_kwh)" in result.message


def test_who_bids_less_than_is_best_for_it_forgoes_that_and_the_others_are_at_rest(run):
    result = run(behaviours={"p2": BidsLess()})
    assert result.settled_for == "declared"
    certificate = result.certificate
    assert certificate.forgone == {"p2": result.regret_usd[1]}
    assert result.regret_usd[1] > 10 * certificate.total_usd
    assert certificate.relative <= 1e-6
    assert f"p2 forgoes ${result.regret_usd[1]:.2g} by acting otherwise" in str(certificate)


def test_who_never_rests_is_named_after_a_few_clearings(run):
    result = run(behaviours={"p2": DrawsLots()})
    assert result.outcome is Outcome.RESTLESS
    assert result.outer_iterations <= 12
    assert "p2 acts on a behaviour of its own, and the market does not come to rest" in result.message


class Same(Behaviour):
    """Overrides a hook and does just what a price taker does."""

    def bid(self, delivery, plan):
        return plan.bid_kw * 1.0


class BidsNothing(Behaviour):
    def bid(self, delivery, plan):
        return plan.bid_kw * 0.0


@pytest.mark.parametrize("who", [("p2",), ("p1", "p2", "p3")])
@pytest.mark.parametrize("settings", [{}, {"method": "damped"}, {"method": "proximal_gradient", "alpha": 0.3}], ids=str)
def test_who_may_act_otherwise_and_does_not_settles_where_price_takers_do(run, ieee33_bazaar, who, settings):
    """Nothing is called settled before bids go where they are going, and nothing is given up that would settle."""
    bazaar, chosen = ieee33_bazaar(settings.get("alpha", 1.0)), {k: v for k, v in settings.items() if k != "alpha"}
    result, plain = run(bazaar, behaviours={name: Same() for name in who}, **chosen), run(bazaar, **chosen)
    assert plain.settled
    assert result.settled, result.message
    assert result.outer_iterations > 2
    assert result.elastic_kw == pytest.approx(plain.elastic_kw, abs=6.0)
    assert result.welfare_usd == pytest.approx(plain.welfare_usd, abs=0.5)


def test_who_cannot_hold_what_it_bid_for_settles_nothing(run):
    """Its own affair ends where its fixed load is not served."""
    result = run(behaviours={"p1": BidsNothing()}, case=1, method="damped", max_iterations=15)
    assert not result.settled
    assert np.isposinf(result.regret_usd[0])
    assert "no certificate: the trades leave p1 no way to keep its elastic load" in str(result.certificate)


def test_nobody_is_accused_of_prices_that_were_asked_when_others_were_quoted(ieee33_bazaar, open_market):
    from gridbazaar.market import MessageFaults

    faults = MessageFaults(loss=0.6, delay_rounds=3)
    market = open_market(ieee33_bazaar(), behaviours={"p2": Same()}, messages=faults, rng=1, max_iterations=12)
    assert market.run().outcome is not Outcome.NEVER_AGREES


# --- what cannot be declared


def behaving(**hooks):
    """A behaviour whose hooks are these functions of its household."""
    return type("Wrong", (Behaviour,), {name: partialmethod(_told, hook) for name, hook in hooks.items()})


def _told(_, hook, home):
    return hook(home)


WRONG = {
    "no household": (behaving(declare=lambda _: 5), "in declare(): returned int; return a Household"),
    "another name": (
        behaving(declare=lambda home: replace(home, name="p9")),
        "in declare(): changed the name or the periods; change limits, forecasts or the utility alone",
    ),
    "more wind": (
        behaving(declare=lambda home: replace(home, renewable_kw=3 * home.renewable_kw)),
        "declares renewable_kw above its own in period 3 (02:00-03:00) (1396.8 and 465.6 kW)",
    ),
    "a wider limit": (
        behaving(declare=lambda home: replace(home, bid_max_kw=10 * home.bid_max_kw)),
        "declares bid_max_kw above its own in period 1 (00:00-01:00) (6000 and 600 kW), which it could not live up to; "
        "declare at most that",
    ),
    "feed-in": (
        behaving(declare=lambda home: replace(home, feed_in_max_kw=home.feed_in_max_kw + 5)),
        "declares feed_in_max_kw above its own",
    ),
    "less need": (
        behaving(declare=lambda home: replace(home, fixed_kw=0.2 * home.fixed_kw)),
        "changed fixed_kw, which others measure; change limits, forecasts or the utility alone",
    ),
    "another bus": (behaving(declare=lambda home: replace(home, bus="9")), "changed bus, which others measure"),
    "negative spread": (
        behaving(spread_usd_per_kwh=lambda _: -0.1),
        "in spread_usd_per_kwh(): returned -0.1; return a number of at least 0",
    ),
    "no number": (behaving(spread_usd_per_kwh=lambda _: np.nan), "returned nan; return a number of at least 0"),
    "an error": (
        behaving(declare=lambda home: home.nothing),
        "in declare(): AttributeError: 'Household' object has no",
    ),
}


@pytest.mark.parametrize("what", WRONG)
def test_what_cannot_be_declared_is_named(run, what):
    behaviour, sentence = WRONG[what]
    with pytest.raises(BehaviourError) as told:
        run(behaviours={"p2": behaviour()})
    assert str(told.value).startswith("behaviour Wrong of p2, ")
    assert sentence in str(told.value)


def test_a_declared_household_that_cannot_be_served_is_refused():
    home = Household("a", "1", np.array([10.0]), np.array([8.0]), 1e-3, 0.3, np.zeros(1), np.ones(1), np.array([3.0]))
    with pytest.raises(HouseholdShortageError, match="prosumer a: period 1"):
        Prosumer(mesa.Model(rng=1), home, np.array([1.0]), Withholding(90.0), np.random.default_rng(0))
