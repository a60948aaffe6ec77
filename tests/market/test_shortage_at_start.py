"""A feeder too weak for its own load is refused at the first step; one too weak for a bid prices it away."""

from dataclasses import replace

import numpy as np
import pytest

from gridbazaar.market import Outcome
from gridbazaar.network import ShortageError


@pytest.fixture
def weaker(ieee33_bazaar):
    """ieee33 with more load at every bus."""
    return lambda factor: ieee33_bazaar().with_(load_kw=factor * ieee33_bazaar().load_kw)


def rated(feeder, **limits):
    return replace(feeder, lines=tuple(replace(line, **limits) for line in feeder.lines))


def test_its_own_load_is_too_much(weaker, open_market):
    market = open_market(weaker(1.6))
    with pytest.raises(
        ShortageError, match=r"in period 19 \(18:00-19:00\) .* would do \(\d+ other periods are short, too\)"
    ):
        market.step()


def test_its_own_load_can_be_carried(weaker, open_market):
    market = open_market(weaker(1.0))
    market.step()
    assert market.operator.cleared.unserved_kw.max() < 1e-3


def test_load_that_must_be_served_but_cannot_ends_as_shortage(street, home, open_market):
    """The bid is fixed load, the line too thin for it: bids and prices rest, and the end names the place."""
    must = home(bus="y", fixed_kw=90.0, renewable_kw=0.0, elastic_max_kw=0.0)
    bazaar = street(must, load_kw=20.0)
    thin = bazaar.with_(feeder=rated(bazaar.feeder, p_max_kw=60.0))
    result = open_market(thin).run()
    assert result.outcome is Outcome.SHORTAGE
    assert not result.settled
    assert result.message.startswith("infeasible: bids and prices rest, but the feeder cannot serve them: in period ")
    assert "is full at 60 kW" in result.message
    assert result.dispatch.unserved_kw.max(axis=0) == pytest.approx(np.full(2, 50.0), abs=0.5)


def test_elastic_load_gives_way_to_the_line(street, home, open_market, joint):
    """Where demand can give way, the price rises until it does: no shortage."""
    wants = home(bus="y", fixed_kw=10.0, renewable_kw=0.0, elastic_max_kw=90.0)
    bazaar = street(wants, load_kw=20.0)
    thin = bazaar.with_(feeder=rated(bazaar.feeder, p_max_kw=60.0))
    best = joint(thin)
    assert best.elastic_kw == pytest.approx(np.full((1, 2), 30.0), abs=0.5)
    market = open_market(thin, max_iterations=6)
    result = market.run()
    assert result.certificate.total_usd >= best.welfare_usd - (result.welfare_usd - result.dispatch.shortage_cost_usd)
