"""Collusion on random markets, and market power that goes when prosumers are many."""

import numpy as np
import pytest
from random_markets import random_market

from gridbazaar.agents.behaviours.colluders import Colluders
from gridbazaar.market import EnergyMarket, MarketSettings
from gridbazaar.scenarios import load
from gridbazaar.scenarios.files.loading import vary
from gridbazaar.scenarios.league.day import play
from gridbazaar.scenarios.league.search import Search
from gridbazaar.scenarios.league.sizes import part, split

SEEDS = [1, 6, 9, 11, 14, 21, 23, 24, 27, 30, 34, 35, 37, 38, 42, 47, 48, 49, 51, 57]
"""Of few periods, so that each takes a few seconds."""


def costs_in(market, tolerance):
    """What p1 and p2 pay when they shade by some percents, and what is left open of it."""

    def costs(percents):
        agreed = dict(zip(("p1", "p2"), percents, strict=True))
        behaviours = {name: Colluders(agreed) for name in agreed}
        settings = MarketSettings(regret_tolerance=tolerance, regret_tolerance_usd=tolerance)
        run = EnergyMarket(
            market.clearing(), market.households, market.links, settings=settings, behaviours=behaviours, rng=1
        ).run()
        paid = run.own_cost_usd + run.payment_usd
        return paid[:2] if run.settled else np.full(2, np.inf)

    return costs


@pytest.mark.parametrize("seed", [*SEEDS[:2], *(pytest.param(seed, marks=pytest.mark.long) for seed in SEEDS[2:])])
def test_two_who_collude_gain_what_both_gain_alone_at_the_least(seed):
    """Each declaration is played again by markets that the search has not seen, which end a little elsewhere."""
    market = random_market(seed, buses=(3, 8), prosumers=(2, 4), withdrawals=True)
    search = Search(costs_in(market, 1e-7), 2)
    joint, (one, other) = search.best(), search.alone()
    again = costs_in(market, 1e-6)
    truth = again((0.0, 0.0))
    gained = float((truth - again(joint)).sum())
    assert np.isfinite(gained)
    for separate in ((one, 0.0), (0.0, other), (one, other), (0.0, 0.0)):
        assert gained >= float((truth - again(separate)).sum()) - 2e-4 * np.abs(truth).sum()


def test_the_search_finds_the_best_of_costs_that_are_known():
    """Two quadratic costs with a joint optimum that is none of the grid's points: (3, -4)."""

    def costs(percents):
        return np.array([(percents[0] - 3) ** 2 + percents[1], (percents[1] + 3.5) ** 2])

    search = Search(costs, 2, most=200)
    assert search.best() == pytest.approx((3, -4), abs=1e-2)
    assert search.alone() == [5.0, -5.0]


def test_what_does_not_settle_is_no_answer():
    search = Search(lambda percents: np.array([np.inf if percents[0] else 1.0]), 1)
    assert search.best() == (0.0,)


@pytest.mark.parametrize("parts", [2, 5])
def test_who_is_split_has_the_same_equilibrium(small, parts):
    whole, many = (play(split(load(str(small)), n)) for n in (1, parts))
    assert many.result.names[:2] == ("ann-1", "ann-2")
    within = whole.dso_known_to_usd + many.dso_known_to_usd
    assert within < 0.01 * whole.result.dso_cost_usd
    assert abs(many.result.dso_cost_usd - whole.result.dso_cost_usd) <= within
    difference = np.abs(many.cost_usd.reshape(3, parts).sum(axis=1) - whole.cost_usd)
    assert (difference <= many.known_to_usd.reshape(3, parts).sum(axis=1) + whole.known_to_usd).all()


def test_market_power_goes_when_prosumers_are_many(small):
    """The best shading of one of n identical prosumers shrinks as 1/n, and what it gains, for its size, as 1/n².

    Shading by s % takes c s / n kW off the demand, which moves prices by as much; for who buys q / n that is worth
    a s / n² and the own load that is given up costs b s² / n. So the best s is a / (2 b n), its gain a² / (4 b n³).
    """
    sizes, best, gained = [1, 2, 4, 8], [], []
    for parts in sizes:
        scenario = split(load(str(small)), parts)
        name = "ann" if parts == 1 else part("ann", 0)

        def costs(percents, scenario=scenario, name=name):
            behaviour = f"Colluders(percents={{'{name}': {percents[0]}}})"
            day = play(vary(scenario, {f"prosumers.{name}.behaviour": behaviour}))
            return np.array([day.cost_usd[day.result.names.index(name)]])

        search = Search(costs, 1, span=10 / parts)
        best.append(search.best()[0])
        gained.append(parts * (search.cost_usd((0.0,)) - search.cost_usd(best[-1:])))
    exponents = [np.polyfit(np.log(sizes), np.log(values), 1)[0] for values in (best, gained)]
    assert exponents == pytest.approx([-1, -2], abs=0.15)
    assert gained[0] > 1
